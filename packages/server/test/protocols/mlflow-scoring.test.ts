import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graph, identity, sum, twoColumns, value } from '../support/onnx-graphs.ts';
import { send, type ServingKit, servingKit } from '../support/serving.ts';

let kit: ServingKit;
const columns = (...inputs: [string, string][]) => ({ inputs: inputs.map(([name, type]) => ({ name, type })), outputs: [] });
beforeAll(async () => {
  kit = await servingKit({ defaultEndpoint: 'sum', maxBodyBytes: 1 << 20 });
  await kit.deploy('sum', sum(2), columns(['a', 'double'], ['b', 'long']));
  await kit.deploy('plain', sum(2));
  await kit.deploy('tensor', sum(2), { inputs: [{ name: 'x', type: 'FP32', shape: [-1, 2] }], outputs: [] });
  await kit.deploy('two', twoColumns(), columns(['a', 'double'], ['b', 'double']));
  const text = graph({
    nodes: [
      { opType: 'Identity', input: ['city'], output: ['again'] },
      { opType: 'Identity', input: ['n'], output: ['m'] },
      { opType: 'Concat', input: ['n', 'n'], output: ['pair'], attribute: [{ name: 'axis', type: 2, i: 1 }] },
    ],
    inputs: [value('city', 'BYTES', ['N', 1]), value('n', 'INT64', ['N', 1])],
    outputs: [value('again', 'BYTES', ['N', 1]), value('m', 'INT64', ['N', 1]), value('pair', 'INT64', ['N', 2])],
  });
  await kit.deploy('text', text, columns(['city', 'string'], ['n', 'long']));
  await kit.deploy('bool', identity('BOOL', ['N', 1]), columns(['x', 'boolean']));
});
afterAll(() => kit.close());

const answer = async (endpoint: string, body: unknown, headers = {}) => {
  const reply = await kit.invoke(endpoint, body, headers);
  return reply.status === 200 ? reply.json().predictions : `${reply.status} ${reply.json().error_code} ${reply.json().message}`;
};
const csv = { 'content-type': 'text/csv' };

