import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDuckDbTables } from '../../src/adapters/duckdb/index.ts';
import type { LoadedModel, RunCall } from '../../src/serving/index.ts';
import type { Column } from '../../src/tables/index.ts';
import { graph, identity, sum, value } from '../support/onnx-graphs.ts';
import { send, type ServingKit, servingKit } from '../support/serving.ts';

let kit: ServingKit;
/** What the runtime of the model `params` was told. */
const told: RunCall['parameters'][] = [];
const columns = (...inputs: [string, string][]) => ({ inputs: inputs.map(([name, type]) => ({ name, type })), outputs: [] });

/** A server elsewhere that answers its input. */
const echo: LoadedModel = {
  inputs: [{ name: 'a', datatype: 'FP64', shape: [-1] }],
  outputs: [{ name: 'y', datatype: 'FP64', shape: [-1] }],
  tier: 'remote',
  runMicros: Number.NaN,
  rowMicros: Number.NaN,
  batchable: false,
  slots: 4,
  usesParameters: true,
  execute: ([input], _outputs, call) => {
    told.push(call?.parameters);
    return [{ name: 'y', datatype: 'FP64', shape: input?.shape ?? [], data: input?.data ?? new Float64Array() }];
  },
  close: async () => {},
};

beforeAll(async () => {
  kit = await servingKit({ defaultEndpoint: 'sum', maxBodyBytes: 1 << 20, runtimes: { remote: { load: async () => echo } } });
  await kit.deploy('sum', sum(2), columns(['a', 'double'], ['b', 'long']));
  await kit.deploy('longs', identity('INT64', ['N', 1]), columns(['x', 'long']));
  await kit.deploy(
    'mixed',
    graph({
      nodes: ['city', 'n', 'flag'].map((name) => ({ opType: 'Identity', input: [name], output: [`${name}_out`] })),
      inputs: [value('city', 'BYTES', ['N', 1]), value('n', 'INT64', ['N', 1]), value('flag', 'BOOL', ['N', 1])],
      outputs: [value('city_out', 'BYTES', ['N', 1]), value('n_out', 'INT64', ['N', 1]), value('flag_out', 'BOOL', ['N', 1])],
    }),
    columns(['city', 'string'], ['n', 'long'], ['flag', 'boolean']),
  );
  const pkg = await kit.registry.add('params', sum(1), columns(['a', 'double']));
  pkg.runtime = { kind: 'remote', protocol: 'mlflow', url: 'http://127.0.0.1:1', model: 'params' };
  await kit.serving.deploy('params', { model: 'params', traffic: [{ version: pkg.version, weight: 100, shadow: false }] });
});
afterAll(() => kit.close());

const folder = mkdtempSync(join(tmpdir(), 'binnacle-scoring-'));
let files = 0;
async function parquet(rows: number, ...list: Column[]): Promise<Buffer> {
  const path = join(folder, `${files++}.parquet`);
  await createDuckDbTables().write(path, 'parquet', [{ rows, columns: list }]);
  return readFileSync(path);
}
const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  send(`${kit.url}${path}`, { body, headers: { 'content-type': 'application/json', ...headers } });
const PARQUET = { 'content-type': 'application/vnd.apache.parquet' };

describe('a Parquet body', () => {
  it('is a table', async () => {
    const body = await parquet(2, { name: 'a', values: new Float64Array([1, 2.5]) }, { name: 'b', values: new BigInt64Array([2n, 3n]) });
    const reply = await post('/endpoints/sum/invocations', body, PARQUET);
    expect(reply.status, reply.body.toString()).toBe(200);
    expect(reply.json()).toEqual({ predictions: [{ y: 3 }, { y: 5.5 }] });
  });

  it('keeps text, booleans and integers beyond 2^53, and pandas’ index is no column', async () => {
    const body = await parquet(
      2,
      { name: '__index_level_0__', values: new BigInt64Array([5n, 6n]) },
      { name: 'city', values: ['Köln', ''] },
      { name: 'n', values: new BigInt64Array([2n ** 63n - 1n, -(2n ** 63n)]) },
      { name: 'flag', values: [true, false] },
    );
    const reply = await post('/endpoints/mixed/invocations', body, PARQUET);
    expect(reply.body.toString()).toBe(
      '{"predictions":[{"city_out":"Köln","n_out":9223372036854775807,"flag_out":true},{"city_out":"","n_out":-9223372036854775808,"flag_out":false}]}',
    );
  });

  it('that is none is refused in MLflow’s words, and no path is told', async () => {
    const reply = await post('/endpoints/sum/invocations', 'PAR1 no more', PARQUET);
    expect(reply.status).toBe(400);
    expect(reply.json()).toMatchObject({
      error_code: 'BAD_REQUEST',
      message: expect.stringMatching(/^Failed to parse input as a Pandas DataFrame\..*to_parquet/),
    });
    expect(reply.json().message).not.toContain(tmpdir());
  });

  it('of a few bytes may not claim a table of any size', async () => {
    const body = await parquet(200_000, ...Array.from({ length: 100 }, (_, i) => ({ name: `c${i}`, values: new Float64Array(200_000) })));
    expect(body.length).toBeLessThan(1 << 20);
    const reply = await post('/endpoints/sum/invocations', body, PARQUET);
    expect(reply.status).toBe(400);
    expect(reply.json().message).toContain('more than a request may have');
  });
});

