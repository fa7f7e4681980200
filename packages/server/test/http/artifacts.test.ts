import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tables } from '../../src/compose/tables.ts';
import { type RunningServer, startServer } from '../support/server.ts';

/** The files of a run over HTTP: what a browser is told about them, ranges, rows of tables. */
let server: RunningServer;
let run = { id: '', artifactUri: '' };
const NAMES = ['<script>alert(1)<!--.html', 'données 数据 🚢 \u202Eexe.txt', 'quote \' " %41 #?&+.csv', 'e\u0301.txt', '\u200B.txt', '‮abc.json'];

const native = (path: string) => `${server.url}/api/binnacle/v1/runs/${run.id}/artifacts${path}`;
const content = (path: string, more = '') => native(`/content?path=${encodeURIComponent(path)}${more}`);
async function put(path: string, body: string | Uint8Array): Promise<void> {
  const root = run.artifactUri.replace(/^mlflow-artifacts:\//, '');
  const at = [...root.split('/'), ...path.split('/')]
    .filter((part) => part !== '')
    .map(encodeURIComponent)
    .join('/');
  const response = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${at}`, { method: 'PUT', body: body as BodyInit });
  expect(response.status, await response.text()).toBe(200);
}

beforeAll(async () => {
  server = await startServer();
  const made = await fetch(`${server.url}/api/binnacle/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'files' }),
  });
  run = (await made.json()) as typeof run;
  await put('page.html', '<script>1</script>');
  await put('plot.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>');
  await put('log.txt', '0123456789');
  for (const name of NAMES) await put(`names/${name}`, name);
}, 60_000);
afterAll(() => server?.stop());

it('a page opened by itself runs no script, and in a frame of the interface only as nobody', async () => {
  const still = await fetch(content('page.html'));
  expect(still.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/);
  const framed = await fetch(content('page.html', '&frame=true'), { headers: { 'sec-fetch-dest': 'iframe' } });
  const policy = framed.headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/^sandbox allow-scripts; default-src 'none'/);
  expect(policy).not.toMatch(/allow-same-origin|allow-top-navigation|allow-forms|allow-popups|connect-src[^;]*(self|http)/);
  // A link to the frame's address, opened as a page.
  const opened = await fetch(content('page.html', '&frame=true'), { headers: { 'sec-fetch-dest': 'document' } });
  expect(opened.headers.get('content-security-policy')).toMatch(/^sandbox; /);
  const image = await fetch(content('plot.svg', '&frame=true'), { headers: { 'sec-fetch-dest': 'iframe' } });
  expect(image.headers.get('content-security-policy')).toMatch(/^sandbox; /);
  for (const reply of [still, framed, opened, image]) {
    expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
    expect(reply.headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(reply.headers.get('referrer-policy')).toBe('no-referrer');
  }
});

it('a range of bytes, the rest from a byte, and one behind the end', async () => {
  const part = await fetch(content('log.txt'), { headers: { range: 'bytes=2-4' } });
  expect([part.status, part.headers.get('content-range'), part.headers.get('content-length'), await part.text()]).toEqual([206, 'bytes 2-4/10', '3', '234']);
  expect(await (await fetch(content('log.txt'), { headers: { range: 'bytes=7-100' } })).text()).toBe('789');
  const behind = await fetch(content('log.txt'), { headers: { range: 'bytes=10-' } });
  expect([behind.status, behind.headers.get('content-range')]).toEqual([416, 'bytes */10']);
  const whole = await fetch(content('log.txt'), { headers: { range: 'bytes=0-1', 'if-range': '"another"' } });
  expect([whole.status, await whole.text()]).toEqual([200, '0123456789']);
  const same = await fetch(content('log.txt'), { headers: { range: 'bytes=3-4', 'if-range': whole.headers.get('etag') ?? '' } });
  expect([same.status, await same.text()]).toEqual([206, '34']);
});

it('what has not changed is not sent again', async () => {
  const first = await fetch(content('log.txt'));
  const etag = first.headers.get('etag') ?? '';
  expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
  const again = await fetch(content('log.txt'), { headers: { 'if-none-match': etag } });
  expect([again.status, await again.text()]).toEqual([304, '']);
  await put('log.txt', 'abcdefghij');
  const changed = await fetch(content('log.txt'), { headers: { 'if-none-match': etag } });
  expect([changed.status, await changed.text()]).toEqual([200, 'abcdefghij']);
});

