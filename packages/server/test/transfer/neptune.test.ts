import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createClient } from '@binnacle/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDuckDb } from '../../src/adapters/duckdb/index.ts';
import { trackerKey } from '../../src/transfer/names.ts';
import { stepOf } from '../../src/transfer/neptune-steps.ts';
import { binnacle, type RunningServer, startServer, temporaryFolder } from '../support/server.ts';

type Row = { path: string; type: string; step?: string; ms?: number; column?: string; value?: string };
const q = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Writes parts as neptune-exporter does: its columns, its types, Snappy. `value` is SQL. */
async function exportRun(data: string, project: string, run: string, parts: Row[][], ids: { project?: string; run?: string } = {}): Promise<void> {
  mkdirSync(join(data, project), { recursive: true });
  const db = await openDuckDb();
  const connection = await db.connect();
  await connection.run("SET TimeZone = 'UTC'");
  for (const [n, rows] of parts.entries()) {
    await connection.run(`CREATE OR REPLACE TABLE part (project_id VARCHAR, run_id VARCHAR, attribute_path VARCHAR, attribute_type VARCHAR, step DECIMAL(18,6), timestamp TIMESTAMPTZ,
      int_value BIGINT, float_value DOUBLE, string_value VARCHAR, bool_value BOOLEAN, datetime_value TIMESTAMPTZ, string_set_value VARCHAR[], file_value STRUCT(path VARCHAR),
      histogram_value STRUCT(type VARCHAR, edges DOUBLE[], "values" DOUBLE[]))`);
    for (const { path, type, step, ms, column, value } of rows)
      await connection.run(
        `INSERT INTO part (project_id, run_id, attribute_path, attribute_type, step, timestamp, ${column ?? `${type.replace(/_series$/, '')}_value`}) VALUES (${q(ids.project ?? project)}, ${q(ids.run ?? run)}, ${q(path)}, ${q(type)}, ${step ?? 'NULL'}, ${ms === undefined ? 'NULL' : `make_timestamptz(${ms}000)`}, ${value})`,
      );
    await connection.run(`COPY part TO ${q(join(data, project, `${run}_part_${n}.parquet`))} (FORMAT parquet, COMPRESSION snappy)`);
  }
  connection.closeSync();
  db.close();
}

const T = 1_700_000_000_000;
const common = (id: string): Row[] => [
  { path: 'sys/custom_run_id', type: 'string', value: q(id) },
  { path: 'sys/name', type: 'string', value: q('an experiment') },
  { path: 'sys/creation_time', type: 'datetime', value: `make_timestamptz(${T}000)` },
];

