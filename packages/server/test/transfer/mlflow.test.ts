import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { MlflowReport } from '../../src/transfer/index.ts';
import { binnacle, type RunningServer, startServer, temporaryFolder } from '../support/server.ts';

// Each test starts the command line several times, beside whatever else the machine does.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
const folder = temporaryFolder('mlflow-db');
let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
  rmSync(server.dataDir, { recursive: true });
  rmSync(folder, { recursive: true });
});

const T = 1_700_000_000_000;
let files = 0;
const runId = (n: number): string => n.toString(16).padStart(32, 'a');

/** A database as MLflow 1.30 wrote it: no datasets, logged models, aliases, run names of their own, nor workspaces. */
function oldDatabase(): { file: string; db: DatabaseSync; insert(table: string, row: Record<string, SQLInputValue>): void } {
  const file = join(folder, `old-${++files}`, 'mlflow.db');
  mkdirSync(dirname(file));
  const db = new DatabaseSync(file);
  db.exec(`
    create table experiments (experiment_id integer not null primary key, name varchar(256) not null unique, artifact_location varchar(256), lifecycle_stage varchar(32));
    create table experiment_tags ("key" varchar(250) not null, value varchar(5000), experiment_id integer not null, primary key ("key", experiment_id));
    create table runs (run_uuid varchar(32) not null primary key, name varchar(250), source_type varchar(20), source_name varchar(500), entry_point_name varchar(50), user_id varchar(256),
      status varchar(9), start_time bigint, end_time bigint, source_version varchar(50), lifecycle_stage varchar(20), artifact_uri varchar(200), experiment_id integer);
    create table metrics ("key" varchar(250) not null, value float not null, timestamp bigint not null, run_uuid varchar(32) not null, step bigint default '0' not null,
      is_nan boolean default '0' not null, primary key ("key", timestamp, step, run_uuid, value, is_nan));
    create table params ("key" varchar(250) not null, value varchar(500) not null, run_uuid varchar(32) not null, primary key ("key", run_uuid));
    create table tags ("key" varchar(250) not null, value varchar(5000), run_uuid varchar(32) not null, primary key ("key", run_uuid));
    create table registered_models (name varchar(256) not null primary key, creation_time bigint, last_updated_time bigint, description varchar(5000));
    create table model_versions (name varchar(256) not null, version integer not null, creation_time bigint, last_updated_time bigint, description varchar(5000), user_id varchar(256),
      current_stage varchar(20), source varchar(500), run_id varchar(32), status varchar(20), status_message varchar(500), run_link varchar(500), primary key (name, version));
    create table alembic_version (version_num varchar(32) not null);
  `);
  const insert = (table: string, row: Record<string, SQLInputValue>) =>
    void db
      .prepare(`insert into ${table} (${Object.keys(row).map((name) => `"${name}"`)}) values (${Object.keys(row).map(() => '?')})`)
      .run(...Object.values(row));
  return { file, db, insert };
}

const experiment = (id: number, name: string, location = `mlflow-artifacts:/${id}`) => ({
  experiment_id: id,
  name,
  artifact_location: location,
  lifecycle_stage: 'active',
});
const run = (id: number, experimentId: number, more: Record<string, SQLInputValue> = {}) => ({
  run_uuid: runId(id),
  name: '',
  user_id: 'ann',
  status: 'FINISHED',
  start_time: T,
  end_time: T + 1,
  lifecycle_stage: 'active',
  artifact_uri: `mlflow-artifacts:/${experimentId}/${runId(id)}/artifacts`,
  experiment_id: experimentId,
  ...more,
});

async function importFrom(place: string, ...options: string[]): Promise<MlflowReport & { code: number | null; stderr: string }> {
  const { stdout, stderr, code } = await binnacle(['import', 'mlflow', place, '--url', server.url, '--json', ...options]);
  return { ...((stdout === '' ? {} : JSON.parse(stdout)) as MlflowReport), code, stderr };
}

