import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classifier, graph, identity, slow, sum, twoColumns, value } from '../support/onnx-graphs.ts';
import { type Reply, send, type ServingKit, servingKit, until } from '../support/serving.ts';

let kit: ServingKit;
beforeAll(async () => {
  kit = await servingKit({ maxBodyBytes: 1 << 20 });
  await kit.deploy('floats', identity('FP32'));
  await kit.deploy('doubles', identity('FP64', ['N']));
  await kit.deploy('halves', identity('FP16', ['N']));
  await kit.deploy('longs', identity('INT64', ['N']));
  await kit.deploy('ulongs', identity('UINT64', ['N']));
  await kit.deploy('bytes', identity('UINT8', ['N']));
  await kit.deploy('flags', identity('BOOL', ['N']));
  await kit.deploy('texts', identity('BYTES', ['N', 2]));
  await kit.deploy('cube', identity('FP32', ['N', 2, 'M']));
  await kit.deploy('two', twoColumns());
  await kit.deploy('sum', sum(2, 2));
  await kit.deploy('classifier', classifier());
  await kit.deploy(
    'image',
    graph({
      nodes: [{ opType: 'Identity', input: ['image_bytes'], output: ['thumb_bytes'] }],
      inputs: [value('image_bytes', 'BYTES', ['N'])],
      outputs: [value('thumb_bytes', 'BYTES', ['N'])],
    }),
  );
});
afterAll(() => kit.close());

const call = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  send(`${kit.url}/v1/models/${path}`, { body: typeof body === 'string' ? body : JSON.stringify(body), headers });
const text = (reply: Reply): string => reply.body.toString();

describe(':predict by row', () => {
  it('answers predictions and drops the name of a single tensor', async () => {
    const reply = await call('floats:predict', {
      instances: [
        [1, 2.5],
        [0.2, -3],
      ],
    });
    expect(reply.status, text(reply)).toBe(200);
    expect(reply.headers['content-type']).toBe('application/json');
    // Whole numbers keep a decimal point and floats the digits they need, as TensorFlow Serving writes them.
    expect(text(reply)).toBe('{"predictions":[[1.0,2.5],[0.2,-3.0]]}');
  });

  it('takes named inputs and answers named outputs', async () => {
    const reply = await call('two:predict', {
      instances: [
        { a: 1, b: 10 },
        { b: 20, a: 2 },
      ],
      signature_name: 'serving_default',
    });
    expect(reply.json()).toEqual({
      predictions: [
        { total: [11], again: [10] },
        { total: [22], again: [20] },
      ],
    });
    expect((await call('two:predict', { instances: [{ a: [1], b: [10] }] })).json()).toEqual({ predictions: [{ total: [11], again: [10] }] });
  });

  it('takes a name where one input would not need it', async () => {
    expect((await call('floats:predict', { instances: [{ x: [1, 2] }] })).json()).toEqual({ predictions: [[1, 2]] });
  });
});

describe(':predict by column', () => {
  it('answers outputs', async () => {
    expect(text(await call('floats:predict', { inputs: [[1, 2]] }))).toBe('{"outputs":[[1.0,2.0]]}');
    expect((await call('floats:predict', { inputs: { x: [[1, 2]] } })).json()).toEqual({ outputs: [[1, 2]] });
    expect((await call('two:predict', { inputs: { a: [1, 2], b: [[3], [4]] } })).json()).toEqual({ outputs: { total: [[4], [6]], again: [[3], [4]] } });
  });

  it('keeps the shape of nested lists', async () => {
    const inputs = [
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ];
    expect((await call('cube:predict', { inputs })).json()).toEqual({ outputs: inputs });
  });
});

