import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, storeProxy } from '../../src/adapters/sql/index.ts';
import { createTrackingService, type TrackingStore } from '../../src/tracking/index.ts';
import type { MoveReport } from '../../src/upkeep/index.ts';
import { type DatabaseProcess, startMariadb, startPostgres } from '../adapters/database-servers.ts';
import { binnacle, startServer, temporaryFolder } from '../support/server.ts';

const python = process.env.BINNACLE_PYTHON ?? fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));
const fluent = fileURLToPath(new URL('../protocols/python/fluent.py', import.meta.url));
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const POINTS = 10_000;

interface Moved {
  code: number | null;
  stderr: string;
  report: MoveReport;
}

async function migrate(dataDir: string, from: string | undefined, to: string): Promise<Moved> {
  const { code, stdout, stderr } = await binnacle(['migrate', '--json', '--data', dataDir], {
    env: { BINNACLE_MIGRATE_TO: to, ...(from === undefined ? {} : { BINNACLE_DATABASE: from }) },
  });
  return { code, stderr, report: (stdout === '' ? {} : JSON.parse(stdout)) as MoveReport };
}
const proof = ({ report }: Moved) => Object.fromEntries(report.tables.map(({ table, rows, checksum }) => [table, `${rows} ${checksum}`]));

/** Runs whose names and values are of every kind that a database could get wrong. */
async function fillStrange(url: string): Promise<string> {
  const post = async <T>(path: string, body: object): Promise<T> => {
    const reply = await fetch(`${url}/api/2.0/mlflow/${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
    const answer = await reply.text();
    if (!reply.ok) throw new Error(answer);
    return JSON.parse(answer) as T;
  };
  const names = [
    'a',
    'A',
    'a ',
    'ä',
    'a\u0308',
    'ß',
    'ss',
    'SS',
    'ı',
    'İ',
    'ﬀ',
    '√∑',
    '🦀🏳️‍🌈',
    'مرحبا',
    '日本語',
    `\\' % _ "; --`,
    'e\u0301',
    'é',
    '\u200b',
    'a\u00a0',
  ];
  for (const name of names) await post('experiments/create', { name });
  const { experiment_id } = await post<{ experiment_id: string }>('experiments/create', { name: 'strange' });
  const create = async (run_name: string) =>
    (await post<{ run: { info: { run_id: string } } }>('runs/create', { experiment_id, run_name, start_time: 1 })).run.info.run_id;
  const run_id = await create('values');
  const values = [0, -0, 1e-323, 5e-324, 1.7976931348623157e308, 9.234567890123456, 0.1 + 0.2, 'NaN', 'Infinity', '-Infinity', 2 ** 53 + 2, -1e21, 1e22, 1 / 3];
  const timestamp = 1_700_000_000_000;
  await post('runs/log-batch', { run_id, metrics: values.map((value, i) => ({ key: `m${i}`, value, step: i, timestamp })) });
  await post('runs/log-batch', { run_id, metrics: values.map((value, i) => ({ key: 'all', value, step: i - 7, timestamp })) });
  for (let at = 0; at < POINTS; at += 1000)
    await post('runs/log-batch', {
      run_id,
      metrics: Array.from({ length: 1000 }, (_, i) => ({ key: 'long', value: Math.sin(at + i), step: at + i, timestamp: timestamp + at + i })),
    });
  await post('runs/log-batch', {
    run_id,
    params: [...names.map((name, i) => ({ key: `p${i}`, value: name })), { key: 'long', value: `${'é'.repeat(249)}🦀${'x'.repeat(5000)}` }],
    tags: names.map((name, i) => ({ key: `t${i}`, value: `${name}\n\r\t\u001f` })),
  });
  await post('runs/log-metric', { run_id, key: 'far', value: 1, step: Number.MAX_SAFE_INTEGER, timestamp: 1 });
  const native = async (method: string, path: string, body: object) => {
    const reply = await fetch(`${url}/api/binnacle/v1${path}`, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
    expect(reply.ok, await reply.text()).toBe(true);
  };
  await native('POST', `/runs/${run_id}/log`, {
    metrics: [0.1, 1 / 3, 9.234567890123456, 1e15 + 0.3, -2.5].map((step) => ({ key: 'fractions', value: step, step })),
    strings: [{ key: 'said', value: `${names.join('\n')}${'x'.repeat(100_000)}`, step: 0.5 }],
    histograms: [{ key: 'bins', edges: [0, 0.1, 0.3], counts: [1, 2.5], step: 1 }],
  });
  await native('POST', '/runs', { experimentId: experiment_id, name: 'fork', fork: { runId: run_id, step: 0.25 } });
  await native('PUT', `/experiments/${experiment_id}/views/${encodeURIComponent('mine ä')}`, { state: { columns: names } });
  await post('runs/delete', { run_id: await create('deleted') });
  await post('registered-models/create', { name: 'STRANGE ä', description: 'x'.repeat(70_000), tags: [{ key: 'k', value: '' }] });
  // The last number that was given is gone, and must not be given again.
  const last = await post<{ experiment_id: string }>('experiments/create', { name: 'to be gone' });
  await post('experiments/delete', { experiment_id: last.experiment_id });
  const { code, stderr } = await binnacle(['gc', '--older-than', '0', '--yes', '--url', url]);
  expect(code, stderr).toBe(0);
  return last.experiment_id;
}

/** Counts rows beside the one that writes them; -2 for a table that is not there. */
async function asker(url: string): Promise<{ count(table: string): Promise<number>; close(): Promise<void> }> {
  const number = (rows: unknown) => Number((rows as { n: number | string }[])[0]?.n);
  const statement = (table: string) => `select count(*) as n from ${table}`;
  if (url.startsWith('postgres')) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const count = async (table: string) => number((await client.query(statement(table))).rows);
    return { count: (table) => count(table).catch(() => -2), close: () => client.end() };
  }
  const client = await mysql.createConnection(url);
  const count = async (table: string) => number((await client.query(statement(table)))[0]);
  return { count: (table) => count(table).catch(() => -2), close: () => client.end() };
}

/** What the server says of all that it holds; what depends on the clock is left out. */
async function answersOf(url: string): Promise<Record<string, unknown>> {
  const ask = async (path: string, body?: object) => {
    const reply = await fetch(
      `${url}${path}`,
      body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
    );
    expect(reply.status, path).toBe(200);
    return (await reply.json()) as Record<string, unknown>;
  };
  const mlflow = '/api/2.0/mlflow';
  const { experiments } = (await ask(`${mlflow}/experiments/search`, { max_results: 1000, view_type: 'ALL' })) as {
    experiments: { experiment_id: string; name: string }[];
  };
  const experiment_ids = experiments.map(({ experiment_id }) => experiment_id);
  const { runs } = (await ask(`${mlflow}/runs/search`, { experiment_ids, max_results: 1000, run_view_type: 'ALL' })) as {
    runs: { info: { run_id: string; run_name: string }; data: { metrics?: { key: string }[] } }[];
  };
  const histories: Record<string, unknown> = {};
  for (const { info, data } of runs)
    for (const { key } of (data.metrics ?? []).slice(0, 20))
      histories[`${info.run_id} ${key}`] = await ask(`${mlflow}/metrics/get-history?run_id=${info.run_id}&metric_key=${encodeURIComponent(key)}`);
  const answers: Record<string, unknown> = {
    experiments,
    runs,
    histories,
    models: await ask(`${mlflow}/registered-models/search?max_results=1000`),
    versions: await ask(`${mlflow}/model-versions/search?max_results=1000`),
    logged: await ask(`${mlflow}/logged-models/search`, { experiment_ids: experiment_ids.slice(0, 50), max_results: 50 }),
    ordered: await ask(`${mlflow}/runs/search`, { experiment_ids, max_results: 1000, order_by: ['metrics.all DESC', 'params.p3', 'attributes.run_name'] }),
  };
  const strange = experiments.find(({ name }) => name === 'strange')?.experiment_id;
  for (const path of ['batch', 'alarms', 'models', `experiments/${strange}/views`]) answers[path] = await ask(`/api/binnacle/v1/${path}`);
  for (const path of ['endpoints', 'monitors']) {
    const { items = [] } = (await ask(`/api/binnacle/v1/${path}`)) as { items?: Record<string, unknown>[] };
    answers[path] = items.map(({ name, endpoint, model, traffic, predictions, errors, labelled, firstAt, lastAt }) => [
      [name, endpoint, model, predictions, errors, labelled, firstAt, lastAt],
      (traffic as Record<string, unknown>[] | undefined)?.map(({ version, alias, weight, shadow }) => ({ version, alias, weight, shadow })),
    ]);
  }
  return answers;
}

describe('all of a real data directory goes from SQLite to PostgreSQL, MariaDB and back', () => {
  let postgres: DatabaseProcess;
  let mariadb: DatabaseProcess;
  const dataDir = temporaryFolder('migrate');
  const folders = [dataDir];
  let gone = '';
  beforeAll(async () => {
    postgres = await startPostgres();
    mariadb = await startMariadb();
    const demo = await binnacle(['demo', '--exit', '--data', dataDir], { env: { CI: 'true' } });
    expect(demo.code, demo.stderr).toBe(0);
    const server = await startServer({ data: dataDir });
    if (existsSync(python)) {
      const cwd = mkdtempSync(join(tmpdir(), 'binnacle-python-'));
      await promisify(execFile)(python, [fluent, server.url, 'moved'], { cwd, maxBuffer: 64 * 1024 * 1024 });
      rmSync(cwd, { recursive: true, force: true });
    }
    gone = await fillStrange(server.url);
    // A backup seals the prediction log.
    await (await fetch(`${server.url}/api/binnacle/v1/backup`, { method: 'POST' })).arrayBuffer();
    await server.stop();
  }, 900_000);
  afterAll(async () => {
    await postgres?.stop();
    await mariadb?.stop();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  it('with equal checksums on each, answers the same from each, and gives no number twice', async () => {
    const [onPostgres, onMariadb] = [postgres.createDatabase(), mariadb.createDatabase()];
    const back = temporaryFolder('migrated');
    folders.push(back);
    const first = await migrate(dataDir, undefined, onPostgres);
    expect(first.code, first.stderr).toBe(0);
    expect(first.report).toMatchObject({ equal: true, resumed: false, copied: first.report.rows });
    expect(first.stderr).not.toContain('pass@word');
    expect(first.stderr).not.toContain('pass%40word');
    const filled = first.report.tables.filter(({ rows }) => rows > 0).map(({ table }) => table);
    for (const table of [
      'runs',
      'metric_chunks',
      'latest_metrics',
      'model_versions',
      'endpoints',
      'batch_chunks',
      'monitor_buckets',
      'training_profiles',
      'log_segments',
      'series_entries',
      'saved_views',
    ])
      expect(filled).toContain(table);
    if (existsSync(python)) expect(filled).toContain('logged_models');
    const second = await migrate(dataDir, onPostgres, onMariadb);
    const third = await migrate(dataDir, onMariadb, `sqlite:${join(back, 'binnacle.db')}`);
    expect(second.code, second.stderr).toBe(0);
    expect(third.code, third.stderr).toBe(0);
    expect(proof(second)).toEqual(proof(first));
    expect(proof(third)).toEqual(proof(first));
    // Once more, and nothing is left to do but the proof.
    const again = await migrate(dataDir, undefined, onPostgres);
    expect(again.report).toMatchObject({ equal: true, already: true, copied: 0 });
    expect(proof(again)).toEqual(proof(first));

    for (const name of ['artifacts', 'monitoring', 'tables'])
      if (existsSync(join(dataDir, name))) cpSync(join(dataDir, name), join(back, name), { recursive: true });
    const answers: Record<string, unknown>[] = [];
    for (const [data, database] of [
      [dataDir, undefined],
      [dataDir, onPostgres],
      [dataDir, onMariadb],
      [back, undefined],
    ] as const) {
      const server = await startServer({ data, ...(database === undefined ? {} : { env: { BINNACLE_DATABASE: database } }) });
      answers.push(await answersOf(server.url));
      const created = await fetch(`${server.url}/api/2.0/mlflow/experiments/create`, { method: 'POST', body: JSON.stringify({ name: 'after' }) });
      expect(Number(((await created.json()) as { experiment_id: string }).experiment_id)).toBe(Number(gone) + 1);
      await server.stop();
    }
    const [original, ...others] = answers as [Record<string, unknown>, ...Record<string, unknown>[]];
    for (const other of others) for (const [what, said] of Object.entries(original)) expect(other[what], what).toEqual(said);

    // It has been used since, and is not written to.
    const late = await migrate(dataDir, undefined, onPostgres);
    expect(late.code).toBe(1);
    expect(late.stderr).toMatch(/different: experiments: id=\d+/);
  });

  it.each([
    ['PostgreSQL', () => postgres],
    ['MariaDB', () => mariadb],
  ] as const)('killed again and again on its way to %s, it ends the same; no server starts on the half', async (_name, server) => {
    const url = server().createDatabase();
    const ask = await asker(url);
    // Before the schema, within it, and in the middle of tables.
    for (const [table, rows] of [
      ['binnacle_move', 0],
      ['run_keys', -1],
      ['experiments', 1],
      ['metric_chunks', 0],
      ['run_params', 0],
    ] as const) {
      const child: ChildProcess = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', main, 'migrate', '--json', '--data', dataDir, '--to', url],
        {
          stdio: 'ignore',
          env: { ...process.env, BINNACLE_DATABASE: '' },
        },
      );
      const ended = once(child, 'exit');
      while (child.exitCode === null && !((await ask.count(table)) > rows)) await new Promise((resolve) => setTimeout(resolve, 3));
      child.kill('SIGKILL');
      expect(await ended).toEqual([null, 'SIGKILL']);
    }
    await ask.close();
    const half = await openDatabase({ url, file: 'not used' }).then(
      (engine) => engine.close().then(() => 'opened'),
      (error: { code?: string }) => error.code,
    );
    expect(half).toBe('migration_unfinished');
    const other = temporaryFolder('other');
    folders.push(other);
    await (await startServer({ data: other })).stop();
    const refused = await migrate(other, undefined, url);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('half filled from another database');
    const end = await migrate(dataDir, undefined, url);
    expect(end.code, end.stderr).toBe(0);
    expect(end.report).toMatchObject({ equal: true, resumed: true });
  });
});

describe.each([
  ['PostgreSQL', startPostgres],
  ['MariaDB', startMariadb],
] as const)('with %s', (name, start) => {
  let server: DatabaseProcess;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());
  const sourceOf = async () => {
    const dataDir = temporaryFolder('source');
    const running = await startServer({ data: dataDir });
    await running.stop();
    return dataDir;
  };

  it('a server on either side is in the way, and one does not start meanwhile', async () => {
    const dataDir = await sourceOf();
    const url = server.createDatabase();
    const engine = await openDatabase({ url, file: 'not used' });
    const [to, from] = await Promise.all([migrate(dataDir, undefined, url), migrate(dataDir, url, `sqlite:${join(temporaryFolder('unused'), 'binnacle.db')}`)]);
    for (const { code, stderr } of [to, from]) {
      expect(code).toBe(1);
      expect(stderr).toContain('A Binnacle is working on');
    }
    await engine.close();
    const running = await startServer({ data: dataDir });
    const owned = await migrate(dataDir, undefined, url);
    expect(owned.stderr).toContain('is in use by');
    await running.stop();
    expect((await migrate(dataDir, undefined, url)).report).toMatchObject({ equal: true, resumed: false });
  });

  it("somebody else's tables are left alone, and what a database cannot hold is said before anything is moved", async () => {
    const dataDir = await sourceOf();
    const used = server.createDatabase();
    const engine = await openDatabase({ url: used, file: 'not used' });
    await createTrackingService({ store: storeProxy<TrackingStore>(engine, 'tracking') }).createExperiment({ name: 'mine' });
    await engine.close();
    const refused = await migrate(dataDir, undefined, used);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('2 rows in experiments');

    const db = new DatabaseSync(join(dataDir, 'binnacle.db'));
    db.prepare("insert into experiment_tags (experiment_id, tag_key, tag_value) values (0, ?, 'x')").run('k'.repeat(300));
    db.prepare("insert into experiment_tags (experiment_id, tag_key, tag_value) values (0, 'nul', ?)").run('a\0b');
    db.prepare('update experiments set created_at = 1.5').run();
    db.close();
    const url = server.createDatabase();
    const unfit = await migrate(dataDir, undefined, url);
    expect(unfit.code).toBe(1);
    expect(unfit.stderr).toContain('has 300 characters and the column holds 250');
    expect(unfit.stderr).toContain('experiments.created_at of id=0 is not a whole number');
    if (name === 'PostgreSQL') expect(unfit.stderr).toContain('experiment_tags.tag_value of experiment_id=0, tag_key="nul" has the character U+0000');
    // Nothing was made there, so another source may have it.
    expect((await migrate(await sourceOf(), undefined, url)).report).toMatchObject({ equal: true, resumed: false });
  });
});
