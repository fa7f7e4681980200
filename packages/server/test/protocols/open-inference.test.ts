import { connect } from 'node:net';
import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identity, sum, twoColumns } from '../support/onnx-graphs.ts';
import { send, type ServingKit, servingKit, until } from '../support/serving.ts';

let kit: ServingKit;
beforeAll(async () => {
  kit = await servingKit({ maxBodyBytes: 1 << 20, stallMs: 1500 });
  await kit.deploy('sum', sum(2));
  await kit.deploy('two', twoColumns());
  await kit.deploy('flat', identity('FP32', ['N']));
  await kit.deploy('image', identity('FP32', ['N', 3, 'H']));
  for (const type of ['FP32', 'FP16', 'INT64', 'UINT64', 'BOOL', 'BYTES', 'INT8']) await kit.deploy(type, identity(type));
});
afterAll(() => kit.close());

const tensor = (data: unknown, shape = [1, 2], datatype = 'FP32', name = 'x') => ({ inputs: [{ name, datatype, shape, data }] });
const error = async (endpoint: string, body: unknown) => {
  const reply = await kit.infer(endpoint, body);
  return `${reply.status} ${reply.json().error}`;
};
const bytes = (data: NodeJS.TypedArray) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
function binary(endpoint: string, header: object, ...parts: Buffer[]) {
  const json = Buffer.from(JSON.stringify(header));
  return send(`${kit.url}/v2/models/${endpoint}/infer`, { body: Buffer.concat([json, ...parts]), headers: { 'inference-header-content-length': json.length } });
}
const input = (size: number, shape = [1, 2], datatype = 'FP32') => ({ name: 'x', datatype, shape, parameters: { binary_data_size: size } });

const EXTENSIONS = [
  'classification',
  'sequence',
  'model_repository',
  'model_repository(unload_dependents)',
  'schedule_policy',
  'model_configuration',
  'system_shared_memory',
  'binary_tensor_data',
  'parameters',
  'statistics',
  'trace',
  'logging',
];

describe('the server', () => {
  it('names itself, and only what works', async () => {
    expect((await send(`${kit.url}/v2`)).json()).toEqual({ name: 'binnacle', version: '0.0.0', extensions: EXTENSIONS });
    expect((await send(`${kit.url}/v2/`)).status).toBe(200);
    expect((await send(`${kit.url}/v2/health/live`)).json()).toEqual({ live: true });
    expect((await send(`${kit.url}/v2/health/ready`)).json()).toEqual({ ready: true });
  });

  it('describes a model and its versions', async () => {
    const about = {
      name: 'sum',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
    };
    expect((await send(`${kit.url}/v2/models/sum`)).json()).toEqual(about);
    expect((await send(`${kit.url}/v2/models/sum/versions/1`)).json()).toEqual(about);
    expect((await send(`${kit.url}/v2/models/sum/ready`)).json()).toEqual({ name: 'sum', ready: true });
    expect((await send(`${kit.url}/v2/models/s%75m/versions/1/ready`)).status).toBe(200);
  });

  it('says what it does not have', async () => {
    expect((await send(`${kit.url}/v2/models/nope`)).json()).toEqual({ error: "Request for unknown model: 'nope' is not found" });
    const ready = await send(`${kit.url}/v2/models/nope/ready`);
    expect([ready.status, ready.json()]).toEqual([400, { error: 'Model version not ready' }]);
    expect((await send(`${kit.url}/v2/models/sum/versions/7`)).json()).toEqual({ error: "Request for unknown model: 'sum' version 7 is not found" });
    expect((await send(`${kit.url}/v2/models/sum/versions/abc/infer`, { body: '{}' })).status).toBe(404);
    expect((await send(`${kit.url}/v2/models/sum/versions/0`)).json()).toEqual({ error: "Request for unknown model: 'sum' version 0 is not found" });
    expect((await send(`${kit.url}/v2/nothing/here`)).status).toBe(404);
    expect((await send(`${kit.url}/v2/models/%E0%A4%A`)).status).toBe(400);
    expect(await error('nope', tensor([1, 2]))).toBe("404 Request for unknown model: 'nope' is not found");
  });

  it('refuses a wrong method with 405', async () => {
    for (const [path, method, allow] of [
      ['/v2/models/sum/infer', 'GET', 'POST'],
      ['/v2', 'POST', 'GET'],
      ['/v2/models/sum', 'DELETE', 'GET'],
    ] as const) {
      const reply = await send(`${kit.url}${path}`, { method });
      expect([reply.status, reply.headers.allow]).toEqual([405, allow]);
    }
  });
});