describe('values', () => {
  it.each([
    ['longs', '[9223372036854775807,-9223372036854775808,1]'],
    ['ulongs', '[18446744073709551615,0]'],
    ['bytes', '[0,255]'],
    ['flags', '[true,false]'],
    ['doubles', '[0.1,1.0,1e-300,NaN,Infinity,-Infinity]'],
    ['halves', '[0.5,1.0,NaN]'],
  ])('%s come back exactly: %s', async (model, list) => {
    expect(text(await call(`${model}:predict`, `{"instances":${list}}`))).toBe(`{"predictions":${list}}`);
  });

  it('takes NaN and infinities bare, and leaves strings that look like them alone', async () => {
    expect(text(await call('floats:predict', '{"instances":[[NaN,-Infinity]], "note": "NaN, \\"Infinity"}'))).toBe('{"predictions":[[NaN,-Infinity]]}');
    expect(text(await call('texts:predict', '{"instances":[["NaN","-Infinity"]]}'))).toBe('{"predictions":[["NaN","-Infinity"]]}');
    expect((await call('texts:predict', '{"instances":[[NaN,"x"]]}')).json().error).toContain('JSON Value: NaN Type: Number is not of expected type: string');
  });

  it('takes base64 for strings, and sends it for outputs named …_bytes', async () => {
    const b64 = Buffer.from('héllo').toString('base64');
    expect((await call('image:predict', { instances: [{ b64 }] })).json()).toEqual({ predictions: [{ b64 }] });
    expect((await call('image:predict', { instances: [{ image_bytes: { b64 } }] })).json()).toEqual({ predictions: [{ b64 }] });
    expect((await call('image:predict', { inputs: [{ b64 }] })).json()).toEqual({ outputs: [{ b64 }] });
    expect((await call('texts:predict', { instances: [[{ b64 }, 'x']] })).json()).toEqual({ predictions: [['héllo', 'x']] });
  });
});

it('feeds a matrix by the names of its columns, where the signature has some', async () => {
  const signature = { inputs: ['a', 'b'].map((name) => ({ name, type: 'double' })), outputs: [] };
  await kit.deploy('named', sum(2), signature);
  expect(text(await call('named:predict', '{"instances":[{"a":1,"b":2},{"b":[4],"a":NaN}]}'))).toBe('{"predictions":[[3.0],[NaN]]}');
  expect(text(await call('named:predict', { inputs: { a: [1, 2], b: [[3], [4]] } }))).toBe('{"outputs":[[4.0],[6.0]]}');
  expect(text(await call('named:predict', { instances: [[1, 2]] }))).toBe('{"predictions":[[3.0]]}');
  expect((await call('named:predict', { instances: [{ a: 1 }] })).json().error).toContain("'b'");
  expect((await call('named:predict', { inputs: { a: [1, 2], b: [3] } })).status).toBe(400);
  expect((await call('named:predict', { instances: [{ a: 1, b: [1, 2] }] })).json().error).toContain('is no value of the column b');
});

it('a table of named rows costs what the model has columns, and may not be mostly holes', async () => {
  const column = (i: number) => ({ name: `c${i}`, type: 'double' });
  await kit.deploy('wide', sum(100), { inputs: Array.from({ length: 100 }, (_, i) => column(i)), outputs: [] });
  const row = (names: number) => Object.fromEntries(Array.from({ length: names }, (_, i) => [`c${i}`, 1]));
  // A name that is no column's is not even looked at.
  expect((await call('wide:predict', { instances: [{ ...row(100), other: { no: 'value' } }] })).json()).toEqual({ predictions: [[100]] });
  const holes = await call('wide:predict', { instances: [row(100), ...Array.from({ length: 50_000 }, () => ({}))] });
  expect(holes.status).toBe(400);
  expect(holes.json().error).toContain('the 50001 instances lack most of the 100 columns');
});