let server: RunningServer;
const root = temporaryFolder('neptune');
const [data, files] = [join(root, 'data'), join(root, 'files')];
beforeAll(async () => {
  const file = (path: string, text: string) => {
    mkdirSync(dirname(join(files, 'org_proj', path)), { recursive: true });
    writeFileSync(join(files, 'org_proj', path), text);
  };
  file('RUN-2/model/weights.bin', 'weights');
  file('RUN-2/images/0.png', 'image 0');
  file('RUN-2/source/main.py', 'main');
  file('RUN-2/source/lib/a.py', 'a');
  file('RUN-2/data.json', 'artifact');
  writeFileSync(join(root, 'secret'), 'not yours');
  const ids = { project: 'org/proj' };
  await exportRun(
    data,
    'org_proj',
    'a-child',
    [
      [...common('child'), { path: 'sys/forking/parent', type: 'string', value: q('parent') }, { path: 'sys/forking/step', type: 'float', value: '2.5' }],
      [{ path: 'train/loss', type: 'float_series', step: '3', ms: T + 3000, value: '0.25' }],
    ],
    { ...ids, run: 'RUN-1' },
  );
  await exportRun(
    data,
    'org_proj',
    'parent',
    [
      [
        ...common('parent'),
        { path: 'sys/modification_time', type: 'datetime', value: `make_timestamptz(${T + 9000}000)` },
        { path: 'sys/description', type: 'string', value: q('a note') },
        { path: 'sys/tags', type: 'string_set', value: "['x', 'ü']" },
        { path: 'config/lr', type: 'float', value: '0.001' },
        { path: 'config/layers', type: 'int', value: '9007199254740993' },
        { path: 'config/opt', type: 'string', value: q('adam') },
        { path: 'config/amp', type: 'bool', value: 'true' },
        { path: 'config/since', type: 'datetime', value: `make_timestamptz(${T}500)` },
        { path: 'config/long', type: 'string', value: `repeat('ä', 7000)` },
        { path: 'a[0]', type: 'string', value: q('odd name') },
        { path: 'model/weights', type: 'file', value: "{'path': 'RUN-2/model/weights.bin'}" },
        { path: 'model/lost', type: 'file', value: "{'path': 'RUN-2/lost.bin'}" },
        { path: 'model/evil', type: 'file', value: "{'path': '../../secret'}" },
        { path: 'source', type: 'file_set', column: 'file_value', value: "{'path': 'org_proj/RUN-2/source'}" },
        { path: 'data', type: 'artifact', column: 'file_value', value: "{'path': 'org_proj/RUN-2/data.json'}" },
        { path: 'odd', type: 'rocket', column: 'string_value', value: q('?') },
      ],
      [
        ...[0, 1, 2].map((i): Row => ({ path: 'train/loss', type: 'float_series', step: String(i), ms: T + i * 1000, value: String(1 / (i + 1)) })),
        { path: 'train/loss', type: 'float_series', step: '3', ms: T + 3000, value: "'NaN'::DOUBLE" },
        ...['0.5', '1.25', '2'].map((step, i): Row => ({ path: 'val/loss', type: 'float_series', step, ms: T + i, value: String(i) })),
        ...['0', '0.000001'].map((step): Row => ({ path: 'log/stdout', type: 'string_series', step, ms: T, value: q(`line ${step}\n"quoted"`) })),
        { path: 'val/loss', type: 'float_series', step: '999999999999.000001', ms: T + 9, value: '9' },
        { path: 'log/stdout', type: 'string_series', step: '5', ms: T, value: `repeat('x', 1048577)` },
        { path: 'weights/hist', type: 'histogram_series', step: '1', ms: T, value: "{'type': 'COUNTING', 'edges': [0, 0.5, 1], 'values': [3, 4]}" },
        { path: 'weights/hist', type: 'histogram_series', step: '2.5', ms: T, value: "{'type': 'COUNTING', 'edges': [0, 0, 1], 'values': [3, 4]}" },
        { path: 'images', type: 'file_series', step: '1', ms: T, value: "{'path': 'RUN-2/images/0.png'}" },
      ],
    ],
    { ...ids, run: 'RUN-2' },
  );
  await exportRun(data, 'org_proj', 'unfinished', [[], common('unfinished')], ids);
  rmSync(join(data, 'org_proj', 'unfinished_part_0.parquet'));
  writeFileSync(join(data, 'org_proj', 'begun_part_0.parquet.tmp'), 'half of it');
  server = await startServer();
}, 60_000);
afterAll(() => server?.stop());