describe('JSON tensors', () => {
  it('are answered with the caller’s id, or one of ours', async () => {
    const own = await kit.infer('sum', { id: 'a-1', ...tensor([1, 2]) });
    expect(own.body.toString()).toBe('{"model_name":"sum","model_version":"1","id":"a-1","outputs":[{"name":"y","datatype":"FP32","shape":[1,1],"data":[3]}]}');
    expect(own.headers['x-request-id']).toBe('a-1');
    const ours = await kit.infer('sum', tensor([1, 2]));
    expect(ours.json().id).toMatch(/^[0-9a-f-]{36}$/);
    expect(ours.headers['x-request-id']).toBe(ours.json().id);
    expect((await kit.infer('sum', tensor([1, 2]), { 'x-request-id': 'h-1' })).json().id).toBe('h-1');
  });

  it('large ones come back whole, of several outputs, packed or not', async () => {
    const rows = 5000;
    const a = Float32Array.from({ length: rows }, (_, i) => Math.fround(Math.sin(i)));
    const b = Float32Array.from({ length: rows }, (_, i) => Math.fround(i / 7));
    const body = {
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [rows, 1], data: [...a] },
        { name: 'b', datatype: 'FP32', shape: [rows, 1], data: [...b] },
      ],
    };
    for (const headers of [{}, { 'accept-encoding': 'gzip' }] as Record<string, string>[]) {
      const reply = await kit.infer('two', body, headers);
      const json = JSON.parse((reply.headers['content-encoding'] === 'gzip' ? gunzipSync(reply.body) : reply.body).toString());
      const [total, again] = json.outputs.map(({ data }: { data: number[] }) => Float32Array.from(data));
      expect(again).toEqual(b);
      expect(total).toEqual(a.map((value, i) => Math.fround(value + (b[i] as number))));
    }
  });

  it('may be nested, and of many rows', async () => {
    expect(
      (
        await kit.infer(
          'sum',
          tensor(
            [
              [1, 2],
              [3, 4],
            ],
            [2, 2],
          ),
        )
      ).json().outputs[0].data,
    ).toEqual([3, 7]);
    expect(
      (
        await kit.infer(
          'image',
          tensor(
            [
              [
                [1, 2],
                [3, 4],
                [5, 6],
              ],
            ],
            [1, 3, 2],
          ),
        )
      ).json().outputs[0],
    ).toMatchObject({ shape: [1, 3, 2], data: [1, 2, 3, 4, 5, 6] });
  });

  it('keep 64-bit integers exactly, both ways', async () => {
    const text = '{"inputs":[{"name":"x","datatype":"INT64","shape":[1,2],"data":[9223372036854775807,-9223372036854775808]}]}';
    const reply = await send(`${kit.url}/v2/models/INT64/infer`, { body: text });
    expect(reply.body.toString()).toContain('"data":[9223372036854775807,-9223372036854775808]');
    const unsigned = await send(`${kit.url}/v2/models/UINT64/infer`, {
      body: text.replace('INT64', 'UINT64').replace('-9223372036854775808', '18446744073709551615').replace('9223372036854775807', '0'),
    });
    expect(unsigned.body.toString()).toContain('"data":[0,18446744073709551615]');
  });

  it('carry booleans and strings', async () => {
    expect((await kit.infer('BOOL', tensor([true, false], [1, 2], 'BOOL'))).json().outputs[0].data).toEqual([true, false]);
    expect((await kit.infer('BYTES', tensor(['größe', '🚢'], [1, 2], 'BYTES'))).json().outputs[0].data).toEqual(['größe', '🚢']);
  });

  it('show what is not finite as null', async () => {
    expect((await binary('FP32', { inputs: [input(8)] }, bytes(Float32Array.of(Number.NaN, 1)))).json().outputs[0].data).toEqual([null, 1]);
  });

  it('give the outputs that are asked for', async () => {
    const body = { inputs: ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [1, 1], data: [2] })), outputs: [{ name: 'again' }] };
    expect((await kit.infer('two', body)).json().outputs).toEqual([{ name: 'again', datatype: 'FP32', shape: [1, 1], data: [2] }]);
    expect(await error('two', { ...body, outputs: [{ name: 'q' }] })).toBe("400 unexpected inference output 'q' for model 'two'; it has ['total','again']");
  });

  it.each([
    ['{', /^400 failed to parse the request JSON buffer: /],
    ['[]', /the request must be a JSON object/],
    ['{}', /^400 Unable to parse 'inputs': attempt to access non-existing object member 'inputs'/],
    ['{"inputs":5}', /attempt to access JSON non-array as array/],
    ['{"inputs":[5]}', /no field is set \(element 0 of 'inputs' is no object\)/],
    ['{"inputs":[{"shape":[1]}]}', /element 0 of 'inputs'/],
    ['{"inputs":[{"name":"x","shape":[1,2],"data":[1,2]}]}', /non-existing object member 'datatype'/],
    ['{"inputs":[{"name":"x","shape":[1,2],"datatype":"FLOAT","data":[1,2]}]}', /^400 invalid datatype for input x: 'FLOAT' is not known/],
    ['{"inputs":[{"name":"x","shape":[1,2],"datatype":"BF16","data":[1,2]}]}', /^501 .*BF16/],
    ['{"inputs":[{"name":"x","datatype":"FP32","data":[1,2]}]}', /'shape': attempt to access non-existing object member 'shape'/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[-1,2],"data":[1,2]}]}', /\[-1,2\] is not a shape/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1.5,2],"data":[1,2]}]}', /is not a shape/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1e9,1e9],"data":[1,2]}]}', /is not a shape/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1000000000,2],"data":[1,2]}]}', /needs 2000000000 values, got 2/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2]}]}', /no field is set/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2,3]}]}', /Shape does not match true shape of 'data' field/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1]}]}', /needs 2 values, got 1/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[[[1,2]]]}]}', /nested deeper than its shape/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[[1],2]}]}', /mixes values and lists/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,"2"]}]}', /value 1: expected a number for FP32, got "2"/],
    [
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,null]}]}',
      /value 1: expected a number for FP32, got null; a missing value has no JSON form/,
    ],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,NaN]}]}', /NaN has no JSON form: send the tensor as binary data/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,-Infinity]}]}', /-Infinity has no JSON form/],
    ['{"inputs":[{"name":"x","datatype":"FP64","shape":[1,2],"data":[1,2]}]}', /data-type is 'FP64', but model 'sum' expects 'FP32'/],
    [
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[1,2,3]}]}',
      /unexpected shape for input 'x' for model 'sum'. Expected \[-1,2\], got \[1,3\]/,
    ],
    ['{"inputs":[{"name":"z","datatype":"FP32","shape":[1,2],"data":[1,2]}]}', /unexpected inference input 'z'/],
    ['{"inputs":[]}', /expected 1 inputs but got 0 inputs/],
    ['{"inputs":[],"outputs":[{}]}', /element 0 of 'outputs'/],
    ['{"id":5,"inputs":[]}', /Unable to parse 'id': attempt to access JSON non-string as string/],
    ['{"id":"a b","inputs":[]}', /printable ASCII/],
    ['{"parameters":{"sequence_id":7},"inputs":[]}', /^400 expected 1 inputs/],
    ['{"parameters":{"binary_data_output":"yes"},"inputs":[]}', /must be true or false/],
    ['{"parameters":{"sequence_id":-7},"inputs":[]}', /^400 Unable to parse 'sequence_id'/],
    ['{"parameters":{"sequence_start":1},"inputs":[]}', /^400 Unable to parse 'sequence_start'/],
    ['{"parameters":{"priority":-1},"inputs":[]}', /^400 Unable to parse 'priority': attempt to access JSON non-unsigned-integer/],
    ['{"parameters":{"timeout":"x"},"inputs":[]}', /^400 Unable to parse 'timeout'/],
    ['{"parameters":{"own":{"a":1}},"inputs":[]}', /^400 parameter 'own' has invalid type. It should be either 'int', 'bool', or 'string'./],
    ['{"parameters":5,"inputs":[]}', /^400 failed to get request params.: attempt to get members for non-object/],
    ['{"inputs":[],"outputs":[{"name":"y","parameters":{"classification":-1}}]}', /^400 Unable to set 'classification'/],
    ['{"inputs":[{"name":"x","datatype":"BF16","shape":[1,2],"data":[1,2]}]}', /^501 receiving BF16 data via JSON is not supported/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"shared_memory_region":"r"}}]}', /^400 Unable to parse 'shared_memory_byte_size'/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]}', /Inference-Header-Content-Length is missing/],
  ])('are refused clearly: %s', async (body, message) => {
    const reply = await send(`${kit.url}/v2/models/sum/infer`, { body });
    expect(`${reply.status} ${reply.json().error}`).toMatch(message);
  });

  it('of half precision and integers out of range are refused', async () => {
    expect(await error('FP16', tensor([1, 2], [1, 2], 'FP16'))).toMatch(
      /receiving FP16 data via JSON is not supported. Please use the binary data format for input x/,
    );
    expect(await error('INT8', tensor([1, 128], [1, 2], 'INT8'))).toMatch(/value 1: 128 does not fit INT8/);
    expect(await error('INT64', tensor([1, 1.5], [1, 2], 'INT64'))).toMatch(/whole number for INT64, got 1.5/);
    expect(await error('UINT64', tensor([1, -1], [1, 2], 'UINT64'))).toMatch(/-1 does not fit UINT64/);
    expect(await error('BOOL', tensor([1, 'x'], [1, 2], 'BOOL'))).toMatch(/true or false/);
    expect(await error('BYTES', tensor(['a', 1], [1, 2], 'BYTES'))).toMatch(/expected a string/);
    expect(await error('BYTES', tensor(['a', 'b\0'], [1, 2], 'BYTES'))).toMatch(/NUL/);
    const half = await binary('FP16', { inputs: [input(4, [1, 2], 'FP16')] }, bytes(Uint16Array.of(1, 2)));
    expect(half.json().error).toMatch(/sending FP16 data via JSON is not supported/);
  });

  it('that are not UTF-8, or come with a bad event time, are refused', async () => {
    expect((await send(`${kit.url}/v2/models/sum/infer`, { body: Buffer.from([0x7b, 0xff, 0x7d]) })).json().error).toMatch(/not UTF-8/);
    expect((await kit.infer('sum', tensor([1, 2]), { 'x-binnacle-event-time': 'soon' })).status).toBe(400);
  });
});

