import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { MlflowReport } from '../../src/transfer/index.ts';
import { binnacle, type RunningServer, startServer, temporaryFolder } from '../support/server.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });
const venv = fileURLToPath(new URL('../../../../.cache/venv/bin/', import.meta.url));
const script = (name: string): string => fileURLToPath(new URL(`../protocols/python/${name}`, import.meta.url));
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MLFLOW_') && !name.startsWith('BINNACLE_'))),
  GIT_PYTHON_REFRESH: 'quiet',
  MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1',
};

const run = (file: string, ...args: string[]) =>
  promisify(execFile)(join(venv, 'python'), [script(file), ...args], { env: environment, maxBuffer: 64 * 1024 * 1024 });

interface Dump {
  experiments: [id: string, name: string, stage: string, created: number, updated: number, tags: object, location: string][];
  runs: Record<string, { files: unknown; history: Record<string, unknown[]> }>;
  registry: Record<string, { info: unknown[]; versions: Record<string, unknown[]> }>;
  loaded?: string;
}

async function dump(url: string, load?: string): Promise<Dump> {
  const file = join(temporaryFolder('dump'), 'dump.json');
  await run('import_dump.py', url, file, ...(load === undefined ? [] : [load]));
  return JSON.parse(readFileSync(file, 'utf8')) as Dump;
}