describe(':classify and :regress', () => {
  it('maps examples to the inputs and answers labels with scores', async () => {
    const reply = await call('classifier:classify', { examples: [{ x: [1, 0] }, { x: [0.5, 0.5] }] });
    expect(reply.status, text(reply)).toBe(200);
    const [first, second] = reply.json().results;
    expect(first.map(([label]: [string]) => label)).toEqual(['0', '1']);
    expect(first[0][1]).toBeCloseTo(0.731, 3);
    expect(second).toEqual([
      ['0', 0.5],
      ['1', 0.5],
    ]);
  });

  it('adds the context to every example', async () => {
    expect((await call('two:predict', { instances: [{ a: 1, b: 10 }] })).status).toBe(200);
    expect(text(await call('sum:regress', { examples: [{ x: [1, 2] }, { x: [3, 4] }], signature_name: 'regression' }))).toBe('{"results":[6.0,14.0]}');
    const reply = await call('sum:regress', { context: { x: [5, 5] }, examples: [{}, { x: [1, 1] }] });
    expect(text(reply)).toBe('{"results":[20.0,4.0]}');
  });

  it('feeds the columns of a table', async () => {
    const signature = { inputs: ['a', 'b'].map((name) => ({ name, type: 'double' })), outputs: [] };
    await kit.deploy('table', sum(2), signature);
    expect(
      text(
        await call('table:regress', {
          examples: [
            { a: 1, b: 2 },
            { b: 4, a: 3.5 },
          ],
        }),
      ),
    ).toBe('{"results":[3.0,7.5]}');
    expect((await call('table:regress', { examples: [{ a: 1 }] })).json().error).toContain("'b'");
  });

  it.each([
    ['sum:classify', { examples: [{ x: [1, 2] }] }, 'Expected classification signature outputs to contain at least one of "classes" or "scores"'],
    ['floats:regress', { examples: [{ x: [1, 2] }] }, 'No regression outputs found in SignatureDef'],
    ['sum:regress', { examples: [] }, "'examples' value is an empty array"],
    ['sum:regress', {}, "When method is classify, key 'examples' is expected and was not found"],
    ['sum:regress', { examples: [1] }, 'Example must be JSON object but got JSON Number'],
    ['sum:regress', { examples: [{ x: [1, 'a'] }] }, 'Unexpected element type in feature: x expecting type: float'],
    ['sum:regress', { examples: [{ x: [[1]] }] }, 'Feature: x has element with unexpected JSON type: Array'],
    ['sum:regress', { examples: [{ y: 1 }] }, "lack the feature 'x'"],
    ['sum:regress', { examples: [{ x: [1, 2, 3] }] }, 'Key: x, Index: 0.  Number of values != expected.'],
    ['sum:regress', { examples: [{ x: [1, 2] }], signature_name: 'classification' }, 'No signature was found with the name: classification'],
    ['sum:regress', { examples: [{ x: [1, 2] }], signature_name: 1 }, "'signature_name' key must be a string value"],
  ])('refuses %s %j', async (path, body, why) => {
    const reply = await call(path, body);
    expect(reply.status).toBe(400);
    expect(reply.json().error).toContain(why);
  });
});