describe('binary tensors', () => {
  it.each([
    ['FP32', bytes(Float32Array.of(1.5, -2))],
    ['FP16', bytes(Uint16Array.of(0x3c00, 0x7bff))],
    ['INT64', bytes(BigInt64Array.of(-(2n ** 63n), 5n))],
    ['BOOL', Buffer.from([1, 0])],
    ['BYTES', Buffer.concat([Buffer.from([3, 0, 0, 0]), Buffer.from('abc'), Buffer.from([0, 0, 0, 0])])],
  ])('of %s go in and come out as they were', async (type, data) => {
    const reply = await binary(type, { id: 'b', parameters: { binary_data_output: true }, inputs: [input(data.length, [1, 2], type)] }, data);
    const length = Number(reply.headers['inference-header-content-length']);
    expect(JSON.parse(reply.body.subarray(0, length).toString())).toEqual({
      model_name: type,
      model_version: '1',
      id: 'b',
      outputs: [{ name: 'y', datatype: type, shape: [1, 2], parameters: { binary_data_size: data.length } }],
    });
    expect(reply.body.subarray(length)).toEqual(data);
    expect(reply.headers['content-type']).toBe('application/octet-stream');
  });

  it('may stand beside JSON, by output', async () => {
    const header = {
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [1, 1], data: [1] },
        { name: 'b', datatype: 'FP32', shape: [1, 1], parameters: { binary_data_size: 4 } },
      ],
      outputs: [{ name: 'total', parameters: { binary_data: true } }, { name: 'again' }],
    };
    const reply = await binary('two', header, bytes(Float32Array.of(41)));
    const length = Number(reply.headers['inference-header-content-length']);
    expect(JSON.parse(reply.body.subarray(0, length).toString()).outputs).toEqual([
      { name: 'total', datatype: 'FP32', shape: [1, 1], parameters: { binary_data_size: 4 } },
      { name: 'again', datatype: 'FP32', shape: [1, 1], data: [41] },
    ]);
    expect(reply.body.subarray(length).readFloatLE()).toBe(42);
  });

  it('of a large body survive the pool: forty at once, each its own', async () => {
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const data = new Float32Array(100_000).fill(i);
        return binary('flat', { parameters: { binary_data_output: true }, inputs: [input(data.byteLength, [100_000])] }, bytes(data));
      }),
    );
    replies.forEach((reply, i) => {
      const body = reply.body.subarray(Number(reply.headers['inference-header-content-length']));
      expect(body.length).toBe(400_000);
      expect(body.equals(bytes(new Float32Array(100_000).fill(i)))).toBe(true);
    });
  });

  it('in the raw form need no JSON', async () => {
    const raw = (endpoint: string, body: Buffer) => send(`${kit.url}/v2/models/${endpoint}/infer`, { body, headers: { 'inference-header-content-length': 0 } });
    const reply = await raw('flat', bytes(Float32Array.of(1, 2, 3)));
    const length = Number(reply.headers['inference-header-content-length']);
    expect(JSON.parse(reply.body.subarray(0, length).toString()).outputs[0]).toMatchObject({ shape: [3], parameters: { binary_data_size: 12 } });
    expect((await raw('image', bytes(new Float32Array(6)))).status).toBe(200);
    expect((await raw('sum', bytes(Float32Array.of(1, 2)))).status).toBe(200);
    expect((await raw('sum', Buffer.alloc(9))).json().error).toMatch(/9 bytes are no whole number of rows/);
    expect((await raw('two', Buffer.alloc(8))).json().error).toMatch(/Raw request must only have 1 input/);
    expect((await raw('BYTES', Buffer.from('x'))).status).toBe(400);
  });

  it('of a wrong size are refused clearly', async () => {
    const message = async (header: object, ...parts: Buffer[]) => (await binary('FP32', header, ...parts)).json().error;
    expect(await message({ inputs: [input(8)] }, Buffer.alloc(4))).toBe(
      "unexpected size for input 'x', expecting 8 additional bytes for model 'FP32', but 4 are left",
    );
    expect(await message({ inputs: [input(4)] }, Buffer.alloc(4))).toBe("input byte size mismatch for input 'x' for model 'FP32'. Expected 8, got 4");
    expect(await message({ inputs: [input(8)] }, Buffer.alloc(12))).toMatch(/unexpected additional input data/);
    expect(await message({ inputs: [input(-1)] })).toMatch(/must be a number of bytes/);
    expect(await message({ inputs: [{ ...input(8), data: [1, 2] }] }, Buffer.alloc(8))).toMatch(/more than one is set/);
    const strings = async (data: Buffer) => (await binary('BYTES', { inputs: [input(data.length, [1, 2], 'BYTES')] }, data)).json().error;
    expect(await strings(Buffer.from([9, 0, 0, 0, 65]))).toMatch(/incomplete string data/);
    expect(await strings(Buffer.from([0, 0, 0, 0, 1]))).toMatch(/incomplete string length indicator/);
    expect(await strings(Buffer.from([0, 0, 0, 0]))).toMatch(/expected 2 string elements for inference input 'x' for model 'BYTES', got 1/);
    expect(await strings(Buffer.from([1, 0, 0, 0, 0xff, 0, 0, 0, 0]))).toMatch(/UTF-8/);
    expect((await binary('BOOL', { inputs: [input(2, [1, 2], 'BOOL')] }, Buffer.from([2, 0]))).json().error).toMatch(/BOOL is the byte 0 or 1/);
    for (const value of ['x', '-1', '99999999999999'])
      expect((await send(`${kit.url}/v2/models/sum/infer`, { body: '{}', headers: { 'inference-header-content-length': value } })).json().error).toMatch(
        /Unable to parse Inference-Header-Content-Length/,
      );
    expect((await send(`${kit.url}/v2/models/sum/infer`, { body: '{}', headers: { 'inference-header-content-length': 50 } })).json().error).toBe(
      'inference header size should be in range (0, 2), got: 50',
    );
  });
});