describe('MLflow scoring', () => {
  it('takes all four JSON forms and CSV, columns by name, and answers records', async () => {
    const records = [{ y: 3 }, { y: 7 }];
    expect(
      await answer('sum', {
        dataframe_split: {
          columns: ['b', 'a'],
          index: [0, 1],
          data: [
            [2, 1],
            [4, 3],
          ],
        },
      }),
    ).toEqual(records);
    expect(
      await answer('sum', {
        dataframe_records: [
          { a: 1, b: 2, extra: 'x' },
          { a: 3, b: 4 },
        ],
        params: {},
      }),
    ).toEqual(records);
    expect(
      await answer('sum', {
        instances: [
          { a: 1, b: 2 },
          { a: 3, b: 4 },
        ],
      }),
    ).toEqual(records);
    expect(await answer('sum', { inputs: { a: [1, 3], b: [2, 4] } })).toEqual(records);
    expect(await answer('sum', { inputs: { a: [[1], [3]], b: [[2], [4]] } })).toEqual(records);
    expect(
      await answer('sum', {
        instances: [
          [1, 2],
          [3, 4],
        ],
      }),
    ).toEqual(records);
    expect(await answer('sum', { inputs: { a: 1, b: 2 } })).toEqual([{ y: 3 }]);
    expect(await answer('sum', 'b,a\r\n2,1\r\n4,3\r\n', csv)).toEqual(records);
  });

  it('answers tensors with the outputs by name', async () => {
    const named = { y: [[3], [7]] };
    for (const endpoint of ['plain', 'tensor']) {
      expect(
        await answer(endpoint, {
          inputs: {
            x: [
              [1, 2],
              [3, 4],
            ],
          },
        }),
      ).toEqual(named);
      expect(
        await answer(endpoint, {
          inputs: [
            [1, 2],
            [3, 4],
          ],
        }),
      ).toEqual(named);
      expect(
        await answer(endpoint, {
          instances: [
            [1, 2],
            [3, 4],
          ],
        }),
      ).toEqual(named);
    }
    expect(await answer('tensor', { dataframe_split: { columns: ['p', 'q'], data: [[1, 2]] } })).toEqual({ y: [[3]] });
    expect(await answer('plain', { dataframe_split: { columns: ['p', 'q'], data: [[1, 2]] } })).toEqual([{ y: 3 }]);
  });

  it('carries text, whole numbers, truth values and wide outputs', async () => {
    expect(await answer('text', { dataframe_records: [{ city: 'Zürich "A"', n: 9007199254740991 }] })).toEqual([
      { again: 'Zürich "A"', m: 9007199254740991, pair: [9007199254740991, 9007199254740991] },
    ]);
    expect(await answer('text', 'city,n\n"a, ""b""\nc",5\n', csv)).toEqual([{ again: 'a, "b"\nc', m: 5, pair: [5, 5] }]);
    expect(await answer('bool', { dataframe_records: [{ x: true }, { x: false }] })).toEqual([{ y: true }, { y: false }]);
  });

  it('takes null and Python’s NaN for a missing float, and shows it as null', async () => {
    expect(await answer('two', '{"dataframe_split":{"columns":["a","b"],"data":[[NaN,1],[null,Infinity],[-Infinity,2]]}}')).toEqual([
      { total: null, again: 1 },
      { total: null, again: null },
      { total: null, again: 2 },
    ]);
    expect(await answer('two', 'a,b\n,1\n', csv)).toEqual([{ total: null, again: 1 }]);
    expect(await answer('text', '{"dataframe_records":[{"city":"NaN, \\"Infinity\\"","n":1}]}')).toMatchObject([{ again: 'NaN, "Infinity"' }]);
  });

  it.each([
    ['[1]', /^400 BAD_REQUEST Invalid input. The input must be a JSON dictionary with exactly one of the input fields .* Received a list\.$/],
    ['5', /Received unexpected input type 'number'/],
    ['{', /Ensure that input is a valid JSON formatted string/],
    ['{}', /exactly one of the input fields .* Received dictionary with input fields: \[\]/],
    ['{"inputs":[],"instances":[]}', /exactly one of the input fields .*'instances', 'inputs'/],
    ['{"dataframe_split":[]}', /Dataframe split format must be a dictionary. Got list./],
    ['{"dataframe_split":{"columns":["a"]}}', /must have 'data' field/],
    ['{"dataframe_split":{"columns":["a","b"],"data":[[1]]}}', /2 columns passed, passed data had 1 columns' \(row 0\)/],
    ['{"dataframe_split":{"columns":["a","a"],"data":[[1,1]]}}', /named twice/],
    ['{"dataframe_split":{"columns":["a","b"],"data":[[1,[2]]]}}', /row 0 of column 'b' holds a list/],
    ['{"dataframe_split":{"columns":["a","b"],"data":[]}}', /The table has no rows/],
    ['{"dataframe_records":{"a":1}}', /must be a list of records. Got dictionary/],
    ['{"dataframe_records":[5]}', /row 0 is not an object/],
    ['{"dataframe_records":[{"a":1}]}', /Model is missing inputs \['b'\]/],
    ['{"dataframe_records":[{"A":1,"b":1}]}', /Model is missing inputs \['a'\].*extra columns: 'A'/],
    ['{"dataframe_records":[{"a":1,"b":1},{"a":"x","b":1}]}', /row 1 of column 'a': expected a number \(double\), got "x"/],
    ['{"dataframe_records":[{"a":1,"b":1.5}]}', /row 0 of column 'b': expected a whole number \(long\), got 1.5/],
    ['{"dataframe_records":[{"a":1,"b":1},{"a":1}]}', /row 1 of column 'b': is missing \(null\), and an integer column/],
    ['{"instances":5}', /'instances' must be a list/],
    ['{"instances":[{"a":1,"b":2},{"a":1}]}', /must all have the same fields/],
    ['{"inputs":{"a":[1,2],"b":[1]}}', /same length/],
    ['{"inputs":{"q":[[[1]]]}}', /has no input 'q'/],
  ])('refuses %s', async (body, message) => {
    expect(await answer('sum', body)).toMatch(message);
  });

  it.each([
    ['', /No columns to parse/],
    ['a,b\n1\n', /Expected 2 fields in line 2, saw 1/],
    ['a,b\n"1,2\n', /EOF inside string starting at line 2/],
    ['a,b\n"1"x,2\n', /after a closing quote/],
    ['a,a\n1,2\n', /named twice/],
    ['a\n1\n', /Model is missing inputs \['b'\]/],
    ['a,b\n1,x\n', /row 0 of column 'b': expected a whole number \(long\), got "x"/],
    ['a,b\n', /no rows/],
  ])('refuses the CSV %j', async (body, message) => {
    expect(await answer('sum', body, csv)).toMatch(message);
  });

  it('refuses ragged tensors and models of several inputs without names', async () => {
    expect(await answer('plain', { inputs: [[1, 2], [3]] })).toMatch(/unequal length/);
    expect(
      await answer('plain', {
        inputs: [
          [1, [2]],
          [3, 4],
        ],
      }),
    ).toMatch(/nested unevenly/);
    expect(await answer('plain', { inputs: [['x', 'y']] })).toMatch(/expected a number \(FP32\), got "x"/);
    expect(await answer('plain', { inputs: [1, 2] })).toMatch(/unexpected shape/);
    expect(await answer('two', { inputs: [[[1]]] })).toMatch(/Unable to map numpy array input to the expected model input/);
  });

  it('answers 415 as plain text for other contents', async () => {
    const reply = await kit.invoke('sum', '{}', { 'content-type': 'text/html' });
    expect([reply.status, reply.headers['content-type'], reply.body.toString()]).toEqual([
      415,
      'text/plain; charset=utf-8',
      "This predictor only supports the following content types: Types: ['text/csv', 'application/json', 'application/vnd.apache.parquet']. Got 'text/html'.",
    ]);
    expect((await kit.invoke('sum', '{}', { 'content-type': 'application/json; charset=latin1' })).body.toString()).toBe(
      'The scoring server only supports UTF-8',
    );
    expect((await kit.invoke('sum', '{}', { 'content-type': 'application/json; format=pandas' })).body.toString()).toMatch(
      /^Unrecognized content type parameters: format/,
    );
    expect((await kit.invoke('sum', { inputs: { a: [1], b: [1] } }, { 'content-type': 'application/json; charset=UTF-8' })).status).toBe(200);
  });

  it('serves the default endpoint where `mlflow models serve` and SageMaker do', async () => {
    const ping = await send(`${kit.url}/ping`);
    expect([ping.status, ping.body.toString()]).toEqual([200, '\n']);
    const reply = await send(`${kit.url}/invocations`, {
      body: JSON.stringify({ inputs: { a: [1], b: [1] } }),
      headers: { 'content-type': 'application/json', 'x-request-id': 'r-7' },
    });
    expect(reply.json()).toEqual({ predictions: [{ y: 2 }] });
    expect(reply.headers['x-request-id']).toBe('r-7');
    expect((await send(`${kit.url}/endpoints/nope/ping`)).status).toBe(404);
    expect(await answer('nope', { inputs: [] })).toBe("404 RESOURCE_DOES_NOT_EXIST Request for unknown model: 'nope' is not found");
    expect((await send(`${kit.url}/invocations`)).status).toBe(405);
    expect((await kit.invoke('sum', ' '.repeat(2 << 20))).status).toBe(413);
    expect((await kit.invoke('sum', { inputs: {} }, { 'x-binnacle-event-time': 'soon' })).status).toBe(400);
  });
});

it('the monitor hears once of each request that was refused', async () => {
  kit.failures.length = 0;
  expect((await kit.invoke('sum', '{"dataframe_split": {')).status).toBe(400);
  expect((await kit.invoke('sum', { inputs: [['x']] })).status).toBe(400);
  expect(kit.failures.map(({ endpoint }) => endpoint)).toEqual(['sum', 'sum']);
});