const run = async (...args: string[]) => {
  const result = await binnacle(['import', 'neptune', data, '--files', files, '--json', '--url', server.url, ...args]);
  expect(result.stderr).not.toContain('error:');
  return { code: result.code, report: JSON.parse(result.stdout) as { notes: { attribute: string; what: string }[] } & Record<string, unknown> };
};
const post = async <T>(path: string, body: unknown) =>
  (await (
    await fetch(`${server.url}/api/2.0/mlflow/${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  ).json()) as T;
const get = async <T>(path: string) => (await (await fetch(`${server.url}/api/2.0/mlflow/${path}`)).json()) as T;
interface Run {
  info: { run_id: string; run_name: string; status: string; start_time: number; end_time: number; artifact_uri: string };
  data: { params?: { key: string; value: string }[]; tags?: { key: string; value: string }[] };
}
async function imported(): Promise<Record<string, Run>> {
  const { experiments = [] } = await post<{ experiments?: { experiment_id: string }[] }>('experiments/search', {
    filter: "name = 'org/proj'",
    max_results: 10,
  });
  if (experiments.length === 0) return {};
  const { runs = [] } = await post<{ runs?: Run[] }>('runs/search', { experiment_ids: experiments.map((e) => e.experiment_id), max_results: 100 });
  return Object.fromEntries(runs.map((r) => [r.info.run_name, r]));
}
const of = (list: { key: string; value: string }[] | undefined) => Object.fromEntries((list ?? []).map(({ key, value }) => [key, value]));
const history = async (id: string, key: string) =>
  (
    await get<{ metrics?: { step: number; value: number | string; timestamp: number }[] }>(
      `metrics/get-history?run_id=${id}&metric_key=${encodeURIComponent(key)}`,
    )
  ).metrics ?? [];
const artifact = async ({ info }: Run, path: string) =>
  (await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${info.artifact_uri.replace(/^mlflow-artifacts:\/*/, '')}/${path}`)).text();

it('says what it would import, and imports nothing', async () => {
  const { code, report } = await run('--dry-run');
  expect(code).toBe(0);
  expect(report).toMatchObject({
    dryRun: true,
    runs: 2,
    imported: 2,
    forks: 1,
    models: 0,
    versions: 0,
    failed: [],
    incomplete: [{ run: 'begun' }, { run: 'unfinished' }],
    points: 9,
    entries: 6,
  });
  expect(await imported()).toEqual({});
}, 30_000);

it('carries over every type, exactly, and says what it did not', async () => {
  const { code, report } = await run();
  expect(code).toBe(0);
  expect(report).toMatchObject({
    runs: 2,
    imported: 2,
    unchanged: 0,
    forks: 1,
    points: 9,
    entries: 6,
    models: 0,
    versions: 0,
    incomplete: [{ run: 'begun' }, { run: 'unfinished' }],
    failed: [],
  });
  const { parent, child } = (await imported()) as { parent: Run; child: Run };
  expect(parent.info).toMatchObject({ status: 'FINISHED', start_time: T, end_time: T + 9000 });
  const odd = trackerKey('a[0]');
  expect(of(parent.data.params)).toEqual({
    'config/lr': '0.001',
    'config/layers': '9007199254740993',
    'config/opt': 'adam',
    'config/amp': 'true',
    'config/since': new Date(T).toISOString(),
    'config/long': 'ä'.repeat(6000),
    [odd]: 'odd name',
  });
  expect(of(parent.data.tags)).toMatchObject({
    'neptune.id': 'RUN-2',
    'sys/custom_run_id': 'parent',
    'sys/tags': '["x","ü"]',
    'mlflow.note.content': 'a note',
  });
  expect(of(child.data.tags)).toMatchObject({ 'neptune.fork.parent': 'parent', 'neptune.fork.step': '2.5', 'mlflow.parentRunId': parent.info.run_id });

  const loss = await history(parent.info.run_id, 'train/loss');
  expect(loss.map(({ step, value, timestamp }) => [step, value, timestamp])).toEqual([
    [0, 1, T],
    [1, 0.5, T + 1000],
    [2, 1 / 3, T + 2000],
    [3, 'NaN', T + 3000],
  ]);
  const client = createClient({ baseUrl: server.url });
  const parentId = parent.info.run_id;
  const points = await client.call('getMetricHistory', { params: { runId: parentId }, query: { key: 'val/loss' } });
  // The last has more digits than a double holds.
  expect(points.points.map(({ step }) => step)).toEqual([0.5, 1.25, 2, 999_999_999_999]);
  const entries = async (runId: string, key: string) => (await client.call('getEntries', { params: { runId }, query: { key } })).entries;
  expect(await entries(parentId, 'log/stdout')).toEqual([
    { step: 0, timestamp: T, value: 'line 0\n"quoted"', inherited: false },
    { step: 0.000001, timestamp: T, value: 'line 0.000001\n"quoted"', inherited: false },
    { step: 5, timestamp: T, value: 'x'.repeat(1024 * 1024 - 3), inherited: false },
  ]);
  expect(JSON.parse(await artifact(parent, 'neptune/string_series/log/stdout.jsonl'))).toEqual({ step: 5, timestamp: T, value: 'x'.repeat(1_048_577) });
  expect(await entries(parentId, 'weights/hist')).toEqual([{ step: 1, timestamp: T, value: { edges: [0, 0.5, 1], counts: [3, 4] }, inherited: false }]);
  expect(JSON.parse(await artifact(parent, 'neptune/histogram_series/weights/hist.jsonl'))).toMatchObject({ step: 2.5, value: { edges: [0, 0, 1] } });
  expect(await entries(parentId, 'images')).toEqual([
    { step: 1, timestamp: T, value: { path: 'neptune/file_series/images/1/0.png', runId: parentId, size: 7 }, inherited: false },
  ]);
  // The fork has its parent's points up to its step, and its own.
  const detail = await client.call('getRun', { params: { runId: child.info.run_id } });
  expect(detail).toMatchObject({ fork: { runId: parentId, name: 'parent', step: 2.5 }, entryKeys: { string: 1, histogram: 1, file: 1 } });
  const { series } = await client.call('getSeries', { body: { runIds: [child.info.run_id], keys: ['train/loss'] } });
  expect(series[0]?.points.map(({ step, value }) => [step, value])).toEqual([
    [0, 1],
    [1, 0.5],
    [2, 1 / 3],
    [3, 0.25],
  ]);
  expect(await artifact(parent, 'neptune/files/model/weights/weights.bin')).toBe('weights');
  expect(await artifact(parent, 'neptune/file_series/images/1/0.png')).toBe('image 0');
  expect(await artifact(parent, 'neptune/files/source/lib/a.py')).toBe('a');
  expect(await artifact(parent, 'neptune/files/source/main.py')).toBe('main');
  expect(await artifact(parent, 'neptune/files/data/data.json')).toBe('artifact');
  expect(JSON.parse(await artifact(parent, 'neptune/attributes.jsonl'))).toEqual({ path: 'config/long', type: 'string', value: 'ä'.repeat(7000) });

  const noted = Object.fromEntries(
    Object.entries(Object.groupBy(report.notes, ({ attribute }) => attribute)).map(([key, of]) => [key, of?.map(({ what }) => what).join(' ')]),
  );
  expect(Object.keys(noted).sort()).toEqual(['', 'a[0]', 'config/long', 'log/stdout', 'model/evil', 'model/lost', 'val/loss', 'weights/hist']);
  expect(noted['']).toContain('rocket');
  expect(noted['val/loss']).toContain('Of its points 1 have a step of more digits than a double holds');
  expect(noted['weights/hist']).toContain('whole in neptune/histogram_series/weights/hist.jsonl');
  expect(noted['model/evil']).toContain('was not carried over');
}, 30_000);

it('does nothing the second time, and goes on with what broke off', async () => {
  const before = await imported();
  expect((await run()).report).toMatchObject({ imported: 0, unchanged: 2, failed: [] });
  expect(await imported()).toEqual(before);
  // As if it had been killed before the end.
  const { parent } = before as { parent: Run };
  await post('runs/delete-tag', { run_id: parent.info.run_id, key: 'neptune.imported' });
  expect((await run()).report).toMatchObject({ imported: 1, unchanged: 1, failed: [] });
  const after = (await imported()) as { parent: Run };
  expect(Object.keys(after).sort()).toEqual(['child', 'parent']);
  expect(after.parent).toEqual(parent);
  expect(await history(parent.info.run_id, 'train/loss')).toHaveLength(4);
}, 30_000);

it('imports the others when one cannot be read, and says which', async () => {
  const folder = join(temporaryFolder('neptune'), 'data');
  mkdirSync(join(folder, 'p'), { recursive: true });
  writeFileSync(join(folder, 'p', 'bad_part_0.parquet'), 'not parquet');
  await exportRun(folder, 'p', 'good', [common('good')]);
  const { code, stdout } = await binnacle(['import', 'neptune', folder, '--json', '--url', server.url]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ runs: 2, imported: 1, failed: [{ run: 'bad', message: expect.stringContaining('cannot be read') as string }] });
  expect(readdirSync(folder)).toEqual(['p']);
  expect(await binnacle(['import', 'neptune', join(folder, 'none'), '--url', server.url])).toMatchObject({ code: 1 });
}, 30_000);

