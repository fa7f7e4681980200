import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Signature } from '@binnacle/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createDuckDbTables } from '../../src/adapters/duckdb/index.ts';
import { parseSchema } from '../../src/registry/signature.ts';
import { send, type ServingKit, servingKit, until } from '../support/serving.ts';

const python = fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'binnacle-mlflow-'));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function signatureOf(model: string): Signature {
  const { signature } = parse(readFileSync(join(folder, model, 'MLmodel'), 'utf8'));
  return { inputs: parseSchema(signature.inputs), outputs: parseSchema(signature.outputs) };
}

let kit: ServingKit;
const servers: ChildProcess[] = [];
const mlflowUrl: Record<string, string> = {};

/** `mlflow models serve` on the same files, beside Binnacle. */
beforeAll(async () => {
  await promisify(execFile)(python, [fileURLToPath(new URL('./python/save_models.py', import.meta.url)), folder], { timeout: 200_000 });
  kit = await servingKit();
  for (const model of ['columns', 'tensors']) {
    await kit.deploy(model, readFileSync(join(folder, model, 'model.onnx')), signatureOf(model));
    const port = await freePort();
    // A process group of its own: mlflow starts uvicorn as a child.
    servers.push(
      spawn(
        python,
        ['-m', 'mlflow', 'models', 'serve', '-m', join(folder, model), '--env-manager', 'local', '-p', String(port), '-h', '127.0.0.1', '-w', '1'],
        {
          detached: true,
          stdio: 'ignore',
          env: { ...process.env, PATH: `${dirname(python)}:${process.env['PATH']}` },
        },
      ),
    );
    mlflowUrl[model] = `http://127.0.0.1:${port}`;
  }
  await until(
    async () =>
      (
        await Promise.all(
          Object.values(mlflowUrl).map((url) =>
            send(`${url}/ping`).then(
              (r) => r.status === 200,
              () => false,
            ),
          ),
        )
      ).every(Boolean),
    240_000,
  );
});
afterAll(async () => {
  for (const server of servers) if (server.pid !== undefined) process.kill(-server.pid);
  await kit.close();
});

const json = 'application/json';
const post = async (url: string, body: string | Uint8Array, type: string) => {
  const reply = await send(url, { body, headers: { 'content-type': type } });
  return { status: reply.status, type: reply.headers['content-type']?.split(';')[0], text: reply.body.toString() };
};
const both = async (model: string, body: unknown, type = json) => {
  const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  return { theirs: await post(`${mlflowUrl[model]}/invocations`, text, type), ours: await post(`${kit.url}/endpoints/${model}/invocations`, text, type) };
};
/** Numbers differ in the last bits at most. */
const rounded = (text: string) => JSON.parse(text, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value));