describe('params', () => {
  it('go to a model that takes some, whatever their form', async () => {
    const reply = await post('/endpoints/params/invocations', '{"dataframe_records":[{"a":4}],"params":{"top_k":3,"stop":["a","b"],"deep":{"x":1.5}}}');
    expect(reply.json()).toEqual({ predictions: [{ y: 4 }] });
    expect(told.at(-1)).toEqual({ top_k: 3, stop: ['a', 'b'], deep: { x: 1.5 } });
    await post('/endpoints/params/invocations', '{"dataframe_records":[{"a":4}]}');
    expect(told.at(-1)).toBeUndefined();
    const wrong = await post('/endpoints/params/invocations', '{"dataframe_records":[{"a":4}],"params":5}');
    expect([wrong.status, wrong.json().message]).toEqual([400, 'Parameters must be a dictionary. Got 5.']);
  });

  it('are ignored by a graph, which has no use for them', async () => {
    expect((await post('/invocations', '{"dataframe_records":[{"a":1,"b":2}],"params":{"x":1}}')).json()).toEqual({ predictions: [{ y: 3 }] });
  });
});

it('integers of JSON beyond 2^53 stay exact', async () => {
  const body = '{"dataframe_split":{"columns":["x"],"data":[[9223372036854775807]]}}';
  expect((await post('/endpoints/longs/invocations', body)).body.toString()).toBe('{"predictions":[{"y":9223372036854775807}]}');
});

describe('as SageMaker calls it', () => {
  it('answers CSV to Accept: text/csv, and its headers do no harm', async () => {
    const headers = { 'content-type': 'text/csv', accept: 'text/csv', 'x-amzn-sagemaker-custom-attributes': 'trace=1', 'x-amzn-sagemaker-target-variant': 'A' };
    const reply = await post('/invocations', 'a,b\n1,2\n3,4\n', headers);
    expect([reply.status, reply.headers['content-type'], reply.body.toString()]).toEqual([200, 'text/csv; charset=utf-8', '3\n7\n']);
    const quoted = await post('/endpoints/mixed/invocations', '{"dataframe_records":[{"city":"a,\\"b","n":1,"flag":true}]}', { accept: 'text/csv' });
    expect(quoted.body.toString()).toBe('"a,""b",1,true\n');
  });

  it('answers JSON to any other Accept, as MLflow’s server does', async () => {
    for (const accept of ['application/json', '*/*', 'image/png'])
      expect((await post('/invocations', '{"dataframe_records":[{"a":1,"b":2}]}', { accept })).headers['content-type']).toBe('application/json');
  });
});

it('has /ping, /health and /version at an endpoint', async () => {
  for (const path of ['ping', 'health']) {
    const reply = await send(`${kit.url}/endpoints/sum/${path}`);
    expect([reply.status, reply.body.toString()]).toEqual([200, '\n']);
    expect((await send(`${kit.url}/endpoints/nobody/${path}`)).status).toBe(404);
  }
  expect((await send(`${kit.url}/endpoints/sum/version`)).body.toString()).toMatch(/^3\.\d+\.\d+$/);
  expect((await send(`${kit.url}/endpoints/sum/ping`, { method: 'POST' })).status).toBe(405);
});

describe('what mlflow.deployments lists', () => {
  it('is every endpoint, or one', async () => {
    const list = (await send(`${kit.url}/api/2.0/endpoints/`)).json().endpoints;
    expect(list.map(({ name }: { name: string }) => name)).toEqual(['longs', 'mixed', 'params', 'sum']);
    const one = (await send(`${kit.url}/api/2.0/endpoints/sum`)).json();
    expect(one).toEqual({
      name: 'sum',
      endpoint_type: 'pyfunc/v1/invocations',
      model: { name: 'sum', provider: 'binnacle' },
      endpoint_url: '/endpoints/sum/invocations',
      limit: null,
    });
    expect(list).toContainEqual(one);
  });

  it('says what is not there, and what may not be done', async () => {
    const unknown = await send(`${kit.url}/api/2.0/endpoints/nobody`);
    expect([unknown.status, unknown.json().error_code]).toEqual([404, 'RESOURCE_DOES_NOT_EXIST']);
    expect((await send(`${kit.url}/api/2.0/endpoints/sum`, { method: 'DELETE' })).status).toBe(405);
    expect((await send(`${kit.url}/api/2.0/endpoints/%zz`)).status).toBe(400);
  });
});
