import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classify } from '../../src/protocols/open-inference/classification.ts';
import type { LoadedModel, RunCall, Tensor } from '../../src/serving/index.ts';
import { byteKeeper } from '../support/byte-keeper.ts';
import { graph, identity, sum, value } from '../support/onnx-graphs.ts';
import { send, type ServingKit, servingKit, until } from '../support/serving.ts';

const keeper = byteKeeper();
/** Waits until its request is given up. */
const patient = { waiting: 0, ended: 0 };
const waits: LoadedModel = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  tier: 'remote',
  runMicros: Number.NaN,
  rowMicros: Number.NaN,
  batchable: false,
  slots: 1,
  endsOnAbort: true,
  execute: (_inputs, _outputs, call) =>
    new Promise((_, reject) => {
      patient.waiting++;
      call?.signal?.addEventListener('abort', () => {
        patient.ended++;
        reject(new Error('ended'));
      });
    }),
  async close() {},
};

let kit: ServingKit;
const remote = (model: string) => ({ kind: 'remote' as const, protocol: 'open-inference' as const, url: 'http://127.0.0.1:1', model });
beforeAll(async () => {
  kit = await servingKit({ runtimes: { remote: { load: async (pkg) => (pkg.model === 'waits' ? waits : keeper.load(pkg)) } } });
  await kit.deploy('sum', sum(2));
  await kit.deploy('scores', identity('FP32', ['N', 4]));
  await kit.deploy('text', identity('BYTES', ['N', 1]));
  await kit.deploy('big', identity('INT64', ['N', 2]));
  await kit.deploy(
    'mixed',
    graph({
      nodes: [
        { opType: 'Identity', input: ['text_input'], output: ['text_output'] },
        { opType: 'Identity', input: ['n'], output: ['count'] },
      ],
      inputs: [value('text_input', 'BYTES', [1]), value('n', 'INT32', ['K'])],
      outputs: [value('text_output', 'BYTES', [1]), value('count', 'INT32', ['K'])],
    }),
  );
  await kit.deployOther('keeps', remote('keeps'));
  await kit.deployOther('waits', remote('waits'));
});
afterAll(() => kit.close());

const last = (): RunCall => keeper.calls.at(-1) as RunCall;
const keep = (parameters: object) => kit.infer('keeps', { parameters, inputs: [{ name: 'x', datatype: 'BYTES', shape: [1, 2], data: ['a', 'b'] }] });

it('what takes memory elsewhere tells none in the statistics', async () => {
  expect((await keep({})).status).toBe(200);
  expect((await send(`${kit.url}/v2/models/keeps/stats`)).json().model_stats).toMatchObject([{ name: 'keeps', memory_usage: [] }]);
});

describe('parameters', () => {
  it('reach the runtime', async () => {
    const parameters = {
      priority: 2,
      timeout: 500_000,
      sequence_id: 7,
      sequence_start: true,
      own: 'x',
      n: 1,
      yes: true,
      triton_hidden: 1,
      binary_data_output: false,
    };
    expect((await keep(parameters)).status).toBe(200);
    expect(last()).toMatchObject({
      priority: 2,
      timeoutMicros: 500_000,
      sequence: { id: 7n, start: true, end: false },
      parameters: { own: 'x', n: 1, yes: true },
    });
    expect((await keep({ sequence_id: 'a-b', sequence_end: true })).status).toBe(200);
    expect(last().sequence).toEqual({ id: 'a-b', start: false, end: true });
    expect((await keep({ sequence_id: 0, priority: 0, timeout: 0 })).status).toBe(200);
    expect([last().sequence, last().priority, last().timeoutMicros]).toEqual([undefined, undefined, undefined]);
  });

  it('a sequence may have any id of 64 bits', async () => {
    const body = '{"parameters":{"sequence_id":18446744073709551615},"inputs":[{"name":"x","datatype":"BYTES","shape":[1,2],"data":["UINT64",""]}]}';
    const reply = await send(`${kit.url}/v2/models/keeps/infer`, { body });
    expect(reply.status).toBe(200);
    expect(last().sequence?.id).toBe(18446744073709551615n);
  });
});

describe('strings', () => {
  it('keep bytes that are no text where the runtime does', async () => {
    const bytes = Buffer.from('\x03\0\0\0\xff\x00\x80\x02\0\0\0\xc3\xa9', 'latin1');
    const ask = (endpoint: string, shape: number[], more: object) => {
      const json = Buffer.from(JSON.stringify({ ...more, inputs: [{ name: 'x', datatype: 'BYTES', shape, parameters: { binary_data_size: bytes.length } }] }));
      return send(`${kit.url}/v2/models/${endpoint}/infer`, {
        body: Buffer.concat([json, bytes]),
        headers: { 'inference-header-content-length': json.length },
      });
    };
    const reply = await ask('keeps', [1, 2], { parameters: { binary_data_output: true } });
    expect(reply.body.subarray(Number(reply.headers['inference-header-content-length']))).toEqual(bytes);
    expect((await ask('keeps', [1, 2], {})).json().error).toMatch(/bytes that are no UTF-8 and have no JSON form/);
    expect((await ask('text', [2, 1], {})).json().error).toMatch(/string 0 is not UTF-8/);
  });

  it('are text in JSON', async () => {
    const half = await send(`${kit.url}/v2/models/keeps/infer`, {
      body: '{"inputs":[{"name":"x","datatype":"BYTES","shape":[1,2],"data":["\\ud800","b"]}]}',
    });
    expect([half.status, half.json().error]).toEqual([400, expect.stringContaining('half of a surrogate pair')]);
  });
});