describe('what cannot be predicted', () => {
  it.each([
    ['', 'JSON Parse error: The document is empty'],
    ['{', 'JSON Parse error: '],
    ['[1]', 'JSON Value: [1] Is not object'],
    ['{}', "Missing 'inputs' or 'instances' key"],
    ['{"instances":1}', "Expecting 'instances' to be an list/array"],
    ['{"instances":[]}', "No values in 'instances' array"],
    ['{"instances":[[1,2]],"inputs":[[1,2]]}', "expecting only one of 'inputs' or 'instances' keys to exist"],
    ['{"instances":[[1,2],{"x":[1,2]}]}', 'Expecting value/list but got object at item 1 of input list'],
    ['{"instances":[{"x":[1,2]},[1,2]]}', 'Expecting object but got list at item 1 of input list'],
    [
      '{"instances":[{"y":[1,2]}]}',
      "Failed to process element: 0 key: y of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have named input: y",
    ],
    ['{"instances":[{}]}', 'keys must be equal to: x'],
    ['{"instances":[[1,2],[1]]}', "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor size: 2 but got: 1"],
    ['{"instances":[[1,"a"]]}', 'JSON Value: "a" Type: String is not of expected type: float'],
    ['{"instances":[[1,null]]}', 'JSON Value: null Type: Null is not of expected type: float'],
    ['{"instances":[[1,[2]]]}', 'Encountered list at unexpected level: 1 expected < 1'],
    ['{"inputs":[[1,2],[1]]}', 'Encountered list at unexpected size: 1 at level: 1 expected size: 2'],
    ['{"inputs":[[1,2],3]}', 'found at incorrect level: 2 in the JSON DOM. Expected at level: 2'],
    ['{"inputs":{"y":1}}', "Missing named input: x in 'inputs' object."],
    ['{"instances":[[1,2]],"signature_name":"other"}', 'Serving signature name: "other" not found in signature def'],
    ['{"instances":[[1,2,3]]}', "unexpected shape for input 'x'"],
  ])('%s is a 400 in the words of TensorFlow Serving', async (body, why) => {
    const reply = await call('floats:predict', body);
    expect(reply.status).toBe(400);
    expect(reply.json().error).toContain(why);
  });

  it('says which other shape a model of several inputs needs', async () => {
    expect((await call('two:predict', { instances: [1] })).json().error).toContain('instances is a plain list, but expecting list of objects');
    expect((await call('two:predict', { inputs: [1] })).json().error).toContain('inputs is a plain value/list, but expecting an object');
  });

  it('refuses integers that do not fit, and broken base64', async () => {
    for (const list of ['[256]', '[-1]', '[1.5]', '[true]']) expect((await call('bytes:predict', `{"instances":${list}}`)).json().error).toContain('uint8');
    expect((await call('longs:predict', '{"instances":[9223372036854775808]}')).status).toBe(400);
    expect((await call('image:predict', { instances: [{ b64: '*' }] })).json().error).toContain('Unable to base64 decode');
    expect((await call('image:predict', { instances: [{ b64: '/w==' }] })).json().error).toContain('UTF-8');
    for (const b64 of ['a===', '=a', 'aGk= =']) expect((await call('image:predict', { instances: [{ b64 }] })).json().error).toContain('base64');
    expect((await call('image:predict', { instances: [{ b64: ' aG\nk= ' }] })).json()).toEqual({ predictions: [{ b64: 'aGk=' }] });
    // In linear time: looked at again and again, this takes minutes.
    expect((await call('image:predict', { instances: [{ b64: `${' '.repeat(900_000)}*` }] })).json().error).toContain('base64');
  });

  it('makes no room for what a few long first lists claim', async () => {
    const wide = `[${'0,'.repeat(99_999)}0]`;
    const reply = await call('cube:predict', `{"inputs":[${wide}${',[]'.repeat(100_000)}]}`);
    expect(reply.status).toBe(400);
    expect(reply.json().error).toContain('Encountered list at unexpected size: 0');
  });

  it('names the servable that is not found', async () => {
    const reply = await call('nobody:predict', { instances: [1] });
    expect(reply.status).toBe(404);
    expect(reply.json()).toEqual({ error: 'Servable not found for request: Latest(nobody)' });
    expect((await call('floats/versions/7:predict', { instances: [[1, 2]] })).json()).toEqual({ error: 'Servable not found for request: Specific(floats, 7)' });
    expect((await call('floats/labels/stable:predict', { instances: [[1, 2]] })).json()).toEqual({ error: 'Unrecognized servable version label: stable' });
  });

  it.each([
    ['POST', 'floats:explain'],
    ['POST', 'floats'],
    ['GET', 'floats:predict'],
    ['PUT', 'floats'],
    ['POST', 'floats/versions/x:predict'],
  ])('%s %s is a malformed request', async (method, path) => {
    const reply = await send(`${kit.url}/v1/models/${path}`, { method });
    expect(reply.status).toBe(400);
    expect(reply.json()).toEqual({ error: `Malformed request: ${method} /v1/models/${path}` });
  });

  it('refuses a body that is too large, and counts every refusal of an endpoint', async () => {
    const before = kit.serving.stats('floats').total.errors;
    expect((await call('floats:predict', `{"instances":[${'1,'.repeat(600_000)}1]}`)).status).toBe(413);
    await call('floats:predict', '{');
    await call('floats:predict', { instances: [[1]] });
    await call('floats/labels/none:predict', { instances: [[1, 2]] });
    expect(kit.serving.stats('floats').total.errors - before).toBe(4);
  });
});

describe('gzip', () => {
  it('is taken and sent', async () => {
    const reply = await send(`${kit.url}/v1/models/floats:predict`, {
      body: gzipSync('{"instances":[[1,2]]}'),
      headers: { 'content-encoding': 'gzip', 'accept-encoding': 'gzip' },
    });
    expect(reply.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(reply.body).toString()).toBe('{"predictions":[[1.0,2.0]]}');
  });
});

