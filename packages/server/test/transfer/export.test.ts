import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createClient } from '@binnacle/sdk';
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
  const client = createClient({ baseUrl: server.url });
  const histograms = [{ key: 'w', edges: [0, 1], counts: [2], step: 0.5, timestamp: 6 }];
  await client.call('logBatch', {
    params: { runId: runs[0] as string },
    body: { metrics: [{ key: 'fine', value: 1, step: 0.25, timestamp: 5 }], histograms, strings: [{ key: 'log', value: 'ü\n', step: 1, timestamp: 7 }] },
  });
  await client.call('updateRun', { params: { runId: runs[1] as string }, body: { fork: { runId: runs[0] as string, step: 0.75 } } });
  await client.call('logBatch', { params: { runId: runs[1] as string }, body: { strings: [{ key: 'log', value: 'mine', step: 2, timestamp: 8 }] } });
  await post('runs/delete', { run_id: runs[2] });
  await post('registered-models/create', { name: 'model' });
  await post('model-versions/create', { name: 'model', source: `runs:/${runs[0]}/model` });
  const to = join(temporaryFolder('export'), 'out');
  const { code, stdout } = await binnacle(['export', '--to', to, '--url', server.url, '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ path: to, experiments: 1, runs: 3, params: 1, points: 901, entries: 3, models: 1, versions: 1 });
  expect(await binnacle(['export', '--to', to, '--url', server.url])).toMatchObject({ code: 1, stderr: expect.stringContaining('exists already') as string });
  await server.stop();
  const other = join(dirname(to), 'other');
  expect(await binnacle(['export', '--to', other, '--url', server.url])).toMatchObject({ code: 1 });
  expect([existsSync(other), readdirSync(dirname(to))]).toEqual([false, ['out']]);

  expect(readdirSync(to).sort()).toEqual([
    'entries.parquet',
    'experiments.parquet',
    'metrics.parquet',
    'params.parquet',
    'registry.json',
    'runs.parquet',
    'tags.parquet',
  ]);
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
      `SELECT count(*)::INT AS n, count(DISTINCT step)::INT AS steps, sum(isnan(value)::INT)::INT AS nans, max(value) FILTER (NOT isnan(value)) AS most FROM '${to}/metrics.parquet' WHERE key = 'm/ü'`,
    ),
  ).toEqual([{ n: 900, steps: 900, nans: 1, most: 899 / 3 }]);
  // A run's own: what a fork inherits is its parent's.
  expect(await rows(`SELECT run_id, key, kind, step, timestamp_ms, value, size FROM '${to}/entries.parquet' ORDER BY step`)).toEqual([
    { run_id: runs[0], key: 'w', kind: 'histogram', step: 0.5, timestamp_ms: '6', value: '{"edges":[0,1],"counts":[2]}', size: null },
    { run_id: runs[0], key: 'log', kind: 'string', step: 1, timestamp_ms: '7', value: 'ü\n', size: null },
    { run_id: runs[1], key: 'log', kind: 'string', step: 2, timestamp_ms: '8', value: 'mine', size: null },
  ]);
  expect(await rows(`SELECT run_id, step FROM '${to}/metrics.parquet' WHERE key = 'fine'`)).toEqual([{ run_id: runs[0], step: 0.25 }]);
  expect(await rows(`SELECT run_id, fork_run_id, fork_step FROM '${to}/runs.parquet' WHERE fork_run_id IS NOT NULL`)).toEqual([
    { run_id: runs[1], fork_run_id: runs[0], fork_step: 0.75 },
  ]);
  connection.closeSync();
  db.close();
  const registry = JSON.parse(readFileSync(join(to, 'registry.json'), 'utf8')) as {
    models: { name: string }[];
    versions: { version: string; run_id: string }[];
  };
  expect(registry.models.map(({ name }) => name)).toEqual(['model']);
  expect(registry.versions).toMatchObject([{ name: 'model', version: '1', run_id: runs[0] }]);
}, 30_000);