describe('classification', () => {
  const ask = (rows: number[][], count: number, more: object = {}) =>
    kit.infer('scores', {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [rows.length, 4], data: rows.flat() }],
      outputs: [{ name: 'y', parameters: { classification: count, ...more } }],
    });

  it('gives the best of each row', async () => {
    expect((await ask([[0.5, 3, -1, 2]], 2)).json().outputs).toEqual([{ name: 'y', datatype: 'BYTES', shape: [1, 2], data: ['3.000000:1', '2.000000:3'] }]);
    expect((await ask([[1, 1, 1, 0].reverse(), [1e22, 1, 2, 3]], 9)).json().outputs[0]).toMatchObject({
      shape: [2, 4],
      data: ['1.000000:1', '1.000000:2', '1.000000:3', '0.000000:0', '9999999778196308361216.000000:0', '3.000000:3', '2.000000:2', '1.000000:1'],
    });
    const binary = await ask([[4, 3, 2, 1]], 1, { binary_data: true });
    const json = Number(binary.headers['inference-header-content-length']);
    expect(binary.body.subarray(json).toString('latin1')).toBe('\x0a\0\0\x004.000000:0');
    expect((await ask([[4, 3, 2, 1]], 0)).json().outputs[0].datatype).toBe('FP32');
    const text = await kit.infer('text', {
      inputs: [{ name: 'x', datatype: 'BYTES', shape: [1, 1], data: ['a'] }],
      outputs: [{ name: 'y', parameters: { classification: 1 } }],
    });
    expect([text.status, text.json().error]).toEqual([501, "class result not available for output due to unsupported type 'BYTES'"]);
  });

  it('names them by the model’s labels', () => {
    const version = (settings: Record<string, string>, batchable = true) => ({ batchable, pkg: { settings } }) as never;
    const tensor = (data: Tensor['data'], datatype: Tensor['datatype'] = 'FP32', shape = [1, 3]): Tensor => ({ name: 'y', datatype, shape, data });
    const of = (settings: Record<string, string>) => classify(tensor(Float32Array.of(1, 3, 2)), 2, version(settings)).data;
    expect(of({ labels: '["cat","dog","cow"]' })).toEqual(['3.000000:1:dog', '2.000000:2:cow']);
    expect(of({ 'labels.y': 'a\nb\n', labels: 'x\ny\nz' })).toEqual(['3.000000:1:b', '2.000000:2']);
    expect(of({ 'binnacle.labels': 'a,b\r\nc' })).toEqual(['3.000000:1:c', '2.000000:2']);
    expect(classify(tensor(BigInt64Array.of(5n, -1n, 2n ** 60n), 'INT64'), 1, version({})).data).toEqual(['1152921504606846976:2']);
    expect(classify(tensor(Float32Array.of(Number.NaN, 1, 2)), 3, version({})).data).toEqual(['2.000000:2', '1.000000:1', 'nan:0']);
    // Without a batch the whole tensor is one row.
    const whole = classify(tensor(Float32Array.of(1, 2, 3, 4), 'FP32', [2, 2]), 2, version({}, false));
    expect([whole.shape, whole.data]).toEqual([[2], ['4.000000:3', '3.000000:2']]);
  });
});