const api = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
  const reply = await fetch(`${server.url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return (await reply.json()) as Record<string, unknown>;
};
const getRun = (id: number) => api('GET', `/api/binnacle/v1/runs/${runId(id)}`);

it('a database of an old MLflow comes in', async () => {
  const { file, db, insert } = oldDatabase();
  insert('experiments', experiment(0, 'Default'));
  insert('experiments', experiment(700, 'old'));
  insert('experiment_tags', { key: 'team', value: 'a', experiment_id: 700 });
  insert('runs', run(1, 700));
  insert('tags', { key: 'mlflow.runName', value: 'named by a tag', run_uuid: runId(1) });
  insert('tags', { key: 'nothing', value: null, run_uuid: runId(1) });
  insert('params', { key: 'lr', value: '0.1', run_uuid: runId(1) });
  for (const [step, value, isNan] of [
    [0, 1, 0],
    [1, 0, 1],
    [2, Number.MAX_VALUE, 0],
  ] as const)
    insert('metrics', { key: 'm', value, timestamp: T + step, run_uuid: runId(1), step, is_nan: isNan });
  db.exec(`insert into metrics (key, value, timestamp, run_uuid, step, is_nan) values ('m', 1, 1, '${runId(1)}', 9007199254740993, 0)`);
  insert('registered_models', { name: 'old model', creation_time: T, last_updated_time: T + 1, description: null });
  const version = {
    name: 'old model',
    creation_time: T,
    last_updated_time: T + 1,
    current_stage: 'Production',
    source: `mlflow-artifacts:/700/${runId(1)}/artifacts/m`,
    run_id: runId(1),
    status: 'READY',
  };
  insert('model_versions', { ...version, version: 1 });
  insert('model_versions', { ...version, version: 2, current_stage: 'Deleted_Internal' });
  db.close();
  const report = await importFrom(file);
  expect(report).toMatchObject({
    failed: [],
    experiments: { created: 1, unchanged: 1 },
    runs: { created: 1 },
    models: { created: 1 },
    versions: { created: 1 },
    points: 3,
    code: 0,
  });
  expect(report.leftOut).toEqual([expect.objectContaining({ what: 'points of metrics', count: 1 })]);
  expect(await getRun(1)).toMatchObject({
    name: 'named by a tag',
    experimentId: '700',
    user: 'ann',
    params: { lr: '0.1' },
    tags: { nothing: '' },
    startedAt: T,
  });
  const { metrics } = (await api('GET', `/api/2.0/mlflow/metrics/get-history?run_id=${runId(1)}&metric_key=m`)) as { metrics: { value: unknown }[] };
  expect(metrics.map(({ value }) => String(value))).toEqual(['1', 'NaN', 'Infinity']);
  expect(await api('GET', '/api/binnacle/v1/models/old%20model/versions/1')).toMatchObject({ stage: 'Production', createdAt: T, source: version.source });
  // The number of the deleted version is not used again.
  const made = await api('POST', '/api/2.0/mlflow/model-versions/create', { name: 'old model', source: 's3://x/y' });
  expect(made).toMatchObject({ model_version: { version: '3' } });
});

describe('what cannot be read is refused, and said why', () => {
  const other = join(folder, 'other.db');
  const text = join(folder, 'text.db');
  beforeAll(() => {
    const db = new DatabaseSync(other);
    db.exec('create table t (a)');
    db.close();
    writeFileSync(text, 'not a database at all');
  });
  it.each([
    [join(folder, 'nowhere.db'), 'There is no file'],
    [folder, 'is read through its server'],
    [other, 'is no database of MLflow: it has no table experiments'],
    [text, 'is no SQLite database'],
    ['mysql+pymysql://user:secret@host/db', 'is read through its server'],
    ['http://127.0.0.1:1', 'does not answer'],
  ])('%s', async (place, message) => {
    const { code, stderr } = await importFrom(place);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('secret');
  });
  it('a server that is none', async () => {
    const { code, stderr } = await importFrom(`${server.url}/ui`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/no MLflow server|with 40\d/);
    const elsewhere = createServer((request, response) => void response.writeHead(request.url?.startsWith('/wrong') ? 404 : 200).end('<html></html>'));
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    for (const path of ['', '/wrong']) {
      const reply = await importFrom(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}${path}`);
      expect(reply).toMatchObject({ code: 1, stderr: expect.stringContaining("Name the URL under which MLflow's own UI opens.") });
    }
    elsewhere.close();
  });
});