describe('the same request to `mlflow models serve` and to us', () => {
  const rows = [
    [0.25, 0.5],
    [1, 0],
  ];
  it.each([
    ['columns', { dataframe_split: { columns: ['width', 'height'], data: rows } }],
    [
      'columns',
      {
        dataframe_split: {
          columns: ['height', 'extra', 'width'],
          index: [5, 6],
          data: [
            [0.5, 'x', 0.25],
            [0, 'y', 1],
          ],
        },
      },
    ],
    [
      'columns',
      {
        dataframe_records: [
          { width: 0.25, height: 0.5 },
          { height: 0, width: 1 },
        ],
      },
    ],
    [
      'columns',
      {
        instances: [
          { width: 0.25, height: 0.5 },
          { width: 1, height: 0 },
        ],
      },
    ],
    ['columns', { inputs: { width: [0.25, 1], height: [0.5, 0] } }],
    ['columns', { inputs: { width: 0.25, height: 0.5 } }],
    ['columns', { dataframe_records: [{ width: 0.25, height: 0.5 }], params: {} }],
    // A model without a schema of parameters has no use for them.
    ['columns', { dataframe_records: [{ width: 0.25, height: 0.5 }], params: { top: 1, list: ['a'] } }],
    ['columns', { dataframe_records: [{ width: 0.25, height: 0.5 }], params: 5 }],
    ['columns', { dataframe_records: [{ width: 0.25, height: 0.5 }], unknown: 5 }],
    // TensorFlow Serving's; MLflow looks at the forms and params alone.
    ['tensors', { inputs: rows, signature_name: 'x' }],
    ['tensors', { instances: rows }],
    ['tensors', { inputs: rows }],
    ['tensors', { dataframe_split: { columns: ['a', 'b'], data: rows } }],
  ])('gets the same predictions (%s: %j)', async (model, body) => {
    const { theirs, ours } = await both(model, body);
    expect(theirs.status, theirs.text).toBe(200);
    expect(ours.status, ours.text).toBe(200);
    expect(ours.type).toBe(theirs.type);
    expect(rounded(ours.text)).toEqual(rounded(theirs.text));
  });

  it('gets the same predictions for CSV', async () => {
    const { theirs, ours } = await both('columns', 'width,height\n0.25,0.5\n1.0,0.0\n', 'text/csv');
    expect(theirs.status).toBe(200);
    expect(rounded(ours.text)).toEqual(rounded(theirs.text));
  });

  it('gets the same predictions for Parquet', async () => {
    const path = join(folder, 'body.parquet');
    const columns = [
      { name: 'width', values: new Float64Array([0.25, 1]) },
      { name: 'height', values: new Float64Array([0.5, 0]) },
      { name: 'other', values: ['x', 'y'] },
    ];
    await createDuckDbTables().write(path, 'parquet', [{ rows: 2, columns }]);
    const body = readFileSync(path);
    const { theirs, ours } = await both('columns', body, 'application/vnd.apache.parquet');
    expect(theirs.status, theirs.text).toBe(200);
    expect(rounded(ours.text)).toEqual(rounded(theirs.text));
    const broken = await both('columns', body.subarray(0, 100), 'application/vnd.apache.parquet');
    expect([broken.ours.status, broken.ours.type]).toEqual([broken.theirs.status, broken.theirs.type]);
    const [a, b] = [JSON.parse(broken.ours.text), JSON.parse(broken.theirs.text)];
    expect([a.error_code, a.message.slice(0, 140)]).toEqual([b.error_code, b.message.slice(0, 140)]);
  });

  it.each([
    ['[1]', json],
    ['{', json],
    ['{}', json],
    ['{"inputs":[],"instances":[]}', json],
    ['{"dataframe_split":[]}', json],
    ['{"dataframe_split":{"columns":["a"]}}', json],
    ['{"dataframe_records":{"a":1}}', json],
    ['"text"', json],
    ['5', json],
    ['a,b\n1,2\n1,2,3\n', 'text/csv'],
    ['{"dataframe_records":[{"width":"x","height":1}]}', json],
    ['x', 'text/html'],
    ['', 'application/vnd.apache.parquet; charset=utf-16'],
    ['{}', 'application/json; charset=latin1'],
    ['{}', 'application/json; format=split'],
  ])('is refused with the same status and kind of body (%s, %s)', async (body, type) => {
    const { theirs, ours } = await both('columns', body, type);
    expect([ours.status, ours.type]).toEqual([theirs.status, theirs.type]);
    if (ours.type === json) {
      const [a, b] = [JSON.parse(ours.text), JSON.parse(theirs.text)];
      expect(a.error_code).toBe(b.error_code);
      // The first words are what clients match on.
      expect(a.message.slice(0, 30)).toBe(b.message.slice(0, 30));
    }
  });

  it('is refused by both when a column is missing, by us with 400', async () => {
    const { theirs, ours } = await both('columns', { dataframe_records: [{ width: 1 }] });
    expect(theirs.status).toBeGreaterThanOrEqual(400);
    expect(ours.status).toBe(400);
    expect(JSON.parse(ours.text).error_code).toBe(JSON.parse(theirs.text).error_code);
    for (const { text } of [theirs, ours]) expect(JSON.parse(text).message).toContain("Model is missing inputs ['height']");
  });
});