it('makes forks whichever of the two comes first, in one import or in several', async () => {
  const root = temporaryFolder('neptune');
  const bring = async (folder: string) => {
    const { code, stdout } = await binnacle(['import', 'neptune', join(root, folder), '--json', '--url', server.url]);
    expect(code).toBe(0);
    return JSON.parse(stdout) as { forks: number; notes: { run: string; what: string }[] };
  };
  const fork = (id: string, parent: string): Row[] => [
    ...common(id),
    { path: 'sys/forking/parent', type: 'string', value: q(parent) },
    { path: 'sys/forking/step', type: 'int', value: '3' },
  ];
  const ids = (run: string) => ({ project: 'org/forks', run });
  await exportRun(join(root, 'one'), 'forks', 'c', [fork('grandchild', 'child')], ids('F-3'));
  await exportRun(join(root, 'two'), 'forks', 'a', [fork('child', 'first')], ids('F-2'));
  await exportRun(join(root, 'two'), 'forks', 'z', [common('first')], ids('F-1'));
  await exportRun(join(root, 'three'), 'forks', 'd', [fork('late', 'F-1')], ids('F-4'));

  const first = await bring('one');
  expect(first).toMatchObject({
    forks: 1,
    notes: [{ run: 'grandchild', what: expect.stringContaining('It becomes a fork when that is imported.') as string }],
  });
  expect((await bring('two')).notes).toEqual([]);
  expect((await bring('three')).notes).toEqual([]);
  for (const folder of ['one', 'two', 'three']) expect((await bring(folder)).notes).toEqual([]);
  const client = createClient({ baseUrl: server.url });
  const { experiments } = await client.call('listExperiments', { query: { q: 'org/forks' } });
  const { runs } = await client.call('searchRuns', { body: { experimentIds: experiments.map(({ id }) => id) } });
  const parents = new Map<string, string | undefined>();
  for (const { id, name } of runs) parents.set(name, (await client.call('getRun', { params: { runId: id } })).fork?.name ?? undefined);
  expect(parents).toEqual(
    new Map([
      ['first', undefined],
      ['child', 'first'],
      ['grandchild', 'child'],
      ['late', 'first'],
    ]),
  );
}, 60_000);