it('what was changed on both sides stays as it is here, and is told; what was removed here is not brought back', async () => {
  const { file, db, insert } = oldDatabase();
  insert('experiments', experiment(710, 'both'));
  for (const id of [11, 12]) {
    insert('runs', run(id, 710));
    insert('tags', { key: 'owner', value: 'ann', run_uuid: runId(id) });
  }
  insert('registered_models', { name: 'both', creation_time: T, last_updated_time: T, description: 'there' });
  expect(await importFrom(file)).toMatchObject({ runs: { created: 2 }, models: { created: 1 } });

  await api('PATCH', `/api/binnacle/v1/runs/${runId(11)}`, { tags: { owner: 'here' } });
  await api('PATCH', '/api/binnacle/v1/models/both', { description: 'here' });
  await api('PATCH', `/api/binnacle/v1/runs/${runId(12)}`, { lifecycleStage: 'deleted' });
  await api('POST', '/api/binnacle/v1/gc', { olderThanSeconds: 0, dryRun: false });
  db.exec("update tags set value = 'there'; update registered_models set description = 'there now'");
  const report = await importFrom(file);
  expect(report).toMatchObject({ runs: { created: 0, removed: 1 }, code: 0 });
  expect(report.kept).toEqual([
    { what: `run ${runId(11)}`, fields: ['tag:owner'] },
    { what: 'registered model both', fields: ['description'] },
  ]);
  expect(await getRun(11)).toMatchObject({ tags: { owner: 'here' } });
  expect(await getRun(12)).toMatchObject({ status: 404 });
  expect(await importFrom(file)).toMatchObject({ kept: [], runs: { removed: 1, updated: 0 } });
  db.close();
});

it('what is in the way is told, and the rest comes in', async () => {
  const { file, db, insert } = oldDatabase();
  const { id: taken } = await api('POST', '/api/binnacle/v1/experiments', { name: 'taken' });
  insert('experiments', experiment(Number(taken), 'another of that id'));
  insert('runs', run(21, Number(taken)));
  insert('runs', run(22, Number(taken), { run_uuid: 'not an id / of a run' }));
  await api('POST', '/api/binnacle/v1/models', { name: 'ours' });
  for (const name of ['ours', 'theirs']) {
    insert('registered_models', { name, creation_time: T, last_updated_time: T, description: null });
    insert('model_versions', {
      name,
      version: 4,
      creation_time: T,
      last_updated_time: T,
      current_stage: 'None',
      source: '/somewhere/model',
      run_id: null,
      status: 'FAILED_REGISTRATION',
    });
  }
  db.close();
  const report = await importFrom(file);
  expect(report).toMatchObject({ code: 1, runs: { created: 1, failed: 1 }, models: { created: 1, failed: 1 }, versions: { created: 1 } });
  expect(report.failed).toEqual([
    { what: 'run not an id / of a run', message: expect.stringContaining('runId') },
    { what: 'registered model ours', message: expect.stringContaining('did not come by an import') },
  ]);
  expect(report.mapped).toEqual([{ experiment: 'another of that id', from: taken, to: expect.stringMatching(/^\d+$/) }]);
  expect(report.notes.map(({ what }) => what)).toEqual(['version 4 of theirs', 'version 4 of theirs']);
  expect(await getRun(21)).toMatchObject({ experimentName: 'another of that id' });
  expect(await api('GET', '/api/binnacle/v1/models/theirs/versions/4')).toMatchObject({ source: '/somewhere/model', servable: false });
});