describe('versions, labels, status and metadata', () => {
  it('pins versions and labels', async () => {
    const first = await kit.registry.add('many', sum(1, 1));
    const second = await kit.registry.add('many', sum(1, 10));
    await kit.registry.move('many', 'stable', first.version);
    await kit.registry.move('many', 'canary', second.version);
    await kit.serving.deploy('many', {
      model: 'many',
      traffic: [
        { version: first.version, weight: 100, shadow: false },
        { version: second.version, weight: 0, shadow: true },
      ],
    });
    const ask = async (path: string) => (await call(`${path}:predict`, { instances: [[1]] })).json();
    expect(await ask('many')).toEqual({ predictions: [[1]] });
    expect(await ask('many/versions/2')).toEqual({ predictions: [[10]] });
    expect(await ask('many/labels/canary')).toEqual({ predictions: [[10]] });
    await kit.registry.move('many', 'canary', 1);
    await until(async () => (await ask('many/labels/canary')).predictions[0][0] === 1);

    const available = (version: string) => ({ version, state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } });
    const status = async (path: string) => (await send(`${kit.url}/v1/models/${path}`)).json();
    expect(await status('many')).toEqual({ model_version_status: [available('2'), available('1')] });
    expect(await status('many/versions/1')).toEqual({ model_version_status: [available('1')] });
    expect(await status('many/labels/stable')).toEqual({ model_version_status: [available('1')] });
    expect(await status('many/versions/9')).toEqual({ error: 'Could not find version 9 of model many' });
    expect(await status('nobody')).toEqual({ error: 'Could not find any versions of model nobody' });
    expect(await status('')).toEqual({ error: 'Malformed request: GET /v1/models/' });
  });

  it('says why a version did not load', async () => {
    const { version } = await kit.registry.add('broken', new Uint8Array([1, 2, 3]));
    await kit.serving.deploy('broken', { model: 'broken', traffic: [{ version, weight: 100, shadow: false }] });
    const [only] = (await send(`${kit.url}/v1/models/broken`)).json().model_version_status;
    expect(only).toMatchObject({ version: '1', state: 'END', status: { error_code: 'UNKNOWN' } });
    expect(only.status.error_message).not.toBe('');
    expect((await call('broken:predict', { instances: [1] })).json()).toEqual({ error: 'Servable not found for request: Latest(broken)' });
  });

  it('tells the signature', async () => {
    const reply = await send(`${kit.url}/v1/models/two/metadata`);
    const tensor = (name: string) => ({
      dtype: 'DT_FLOAT',
      tensor_shape: {
        dim: [
          { size: '-1', name: '' },
          { size: '1', name: '' },
        ],
        unknown_rank: false,
      },
      name,
    });
    expect(reply.json()).toEqual({
      model_spec: { name: 'two', signature_name: '', version: '1' },
      metadata: {
        signature_def: {
          signature_def: {
            serving_default: {
              inputs: { a: tensor('a'), b: tensor('b') },
              outputs: { total: tensor('total'), again: tensor('again') },
              method_name: 'tensorflow/serving/predict',
              defaults: {},
            },
          },
        },
      },
    });
    const signatures = (await send(`${kit.url}/V1/models/classifier/versions/1/metadata`)).json().metadata.signature_def.signature_def;
    expect(Object.keys(signatures)).toEqual(['serving_default', 'classification']);
    expect(signatures.classification).toMatchObject({ method_name: 'tensorflow/serving/classify', inputs: { inputs: { dtype: 'DT_STRING' } } });
    expect((await send(`${kit.url}/v1/models/nobody/metadata`)).json()).toEqual({ error: 'Servable not found for request: Latest(nobody)' });
  });
});

it('logs predictions like any other', async () => {
  const before = kit.predictions.length;
  const reply = await call('sum:regress', { examples: [{ x: [1, 2] }] }, { 'x-request-id': 'mine' });
  expect(reply.headers['x-request-id']).toBe('mine');
  await until(() => kit.predictions.length > before);
  expect(kit.predictions.at(-1)).toMatchObject({ endpoint: 'sum', requestId: 'mine', rows: 1 });
});

it('a client that goes away leaves the queue', async () => {
  await kit.deploy('slow', slow(40, 256));
  const controller = new AbortController();
  const row = Array.from({ length: 256 }, () => 1);
  const gone = fetch(`${kit.url}/v1/models/slow:predict`, {
    method: 'POST',
    body: JSON.stringify({ instances: Array.from({ length: 64 }, () => row) }),
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(), 5);
  await expect(gone).rejects.toThrow('abort');
  expect((await call('slow:predict', { instances: [row] })).status).toBe(200);
});
