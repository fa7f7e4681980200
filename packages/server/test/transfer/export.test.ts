import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { openDuckDb } from '../../src/adapters/duckdb/index.ts';
import { binnacle, startServer, temporaryFolder } from '../support/server.ts';

it('writes every run, deleted ones too, every point and the registry, and overwrites nothing', async () => {
  const server = await startServer();
  const post = async <T>(path: string, body: unknown) =>
    (await (
      await fetch(`${server.url}/api/2.0/mlflow/${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
    ).json()) as T;
  const runs: string[] = [];
  for (let i = 0; i < 3; i++)
    runs.push((await post<{ run: { info: { run_id: string } } }>('runs/create', { experiment_id: '0', run_name: `r${i}`, start_time: 5 + i })).run.info.run_id);
  const metrics = Array.from({ length: 900 }, (_, step) => ({ key: 'm/ü', value: step === 7 ? 'NaN' : step / 3, step, timestamp: step }));
  await post('runs/log-batch', { run_id: runs[0], metrics, params: [{ key: 'lr', value: '0,1 "x"' }], tags: [{ key: 't', value: 'ü\n' }] });
  await post('runs/delete', { run_id: runs[2] });
  await post('registered-models/create', { name: 'model' });
  await post('model-versions/create', { name: 'model', source: `runs:/${runs[0]}/model` });
  const to = join(temporaryFolder('export'), 'out');
  const { code, stdout } = await binnacle(['export', '--to', to, '--url', server.url, '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ path: to, experiments: 1, runs: 3, params: 1, points: 900, models: 1, versions: 1 });
  expect(await binnacle(['export', '--to', to, '--url', server.url])).toMatchObject({ code: 1, stderr: expect.stringContaining('exists already') as string });
  await server.stop();
  const other = join(dirname(to), 'other');
  expect(await binnacle(['export', '--to', other, '--url', server.url])).toMatchObject({ code: 1 });
  expect([existsSync(other), readdirSync(dirname(to))]).toEqual([false, ['out']]);

  expect(readdirSync(to).sort()).toEqual(['experiments.parquet', 'metrics.parquet', 'params.parquet', 'registry.json', 'runs.parquet', 'tags.parquet']);
  const db = await openDuckDb();
  const connection = await db.connect();
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
  expect(await rows(`SELECT run_id, name, started_ms, lifecycle_stage FROM '${to}/runs.parquet' ORDER BY name`)).toEqual(
    runs.map((run_id, i) => ({ run_id, name: `r${i}`, started_ms: String(5 + i), lifecycle_stage: i === 2 ? 'deleted' : 'active' })),
  );
  expect(await rows(`SELECT run_id, key, value FROM '${to}/params.parquet'`)).toEqual([{ run_id: runs[0], key: 'lr', value: '0,1 "x"' }]);
  expect(await rows(`SELECT value FROM '${to}/tags.parquet' WHERE key = 't'`)).toEqual([{ value: 'ü\n' }]);
  expect(
    await rows(
      `SELECT count(*)::INT AS n, count(DISTINCT step)::INT AS steps, sum(isnan(value)::INT)::INT AS nans, max(value) FILTER (NOT isnan(value)) AS most FROM '${to}/metrics.parquet'`,
    ),
  ).toEqual([{ n: 900, steps: 900, nans: 1, most: 899 / 3 }]);
  connection.closeSync();
  db.close();
  const registry = JSON.parse(readFileSync(join(to, 'registry.json'), 'utf8')) as {
    models: { name: string }[];
    versions: { version: string; run_id: string }[];
  };
  expect(registry.models.map(({ name }) => name)).toEqual(['model']);
  expect(registry.versions).toMatchObject([{ name: 'model', version: '1', run_id: runs[0] }]);
}, 30_000);