it('files are taken from where they are now, from a folder of the run only, and links are not followed', async () => {
  const { file, db, insert } = oldDatabase();
  const moved = join(folder, 'moved');
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(moved, path)), { recursive: true });
    writeFileSync(join(moved, path), text);
  };
  insert('experiments', experiment(720, 'files', '/old/machine/mlruns/720'));
  put(`720/${runId(31)}/artifacts/größe/a b%.txt`, 'moved');
  put(`720/${runId(31)}/artifacts/empty`, '');
  symlinkSync('/etc/hostname', join(moved, `720/${runId(31)}/artifacts/link`));
  insert('runs', run(31, 720, { artifact_uri: `/old/machine/mlruns/720/${runId(31)}/artifacts` }));
  insert('runs', run(32, 720, { artifact_uri: '/etc' }));
  insert('runs', run(33, 720, { artifact_uri: `mlflow-artifacts:/../../../../etc/${runId(33)}` }));
  insert('runs', run(34, 720, { artifact_uri: `s3://bucket/720/${runId(34)}/artifacts` }));
  put(`720/${runId(35)}/artifacts/x.txt`, 'proxied');
  insert('runs', run(35, 720));
  db.close();
  const without = await importFrom(file);
  expect(without).toMatchObject({ runs: { created: 5 }, files: { copied: 0 }, code: 0 });
  expect(without.notCopied.length).toBeGreaterThan(2);
  const report = await importFrom(file, '--artifacts', moved);
  expect(report).toMatchObject({ runs: { updated: 2, failed: 0 }, files: { copied: 3, bytes: 12 }, code: 0 });
  const { files: entries } = (await api('GET', `/api/binnacle/v1/runs/${runId(31)}/artifacts`)) as { files: { path: string }[] };
  expect(entries.map(({ path }) => path)).toEqual(['empty', 'größe']);
  const text = await fetch(`${server.url}/api/binnacle/v1/runs/${runId(31)}/artifacts/content?path=${encodeURIComponent('größe/a b%.txt')}`);
  expect(await text.text()).toBe('moved');
  expect(await getRun(34)).toMatchObject({ artifactUri: `s3://bucket/720/${runId(34)}/artifacts` });
  expect(await importFrom(file, '--artifacts', moved)).toMatchObject({ runs: { unchanged: 5, updated: 0 }, files: { copied: 0 } });
});

it('another Binnacle is a server that can be read, too', async () => {
  const { id } = (await api('POST', '/api/binnacle/v1/runs', { experiment: 'to move', name: 'moves', params: { a: '1' } })) as { id: string };
  await api('POST', `/api/binnacle/v1/runs/${id}/log`, {
    metrics: Array.from({ length: 9000 }, (_, i) => ({ key: 'm', step: i, value: i / 3, timestamp: T + i })),
  });
  await fetch(
    `${server.url}/api/2.0/mlflow-artifacts/artifacts/${((await api('GET', `/api/binnacle/v1/runs/${id}`)).artifactUri as string).slice('mlflow-artifacts:/'.length)}/f.txt`,
    {
      method: 'PUT',
      body: 'content',
    },
  );
  const to = await startServer();
  const first = await binnacle(['import', 'mlflow', server.url, '--url', to.url, '--json', '--experiment', 'to move']);
  expect(JSON.parse(first.stdout)).toMatchObject({ runs: { created: 1 }, points: 9000, files: { copied: 1 }, failed: [] });
  // It is still running: what it has is looked at again.
  const again = await binnacle(['import', 'mlflow', server.url, '--url', to.url, '--json', '--experiment', 'to move']);
  expect(JSON.parse(again.stdout)).toMatchObject({ runs: { created: 0, updated: 0, unchanged: 1 }, points: 0, files: { copied: 0, there: 1 }, failed: [] });
  const moved = (await (await fetch(`${to.url}/api/binnacle/v1/runs/${id}`)).json()) as object;
  expect(moved).toMatchObject({ name: 'moves', status: 'RUNNING', params: { a: '1' }, metricKeys: 1 });
  await to.stop();
  rmSync(to.dataDir, { recursive: true });
});