/** Without what MLflow's own search leaves out (a version's aliases), and when the experiment that a server begins with was touched last. */
function comparable(dumped: Dump): unknown {
  const { loaded: _, ...all } = dumped;
  return {
    ...all,
    experiments: all.experiments.map(([id, name, stage, created, updated, ...rest]) => [id, name, stage, created, id === '0' ? 0 : updated, ...rest]),
    registry: Object.fromEntries(
      Object.entries(all.registry).map(([name, { info, versions }]) => [
        name,
        { info, versions: Object.fromEntries(Object.entries(versions).map(([number, version]) => [number, version.toSpliced(8, 1)])) },
      ]),
    ),
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}

async function importFrom(place: string, to: string[], ...options: string[]): Promise<MlflowReport & { code: number | null }> {
  const { stdout, stderr, code } = await binnacle(['import', 'mlflow', place, ...to, '--json', ...options]);
  if (stdout === '') throw new Error(stderr);
  return { ...(JSON.parse(stdout) as MlflowReport), code };
}

const none = { created: 0, updated: 0, removed: 0, failed: 0 };

describe.skipIf(!existsSync(join(venv, 'mlflow')))('what a real mlflow server holds (needs the Python environment of scripts/requirements-real.txt)', () => {
  const folder = temporaryFolder('mlflow');
  const database = join(folder, 'mlflow.db');
  const artifacts = join(folder, 'artifacts');
  let mlflow: ChildProcess;
  let url: string;
  let fromFile: RunningServer;
  let fromServer: RunningServer;
  let theirs: Dump;
  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const store = ['--backend-store-uri', `sqlite:///${database}`, '--artifacts-destination', artifacts];
    mlflow = spawn(join(venv, 'mlflow'), ['server', ...store, '--host', '127.0.0.1', '--port', String(port), '--workers', '1'], {
      cwd: folder,
      detached: true,
      env: environment,
      stdio: 'ignore',
    });
    for (
      let waited = 0;
      waited < 240 &&
      !(await fetch(`${url}/health`).then(
        (r) => r.ok,
        () => false,
      ));
      waited++
    )
      await sleep(500);
    await run('import_fill.py', url, join(folder, 'state.json'));
    [fromFile, fromServer] = await Promise.all([startServer(), startServer()]);
    theirs = await dump(url);
  });
  afterAll(async () => {
    if (mlflow?.pid !== undefined) process.kill(-mlflow.pid, 'SIGKILL');
    for (const server of [fromFile, fromServer]) {
      await server?.stop();
      if (server !== undefined) rmSync(server.dataDir, { recursive: true, force: true });
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it('a dry run writes nothing', async () => {
    const report = await importFrom(database, ['--url', fromFile.url], '--dry-run');
    expect(report).toMatchObject({ dryRun: true, runs: { created: 15 }, versions: { created: 5 }, code: 0 });
    expect(Object.keys((await dump(fromFile.url)).runs)).toEqual([]);
  });

  it('comes in whole from the database, seen by the real client', async () => {
    const report = await importFrom(`sqlite:///${database}`, ['--url', fromFile.url]);
    expect(report).toMatchObject({
      failed: [],
      mapped: [],
      kept: [],
      experiments: { created: 5, unchanged: 1 },
      runs: { created: 15 },
      models: { created: 4 },
      code: 0,
    });
    expect(report.leftOut).toEqual(
      expect.arrayContaining([expect.objectContaining({ what: 'prompts', count: 1 }), expect.objectContaining({ what: 'traces', count: 1 })]),
    );
    expect(report.notCopied).toEqual([expect.objectContaining({ where: 's3://a-bucket-of-nobody', things: 1 })]);
    const ours = await dump(fromFile.url, 'models:/pricing model@champion');
    expect(ours.loaded).toBe('LogisticRegression');
    expect(comparable(ours)).toEqual(comparable(theirs));
  });

  it('comes in whole from the server, seen by the real client', async () => {
    const report = await importFrom(url, ['--url', fromServer.url]);
    expect(report).toMatchObject({ failed: [], experiments: { created: 5, unchanged: 1 }, runs: { created: 15 }, loggedModels: { created: 7 }, code: 0 });
    expect(comparable(await dump(fromServer.url, 'models:/pricing model/1'))).toEqual(comparable(theirs));
  });

  it('a second import changes nothing', async () => {
    for (const [place, server] of [
      [database, fromFile],
      [url, fromServer],
    ] as const) {
      const report = await importFrom(place, ['--url', server.url]);
      expect(report).toMatchObject({ runs: { ...none, unchanged: 15 }, loggedModels: { ...none, unchanged: 7 }, models: { ...none, unchanged: 4 }, code: 0 });
      expect(report).toMatchObject({
        versions: { ...none, unchanged: 5 },
        aliases: { set: 0, removed: 0 },
        points: 0,
        files: { copied: 0 },
        kept: [],
        failed: [],
      });
      expect(comparable(await dump(server.url))).toEqual(comparable(theirs));
    }
  });

  it('what comes later there is added, and what was changed here stays', async () => {
    const { stdout } = await run('import_fill.py', url, join(folder, 'state.json'), 'more');
    const { later } = JSON.parse(stdout.trim().split('\n').at(-1) as string) as { later: string };
    expect(theirs.runs[later]).toBeUndefined();
    const { deleted } = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) as { deleted: string };
    const now = await dump(url);
    for (const [place, server] of [
      [database, fromFile],
      [url, fromServer],
    ] as const) {
      const report = await importFrom(place, ['--url', server.url]);
      expect(report).toMatchObject({
        experiments: { created: 1 },
        runs: { created: 1, updated: 2, unchanged: 13 },
        versions: { updated: 1 },
        aliases: { set: 1, removed: 1 },
      });
      expect(report).toMatchObject({ points: 51, failed: [], kept: [] });
      expect(comparable(await dump(server.url))).toEqual(comparable(now));
    }
    const patch = (body: object) =>
      fetch(`${fromFile.url}/api/binnacle/v1/runs/${deleted}`, {
        method: 'PATCH',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
    await patch({ lifecycleStage: 'active' });
    expect((await patch({ name: 'renamed here', tags: { mine: '1' } })).status).toBe(200);
    expect(await importFrom(database, ['--url', fromFile.url], '--recheck')).toMatchObject({ runs: { ...none, unchanged: 16 }, kept: [] });
    const changed = (await (await fetch(`${fromFile.url}/api/binnacle/v1/runs/${deleted}`)).json()) as {
      name: string;
      tags: Record<string, string>;
      lifecycleStage: string;
    };
    expect(changed).toMatchObject({ name: 'renamed here', lifecycleStage: 'active', tags: { mine: '1' } });
  });

  it('only the experiments that are asked for, and without files', async () => {
    const data = temporaryFolder('some');
    const report = await importFrom(url, ['--data', data], '--experiment', 'pricing', '--experiment', 'nowhere', '--no-artifacts');
    expect(report).toMatchObject({ experiments: { created: 1, failed: 1 }, runs: { created: 7 }, models: { created: 0 }, files: { copied: 0 }, code: 1 });
    // The files come when they are asked for.
    expect(await importFrom(url, ['--data', data], '--experiment', 'pricing')).toMatchObject({ files: { copied: 7 }, code: 0 });
    rmSync(data, { recursive: true });
  });

  it('killed in the middle, and done again, it is as if nothing had happened', async () => {
    const large = join(folder, 'large.db');
    copyFileSync(database, large);
    addRuns(large, 1500);
    const [killed, whole] = [await startServer(), await startServer()];
    for (let kills = 0, at = 200; kills < 3; kills++, at += 400) {
      const child = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', main, 'import', 'mlflow', large, '--artifacts', artifacts, '--url', killed.url],
        {
          env: environment,
          stdio: 'ignore',
        },
      );
      while ((await runCount(killed.url)) < at && child.exitCode === null) await sleep(20);
      expect(child.exitCode).toBeNull();
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const rest = await importFrom(large, ['--url', killed.url], '--artifacts', artifacts);
    expect(rest.failed).toEqual([]);
    expect(rest.runs.unchanged).toBeGreaterThan(100);
    expect(rest.runs.created + rest.runs.updated).toBeGreaterThan(100);
    await importFrom(large, ['--url', whole.url], '--artifacts', artifacts);
    expect(await allRuns(killed.url)).toEqual(await allRuns(whole.url));
    const series = async (server: string) =>
      (
        (await (await post(`${server}/api/binnacle/v1/runs/series`, { runIds: ['f'.repeat(32)], keys: ['long'], maxPoints: 100 })).json()) as {
          series: { total: number }[];
        }
      ).series;
    expect(await series(killed.url)).toEqual(await series(whole.url));
    expect((await series(killed.url))[0]?.total).toBe(60_000);
    expect(comparable(await withoutAdded(killed.url))).toEqual(comparable(await withoutAdded(whole.url)));
    expect((await importFrom(large, ['--url', killed.url], '--artifacts', artifacts)).runs).toMatchObject({ ...none, unchanged: 1517 });
    for (const server of [killed, whole]) {
      await server.stop();
      rmSync(server.dataDir, { recursive: true });
    }
  });

  it('runs that were logged offline, into a file, come in later', async () => {
    const offline = join(folder, 'offline');
    mkdirSync(offline);
    const code = `
import mlflow
mlflow.set_tracking_uri("sqlite:///offline.db")
mlflow.set_experiment("pricing")
with mlflow.start_run(run_name="on the train") as run:
    mlflow.log_metric("rmse", 0.5)
    mlflow.log_text("written offline", "note.txt")
print(run.info.run_id)`;
    const { stdout } = await promisify(execFile)(join(venv, 'python'), ['-c', code], { cwd: offline, env: environment });
    const runId = stdout.trim().split('\n').at(-1) as string;
    const report = await importFrom(join(offline, 'offline.db'), ['--url', fromServer.url]);
    // Its experiment is the one of that name, whatever the ids are.
    expect(report).toMatchObject({ runs: { created: 1 }, files: { copied: 1 }, failed: [], notCopied: [] });
    const note = await fetch(`${fromServer.url}/api/binnacle/v1/runs/${runId}/artifacts/content?path=note.txt`);
    expect(await note.text()).toBe('written offline');
    expect(await (await fetch(`${fromServer.url}/api/binnacle/v1/runs/${runId}`)).json()).toMatchObject({ experimentName: 'pricing', name: 'on the train' });
  });
});

const post = (target: string, body: object) => fetch(target, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });

async function* runPages(server: string): AsyncIterable<{ id: string }[]> {
  const { experiments } = (await (await fetch(`${server}/api/binnacle/v1/experiments?view=all`)).json()) as { experiments: { id: string }[] };
  for (let pageToken: string | undefined, first = true; first || pageToken !== undefined; first = false) {
    const body = { experimentIds: experiments.map(({ id }) => id), view: 'all', limit: 1000, ...(pageToken === undefined ? {} : { pageToken }) };
    const page = (await (await post(`${server}/api/binnacle/v1/runs/search`, body)).json()) as { runs: { id: string }[]; nextPageToken?: string };
    yield page.runs;
    pageToken = page.nextPageToken;
  }
}

async function allRuns(server: string): Promise<unknown[]> {
  const found: { id: string }[] = [];
  for await (const page of runPages(server)) found.push(...page);
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}
const runCount = async (server: string): Promise<number> => (await allRuns(server)).length;

/** What the client sees of the rest: the added ones are compared above, page by page. */
async function withoutAdded(server: string): Promise<Dump> {
  const { experiments } = (await (await fetch(`${server}/api/binnacle/v1/experiments?q=added`)).json()) as { experiments: { id: string }[] };
  for (const { id } of experiments) await post(`${server}/api/2.0/mlflow/experiments/update`, { experiment_id: id, new_name: 'added later' });
  return dump(server);
}

/** Many runs in an experiment of their own, and one with a long series, as MLflow writes them. */
function addRuns(file: string, count: number): void {
  const db = new DatabaseSync(file);
  db.exec('begin');
  db.exec(
    "insert into experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time) values (900, 'added', 'mlflow-artifacts:/900', 'deleted', 1, 1)",
  );
  const addRun = db.prepare(
    "insert into runs (run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id) values (?, ?, 'LOCAL', 'u', 'FINISHED', ?, ?, 'active', ?, 900)",
  );
  const addMetric = db.prepare('insert into metrics (key, value, timestamp, run_uuid, step, is_nan) values (?, ?, ?, ?, ?, 0)');
  const addParam = db.prepare('insert into params (key, value, run_uuid) values (?, ?, ?)');
  for (let i = 0; i <= count; i++) {
    const id = i === count ? 'f'.repeat(32) : `e${i.toString(16).padStart(31, '0')}`;
    addRun.run(id, `added ${i}`, 1000 + i, 2000 + i, `mlflow-artifacts:/900/${id}/artifacts`);
    addParam.run('i', String(i), id);
    for (let step = 0; step < 20; step++) addMetric.run('m', step / (i + 1), step, id, step);
  }
  for (let step = 0; step < 60_000; step++) addMetric.run('long', Math.sin(step), step, 'f'.repeat(32), step);
  db.exec('commit');
  db.close();
}