it('names in any script are listed, answered, and named in the header', async () => {
  const listed = (await (await fetch(native('?path=names'))).json()) as { files: { path: string }[] };
  expect(listed.files.map(({ path }) => path).sort()).toEqual(NAMES.map((name) => `names/${name}`).sort());
  for (const name of NAMES) {
    const reply = await fetch(content(`names/${name}`));
    expect(await reply.text()).toBe(name);
    const header = reply.headers.get('content-disposition') ?? '';
    expect(decodeURIComponent(/filename\*=UTF-8''(\S+)$/.exec(header)?.[1] ?? '')).toBe(name);
    expect(header).toMatch(/^(inline|attachment); filename="[ -~]*"; /);
  }
});

it('rows of Parquet and CSV come in pages', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-rows-'));
  await tables.write(join(folder, 't.parquet'), 'parquet', [
    {
      rows: 3,
      columns: [
        { name: 'id', values: BigInt64Array.from([1n, 2n, 9007199254740993n]) },
        { name: '<b>', values: ['x', null, '<script>'] },
      ],
    },
  ]);
  copyFileSync(join(folder, 't.parquet'), join(folder, 'copy'));
  await put('data/t.parquet', await readFile(join(folder, 'copy')));
  const page = await (await fetch(native('/rows?path=data/t.parquet&offset=1&limit=1'))).json();
  expect(page).toEqual({
    format: 'parquet',
    columns: [
      { name: 'id', type: 'BIGINT' },
      { name: '<b>', type: 'VARCHAR' },
    ],
    columnsLeftOut: 0,
    rows: [['2', null]],
    offset: 1,
    more: true,
    total: 3,
  });
  const last = (await (await fetch(native('/rows?path=data/t.parquet&offset=2'))).json()) as { rows: unknown; more: boolean };
  expect(last).toMatchObject({ rows: [['9007199254740993', '<script>']], more: false });
  await put('data/t.csv', 'a,b\n1,2\n');
  expect(await (await fetch(native('/rows?path=data/t.csv'))).json()).toMatchObject({ format: 'csv', rows: [['1', '2']], total: null });
});

it('what cannot be read as rows says why', async () => {
  await put('data/empty.csv', '');
  await put('data/no.parquet', 'nothing of the kind');
  const problem = async (query: string) => {
    const reply = await fetch(native(`/rows?${query}`));
    return [reply.status, ((await reply.json()) as { code: string }).code];
  };
  expect(await problem('path=data/no.parquet')).toEqual([400, 'table_unreadable']);
  expect(await problem('path=log.txt')).toEqual([501, 'artifact_no_table']);
  expect(await problem('path=data/gone.csv')).toEqual([404, 'artifact_not_found']);
  expect(await problem('path=../../../../binnacle.csv')).toEqual([400, 'artifact_path_invalid']);
  expect(await problem('path=data/t.csv&limit=100000')).toEqual([400, 'invalid_query']);
  const empty = await fetch(native('/rows?path=data/empty.csv'));
  expect([empty.status, await empty.json()]).toMatchObject([200, { rows: [], more: false }]);
});

it('the files of a logged model are those of the run that made it, and of no other', async () => {
  const post = async (path: string, body: unknown) =>
    (await fetch(server.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json();
  const { model } = (await post('/api/2.0/mlflow/logged-models', { experiment_id: '0', name: 'm', source_run_id: run.id })) as {
    model: { info: { model_id: string; artifact_uri: string } };
  };
  const root = model.info.artifact_uri.replace(/^mlflow-artifacts:\/+/, '');
  await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${root}/MLmodel`, { method: 'PUT', body: 'flavors: {}' });
  const of = `modelId=${model.info.model_id}`;
  expect(await (await fetch(native(`?${of}`))).json()).toEqual({ files: [{ path: 'MLmodel', isDirectory: false, size: 11 }] });
  expect(await (await fetch(content('MLmodel', `&${of}`))).text()).toBe('flavors: {}');
  expect((await fetch(content('MLmodel'))).status).toBe(404);
  const other = (await post('/api/binnacle/v1/runs', { name: 'other' })) as { id: string };
  for (const path of ['', '/content', '/rows']) {
    const reply = await fetch(`${server.url}/api/binnacle/v1/runs/${other.id}/artifacts${path}?path=MLmodel.csv&${of}`);
    expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([404, 'logged_model_not_found']);
  }
});