/** A server behind something in between that meddles with the first request about files of that method: turns it away, or changes its first byte. */
async function behindProxy(target: string, method: 'GET' | 'PUT'): Promise<{ url: string; close(): void }> {
  let meddled = false;
  const proxy = createServer(async (request, response) => {
    const path = request.url ?? '/';
    const body: Buffer[] = await Array.fromAsync(request);
    if (!meddled && request.method === method && path.startsWith('/api/2.0/mlflow-artifacts/artifacts')) {
      meddled = true;
      if (method === 'GET') {
        response.writeHead(400).end('not now');
        return;
      }
      body[0]?.writeUInt8(0);
    }
    const reply = await fetch(`${target}${path}`, {
      method: request.method ?? 'GET',
      headers: { 'content-type': 'application/json' },
      ...(body.length === 0 ? {} : { body: Buffer.concat(body) }),
    });
    const digest = reply.headers.get('repr-digest');
    response.writeHead(reply.status, digest === null ? {} : { 'repr-digest': digest }).end(Buffer.from(await reply.arrayBuffer()));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, close: () => void proxy.close() };
}

it('one listing that fails is the failure of one run, whose files the next import brings', async () => {
  const ids = await Promise.all(
    Array.from({ length: 14 }, async () => {
      const { id, artifactUri } = (await api('POST', '/api/binnacle/v1/runs', { experiment: 'listed' })) as { id: string; artifactUri: string };
      const root = artifactUri.slice('mlflow-artifacts:/'.length);
      await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${root}/f.txt`, { method: 'PUT', body: 'content' });
      await api('PATCH', `/api/binnacle/v1/runs/${id}`, { status: 'FINISHED' });
      return id;
    }),
  );
  const to = await startServer();
  const proxy = await behindProxy(server.url, 'GET');
  const load = async (from: string) => {
    const { stdout } = await binnacle(['import', 'mlflow', from, '--url', to.url, '--json', '--experiment', 'listed']);
    return JSON.parse(stdout) as MlflowReport;
  };
  const first = await load(proxy.url);
  expect(first).toMatchObject({ runs: { created: ids.length }, files: { copied: ids.length - 1 }, failed: [] });
  expect(first.notCopied).toEqual([expect.objectContaining({ why: expect.stringContaining('not now') })]);
  proxy.close();
  expect(await load(server.url)).toMatchObject({ runs: { created: 0, updated: 1, unchanged: ids.length - 1 }, files: { copied: 1 }, notCopied: [] });
  expect(await load(server.url)).toMatchObject({ runs: { updated: 0, unchanged: ids.length }, files: { copied: 0, there: 0 } });
  await to.stop();
  rmSync(to.dataDir, { recursive: true });
});

it('a file that was changed on its way is no file, and the next import brings it', async () => {
  const { id, artifactUri } = (await api('POST', '/api/binnacle/v1/runs', { experiment: 'changed' })) as { id: string; artifactUri: string };
  const place = `${artifactUri.slice('mlflow-artifacts:/'.length)}/f.txt`;
  await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${place}`, { method: 'PUT', body: 'content' });
  const to = await startServer();
  const proxy = await behindProxy(to.url, 'PUT');
  const load = async (url: string) => {
    const { stdout } = await binnacle(['import', 'mlflow', server.url, '--url', url, '--json', '--experiment', 'changed']);
    return JSON.parse(stdout) as MlflowReport;
  };
  expect((await load(proxy.url)).failed).toEqual([expect.objectContaining({ message: expect.stringContaining('not what was sent') })]);
  proxy.close();
  expect(await load(to.url)).toMatchObject({ files: { copied: 1, there: 0 }, failed: [] });
  const content = await fetch(`${to.url}/api/binnacle/v1/runs/${id}/artifacts/content?path=f.txt`);
  expect(await content.text()).toBe('content');
  await to.stop();
  rmSync(to.dataDir, { recursive: true });
});

it('a version that came before its files takes them when they are here', async () => {
  const { file, db, insert } = oldDatabase();
  const artifacts = join(folder, 'later');
  const source = `/old/machine/mlruns/730/${runId(41)}/artifacts/m`;
  insert('experiments', experiment(730, 'later', '/old/machine/mlruns/730'));
  insert('registered_models', { name: 'later', creation_time: T, last_updated_time: T, description: null });
  const version = { name: 'later', version: 1, creation_time: T, last_updated_time: T, current_stage: 'None', status: 'READY' };
  insert('model_versions', { ...version, source, run_id: runId(41) });
  const first = await importFrom(file, '--artifacts', artifacts);
  expect(first).toMatchObject({ versions: { created: 1 }, failed: [] });
  expect(first.notes).toEqual([{ what: 'version 1 of later', message: expect.stringContaining('was not found here') }]);
  insert('runs', run(41, 730, { artifact_uri: `/old/machine/mlruns/730/${runId(41)}/artifacts` }));
  db.close();
  mkdirSync(join(artifacts, `730/${runId(41)}/artifacts/m`), { recursive: true });
  writeFileSync(join(artifacts, `730/${runId(41)}/artifacts/m/MLmodel`), 'flavors:\n  sklearn: {}\n');
  expect(await importFrom(file, '--artifacts', artifacts)).toMatchObject({ runs: { created: 1 }, versions: { updated: 1 }, notes: [], failed: [] });
  expect(await api('GET', '/api/binnacle/v1/models/later/versions/1')).toMatchObject({
    source: `mlflow-artifacts:/730/${runId(41)}/artifacts/m`,
    flavors: ['sklearn'],
  });
  expect(await importFrom(file, '--artifacts', artifacts)).toMatchObject({ versions: { updated: 0, unchanged: 1 }, notes: [] });
});