describe('a body', () => {
  const body = JSON.stringify(tensor([1, 2]));
  const post = (packed: Buffer, headers: Record<string, string | number>) => send(`${kit.url}/v2/models/sum/infer`, { body: packed, headers });

  it('may be packed, both ways', async () => {
    for (const [encoding, packed] of [
      ['gzip', gzipSync(body)],
      ['deflate', deflateSync(body)],
      ['deflate', deflateRawSync(body)],
      ['identity', Buffer.from(body)],
    ] as const) {
      expect((await post(packed, { 'content-encoding': encoding })).json().outputs[0].data).toEqual([3]);
    }
    const zipped = await post(Buffer.from(body), { 'accept-encoding': 'gzip' });
    expect(JSON.parse(gunzipSync(zipped.body).toString()).outputs[0].data).toEqual([3]);
    const deflated = await post(Buffer.from(body), { 'accept-encoding': 'deflate' });
    expect(JSON.parse(inflateSync(deflated.body).toString()).outputs[0].data).toEqual([3]);
    expect((await post(Buffer.from(body), { 'accept-encoding': 'gzip, deflate, br' })).headers['content-encoding']).toBeUndefined();
  });

  it('packed with binary tensors keeps them aligned', async () => {
    const header = Buffer.from(JSON.stringify({ inputs: [input(16, [2, 2])] }));
    const packed = gzipSync(Buffer.concat([header, bytes(Float32Array.of(1, 2, 3, 4))]));
    expect((await post(packed, { 'content-encoding': 'gzip', 'inference-header-content-length': header.length })).json().outputs[0].data).toEqual([3, 7]);
  });

  it('packed wrongly, in an unknown way, or as a bomb is refused', async () => {
    expect((await post(Buffer.from('nope'), { 'content-encoding': 'gzip' })).json().error).toMatch(/not valid gzip/);
    expect((await post(Buffer.from(body), { 'content-encoding': 'br' })).status).toBe(501);
    const bomb = await post(gzipSync(Buffer.alloc(50 << 20)), { 'content-encoding': 'gzip' });
    expect([bomb.status, bomb.json().error]).toEqual([400, expect.stringContaining('exceeds the maximum allowed value of 1048576 bytes')]);
  });

  it('over the limit is refused, declared or not, and the connection lives on', async () => {
    const large = await post(Buffer.alloc(2 << 20), {});
    expect([large.status, large.json().error]).toEqual([
      400,
      expect.stringContaining('Request body size of 2097152 bytes exceeds the maximum allowed value of 1048576 bytes'),
    ]);
    const chunked = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(kit.url).port), '127.0.0.1');
      let text = '';
      socket.on('data', (data) => {
        text += data.toString();
        if (text.includes('exceeds')) socket.destroy();
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
      socket.write('POST /v2/models/sum/infer HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
      for (let i = 0; i < 20; i++) socket.write(`10000\r\n${'a'.repeat(65536)}\r\n`);
      socket.write('0\r\n\r\n');
    });
    expect(chunked).toMatch(/^HTTP\/1.1 400/);
    expect((await kit.infer('sum', tensor([1, 2]))).status).toBe(200);
  });

  it('that stalls is given up with 408, and one that breaks off harms nobody', async () => {
    const port = Number(new URL(kit.url).port);
    const stalled = new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      let text = '';
      socket.on('data', (data) => (text += data.toString()));
      socket.on('close', () => resolve(text));
      socket.write('POST /v2/models/sum/infer HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n{"inputs"');
    });
    for (let i = 0; i < 20; i++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('POST /v2/models/sum/infer HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n{"inputs"', () => socket.destroy());
    }
    expect((await kit.infer('sum', tensor([1, 2]))).status).toBe(200);
    expect(await stalled).toMatch(/^HTTP\/1.1 408/);
  });
});