it('an output that cannot be given as asked for counts as an error', async () => {
  await kit.deploy('counted', identity('FP16', ['N', 2]));
  const json = Buffer.from(JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP16', shape: [1, 2], parameters: { binary_data_size: 4 } }] }));
  const ask = (more: object) => {
    const head = Buffer.from(JSON.stringify({ ...JSON.parse(json.toString()), ...more }));
    return send(`${kit.url}/v2/models/counted/infer`, {
      body: Buffer.concat([head, Buffer.alloc(4)]),
      headers: { 'inference-header-content-length': head.length },
    });
  };
  expect((await ask({})).status).toBe(400);
  expect((await ask({ outputs: [{ name: 'y', parameters: { shared_memory_region: 'none', shared_memory_byte_size: 4 } }] })).status).toBe(404);
  expect((await ask({ parameters: { binary_data_output: true } })).status).toBe(200);
  await until(() => kit.serving.stats('counted').total.requests === 3);
  expect(kit.serving.stats('counted').total.errors).toBe(2);
});

describe('generate', () => {
  const ask = (endpoint: string, body: object | string, how = 'generate') =>
    send(`${kit.url}/v2/models/${endpoint}/${how}`, { body: typeof body === 'string' ? body : JSON.stringify(body) });

  it('takes fields for inputs and gives outputs as fields', async () => {
    expect((await ask('mixed', { text_input: 'hi', n: [1, 2], id: 'g1' })).body.toString()).toBe(
      '{"id":"g1","model_name":"mixed","model_version":"1","text_output":"hi","count":[1,2]}',
    );
    // Also among the parameters, where models keep what they are told.
    expect((await ask('mixed', { text_input: ['hi'], parameters: { n: 3, temperature: 0.5 } })).json()).toEqual({
      model_name: 'mixed',
      model_version: '1',
      text_output: 'hi',
      count: 3,
    });
    expect((await ask('scores', { x: [1, 2, 3, 4, 5, 6, 7, 8] })).json().y).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect((await ask('big', '{"x":[9223372036854775807,1]}')).body.toString()).toContain('"y":[9223372036854775807,1]');
    expect((await ask('keeps', { x: ['a', 'b'], stream: true, temperature: 0.7 })).status).toBe(200);
    expect(last().parameters).toEqual({ stream: true, temperature: 0.7 });
  });

  it('streams as events', async () => {
    const reply = await ask('mixed', { text_input: 'hi', n: 1 }, 'generate_stream');
    expect([reply.headers['content-type'], reply.body.toString()]).toEqual([
      'text/event-stream; charset=utf-8',
      'data: {"model_name":"mixed","model_version":"1","text_output":"hi","count":1}\n\n',
    ]);
    const wrong = await ask('mixed', { text_input: 'hi' }, 'generate_stream');
    expect([wrong.status, wrong.headers['content-type']]).toEqual([400, 'application/json']);
  });

  it.each([
    ['mixed', { text_input: 'hi' }, /^400 expected 2 inputs but got 1 inputs for model 'mixed'/],
    ['mixed', { text_input: 5, n: 1 }, /^400 Unable to parse JSON bytes array: attempt to access JSON non-string as string/],
    ['mixed', { text_input: ['a', 'b'], n: 1 }, /^400 unexpected shape for input 'text_input'/],
    ['mixed', { text_input: 'a', n: 1, parameters: { n: 2 } }, /^400 input 'n' already exists in request/],
    ['mixed', { text_input: 'a', n: 1, more: { a: 1 } }, /^400 parameter 'more' has invalid type/],
    ['scores', { x: [1, 2, 3] }, /^400 unexpected shape for input 'x'/],
    ['nope', { x: 1 }, /^404 Request for unknown model: 'nope' is not found/],
    ['mixed', '[', /^400 failed to parse the request JSON buffer/],
    ['mixed', '[]', /^400 the request must be a JSON object/],
  ])('refuses %s %s', async (endpoint, body, message) => {
    const reply = await ask(endpoint, body);
    expect(`${reply.status} ${reply.json().error}`).toMatch(message);
  });
});

it('a client that goes away ends its request', async () => {
  const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
  const open = () => {
    const socket = connect(Number(new URL(kit.url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST /v2/models/waits/infer HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    return socket;
  };
  const first = open();
  await until(() => patient.waiting === 1);
  // The second waits in the queue, since there is one place.
  const second = open();
  await until(() => kit.serving.inferenceStatistics('waits')[0]?.waiting === 1);
  second.destroy();
  await until(() => kit.serving.inferenceStatistics('waits')[0]?.waiting === 0);
  first.destroy();
  await until(() => patient.ended === 1);
  expect(patient).toEqual({ waiting: 1, ended: 1 });
});

it('a header or a cookie of the request can split the traffic', async () => {
  await kit.registry.add('split', sum(2, 1));
  await kit.registry.add('split', sum(2, 10));
  const traffic = [
    { version: 1, weight: 50, shadow: false },
    { version: 2, weight: 50, shadow: false },
  ];
  const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] };
  for (const [routing, headers] of [
    [{ by: 'header', header: 'x-user' }, (i: number) => ({ 'x-user': `u${i}` })],
    [{ by: 'header', cookie: 'session' }, (i: number) => ({ cookie: `a=b; session=s${i}` })],
  ] as const) {
    await kit.serving.deploy('split', { model: 'split', traffic, config: { routing } });
    const versions: Record<string, Set<string>> = {};
    for (let i = 0; i < 60; i++) {
      const key = i % 20;
      (versions[key] ??= new Set()).add((await kit.infer('split', body, headers(key))).json().model_version);
    }
    expect(Object.values(versions).every((seen) => seen.size === 1)).toBe(true);
    expect(new Set(Object.values(versions).flatMap((seen) => [...seen]))).toEqual(new Set(['1', '2']));
  }
});