it('registers models and versions with all that they hold, and leaves alone what others registered', async () => {
  const root = temporaryFolder('neptune');
  const [exported, stored] = [join(root, 'data'), join(root, 'files')];
  const project = 'org/registry';
  const text = (path: string, value: string): Row => ({ path, type: 'string', value: q(value) });
  const file = (path: string, of: string): Row => ({ path, type: 'file', value: `{'path': ${q(of)}}` });
  const put = (path: string, body: string) => {
    mkdirSync(dirname(join(stored, 'registry', path)), { recursive: true });
    writeFileSync(join(stored, 'registry', path), body);
  };
  const scoped = (scope: string, id: string, rows: Row[]) =>
    exportRun(exported, `registry/${scope}`, `${id}-0123456789abcdef`, [[text('sys/id', id), ...rows]], { project, run: id });
  put('model_versions/REG-M-2/model/MLmodel', 'flavors: {sklearn: {}}');
  put('model_versions/REG-M-2/model/model.pkl', 'pickle');
  await scoped('models', 'REG-M', [...common('REG-M'), text('sys/description', 'finds churn')]);
  const version = [
    text('sys/stage', 'production'),
    text('sys/model_id', 'REG-M'),
    text('config/opt', 'adam'),
    { path: 'train/loss', type: 'float_series', step: '1.5', ms: T, value: '0.5' },
  ];
  await scoped('model_versions', 'REG-M-2', [...version, file('model', 'model_versions/REG-M-2/model'), text('sys/description', 'second')]);
  await scoped('model_versions', 'REG-M-5', [text('sys/model_id', 'REG-M')]);
  // Only its version is in the export.
  await scoped('model_versions', 'REG-N-1', []);
  // Registered here by somebody: not touched.
  const client = createClient({ baseUrl: server.url });
  await client.call('createModel', { body: { name: 'REG-X' } });
  await scoped('models', 'REG-X', []);
  await scoped('model_versions', 'REG-X-1', []);

  const bring = async (from = exported) => {
    const { code, stdout } = await binnacle(['import', 'neptune', from, '--files', stored, '--json', '--url', server.url]);
    return {
      code,
      report: JSON.parse(stdout) as { failed: { run: string; message: string }[]; notes: { run: string; what: string }[] } & Record<string, number>,
    };
  };
  const first = await bring();
  expect(first.code).toBe(1);
  expect(first.report).toMatchObject({
    runs: 6,
    imported: 6,
    models: 2,
    versions: 4,
    failed: [{ run: 'REG-X', message: expect.stringContaining('here already') as string }],
  });
  expect((await client.call('getModel', { params: { model: 'REG-X' } })).versions).toEqual([]);
  const model = await client.call('getModel', { params: { model: 'REG-M' } });
  expect(model).toMatchObject({ description: 'finds churn', tags: { 'sys/name': 'an experiment', 'neptune.project': project } });
  expect(model.versions.map(({ version: n }) => n).sort()).toEqual([2, 5]);
  const second = await client.call('getVersion', { params: { model: 'REG-M', version: 2 } });
  expect(second).toMatchObject({ description: 'second', stage: 'Production', tags: { 'config/opt': 'adam' } });
  expect(second.source).toBe(`runs:/${second.runId}/neptune/files/model`);
  const run = await client.call('getRun', { params: { runId: second.runId as string } });
  expect(run).toMatchObject({ experimentName: `${project}/models`, params: { 'config/opt': 'adam' }, metrics: [{ key: 'train/loss', step: 1.5, value: 0.5 }] });
  expect((await client.call('getModel', { params: { model: 'REG-N' } })).versions).toHaveLength(1);
  expect(first.report.notes.filter(({ run: id }) => id === 'REG-M-2')).toEqual([]);

  // A model of the same id in another project.
  const other = join(root, 'other');
  await exportRun(other, 'other/models', 'REG-M', [[text('sys/id', 'REG-M')]], { project: 'org/other', run: 'REG-M' });
  expect((await bring(other)).report).toMatchObject({
    imported: 1,
    failed: [{ run: 'REG-M', message: expect.stringContaining('not from this project') as string }],
  });

  // What is changed here stays, and nothing comes twice.
  await client.call('updateVersion', { params: { model: 'REG-M', version: 2 }, body: { description: 'mine' } });
  expect((await bring()).report).toMatchObject({ imported: 0, unchanged: 6 });
  expect(await client.call('getVersion', { params: { model: 'REG-M', version: 2 } })).toMatchObject({ description: 'mine', stage: 'Production' });
  expect((await client.call('getModel', { params: { model: 'REG-M' } })).versions).toHaveLength(2);
}, 60_000);

it.each([
  ['1.500000', 1.5, true],
  ['-0.250000', -0.25, true],
  ['0.100000', 0.1, true],
  ['123456789.000001', 123456789.000001, true],
  ['7.000000', 7, true],
  ['12', 12, true],
  ['999999999999.000001', 999999999999, false],
  [null, 0, true],
] as const)('the step %s is the double %d, exactly: %s', (text, step, exact) => {
  expect(stepOf(text)).toEqual({ step, exact });
});