describe('the prediction log', () => {
  it('keeps columns of its own memory, though the body’s is used again', async () => {
    kit.predictions.length = 0;
    for (let i = 0; i < 5; i++) await binary('FP32', { id: `p${i}`, inputs: [input(8)] }, bytes(Float32Array.of(i, -i)));
    await until(() => kit.predictions.length === 5);
    expect(kit.predictions.map((p) => [p.requestId, p.features[0]?.values[0], p.features[1]?.values[0]])).toEqual([0, 1, 2, 3, 4].map((i) => [`p${i}`, i, -i]));
  });

  it('hears of failures', async () => {
    kit.failures.length = 0;
    await kit.infer('sum', tensor([1, 2, 3], [1, 3]));
    expect(kit.failures).toMatchObject([{ endpoint: 'sum', model: 'sum', version: 1, code: 'wrong_shape' }]);
    expect(kit.serving.stats('sum').total.errors).toBeGreaterThan(0);
    // Also of those that it could not read.
    kit.failures.length = 0;
    await send(`${kit.url}/v2/models/sum/infer`, { body: '{"inputs": [' });
    await send(`${kit.url}/v2/models/nowhere/infer`, { body: '{' });
    expect(kit.failures).toMatchObject([{ endpoint: 'sum', model: 'sum', version: null }]);
  });
});
