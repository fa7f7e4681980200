/** A request to both servers. A body that is an object goes as JSON. */
export interface Request {
  call: string;
  body?: object | string | Uint8Array;
  headers?: Record<string, string>;
}

const fp32 = (name: string, data: unknown, shape: unknown = [1, 2], more: object = {}) => ({ name, datatype: 'FP32', shape, data, ...more });
const add = (body: object, call = 'POST /v2/models/add/infer'): Request => ({ call, body });
const a = fp32('a', [1, 2]);
const b = fp32('b', [3, 4.5]);

function binary(json: object, tensors: Uint8Array[], length?: string): Pick<Request, 'body' | 'headers'> {
  const head = Buffer.from(JSON.stringify(json));
  return { body: Buffer.concat([head, ...tensors]), headers: { 'Inference-Header-Content-Length': length ?? String(head.length) } };
}
const bytes = (values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
const blob = (name: string, size: unknown, shape: number[] = [1, 2], datatype = 'FP32') => ({ name, datatype, shape, parameters: { binary_data_size: size } });

const VALUES: Record<string, unknown[]> = {
  bool: [true, false],
  uint8: [0, 255],
  uint16: [0, 65535],
  uint32: [0, 4294967295],
  uint64: [0, 9007199254740991],
  int8: [-128, 127],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  int64: [-9007199254740991, 9007199254740991],
  fp16: [0.5, -2],
  fp32: [0.1, -3.5e10],
  fp64: [0.1, 1.7976931348623157e308],
  bytes: ['ä 😀', ''],
};
const tooBig: Record<string, unknown[]> = {
  uint8: [0, 256],
  uint16: [-1, 0],
  uint32: [0, 4294967296],
  int8: [0, 128],
  int16: [0, 32768],
  int32: [2147483648, 0],
};
const wrong: [string, unknown[]][] = [
  ['bool', [2, 0]],
  ['bool', ['true', true]],
  ['uint8', [1.5, 0]],
  ['int32', ['1', 0]],
  ['int64', [1.5, 0]],
  ['fp32', ['1', 0]],
  ['fp32', [null, 0]],
  ['fp32', [true, 0]],
  ['bytes', [1, 'x']],
  ['bytes', [null, 'x']],
  ['fp64', [{}, 0]],
];
const infer = (type: string, data: unknown, shape: unknown = [1, 2]): Request => ({
  call: `POST /v2/models/same_${type}/infer`,
  body: { inputs: [{ name: 'x', datatype: type.toUpperCase(), shape, data }] },
});

export const requests: Request[] = [
  // Health and metadata.
  ...['/v2/health/live', '/v2/health/ready', '/v2/models/add', '/v2/models/add/versions/1', '/v2/models/add/versions/9', '/v2/models/none'].map((path) => ({
    call: `GET ${path}`,
  })),
  ...['/v2/models/add/ready', '/v2/models/add/versions/1/ready', '/v2/models/add/versions/9/ready', '/v2/models/none/ready'].map((path) => ({
    call: `GET ${path}`,
  })),
  ...['/v2/models/add/versions/x', '/v2/models/add/versions/0', '/v2/models/add/versions/-1', '/v2/models/add/versions/1.5/ready'].map((path) => ({
    call: `GET ${path}`,
  })),
  ...['/v2/nothing', '/v2/models', '/v2/models/add/nothing', '/v2/health', '/v2/health/x'].map((path) => ({ call: `GET ${path}` })),
  ...['POST /v2/health/live', 'POST /v2/models/add', 'GET /v2/models/add/infer', 'DELETE /v2/models/add', 'PUT /v2/models/add/infer'].map((call) => ({ call })),
  // Inference.
  add({ inputs: [a, b] }),
  add({ inputs: [b, a] }),
  add({ inputs: [a, b], id: 'my-id' }),
  add({ inputs: [a, b], id: '' }),
  add({ inputs: [a, b], id: 5 }),
  add({ inputs: [a, b] }, 'POST /v2/models/add/versions/1/infer'),
  add({ inputs: [a, b] }, 'POST /v2/models/add/versions/9/infer'),
  add({ inputs: [a, b] }, 'POST /v2/models/none/infer'),
  add({ inputs: [a, b], outputs: [{ name: 'again' }] }),
  add({ inputs: [a, b], outputs: [{ name: 'again' }, { name: 'total' }] }),
  add({ inputs: [a, b], outputs: [{ name: 'again' }, { name: 'again' }] }),
  add({ inputs: [a, b], outputs: [{ name: 'nope' }] }),
  add({ inputs: [a, b], outputs: [] }),
  add({ inputs: [a, b], outputs: [{}] }),
  add({ inputs: [a, b], outputs: 'total' }),
  add({ inputs: [a, b], parameters: { anything: 1, more: 'x', yes: true } }),
  add({ inputs: [a, b], parameters: { nested: { a: 1 } } }),
  add({ inputs: [a, b], parameters: 5 }),
  add({ inputs: [a, b], unknown: 1 }),
  add({ inputs: [a, b], parameters: { priority: 1 } }),
  add({ inputs: [a, b], parameters: { priority: -1 } }),
  add({ inputs: [a, b], parameters: { priority: 'x' } }),
  add({ inputs: [a, b], parameters: { timeout: 1000000 } }),
  add({ inputs: [a, b], parameters: { timeout: 'x' } }),
  add({ inputs: [a, b], parameters: { sequence_id: 0 } }),
  add({ inputs: [a, b], parameters: { sequence_id: 5, sequence_start: true } }),
  add({ inputs: [a] }),
  add({ inputs: [] }),
  add({}),
  add({ inputs: {} }),
  add({ inputs: [5] }),
  add({ inputs: [a, b, fp32('c', [1, 2])] }),
  add({ inputs: [a, a] }),
  add({ inputs: [a, fp32('c', [1, 2])] }),
  add({ inputs: [a, fp32('b', [1, 2], [1, 3])] }),
  add({ inputs: [a, fp32('b', [1, 2, 3], [1, 3])] }),
  add({ inputs: [a, fp32('b', [1, 2], [2])] }),
  add({ inputs: [a, fp32('b', [1, 2], [1, 1, 2])] }),
  add({ inputs: [a, fp32('b', [1, 2], [-1, 2])] }),
  add({ inputs: [a, fp32('b', [1, 2], [1.5, 2])] }),
  add({ inputs: [a, fp32('b', [1, 2], 'x')] }),
  add({ inputs: [a, fp32('b', [1], [1, 2])] }),
  add({ inputs: [a, fp32('b', [1, 2, 3], [1, 2])] }),
  add({ inputs: [a, fp32('b', [[1, 2]], [1, 2])] }),
  add({ inputs: [a, fp32('b', [[1], [2]], [1, 2])] }),
  add({ inputs: [a, fp32('b', [[1, 2], [3]], [1, 2])] }),
  add({ inputs: [a, fp32('b', 5, [1, 2])] }),
  add({ inputs: [a, { name: 'b', datatype: 'FP32', shape: [1, 2] }] }),
  add({ inputs: [a, { name: 'b', datatype: 'FP64', shape: [1, 2], data: [1, 2] }] }),
  add({ inputs: [a, { name: 'b', datatype: 'FLOAT', shape: [1, 2], data: [1, 2] }] }),
  add({ inputs: [a, { name: 'b', datatype: 5, shape: [1, 2], data: [1, 2] }] }),
  add({ inputs: [a, { name: 'b', shape: [1, 2], data: [1, 2] }] }),
  add({ inputs: [a, { datatype: 'FP32', shape: [1, 2], data: [1, 2] }] }),
  add({ inputs: [a, { name: 'b', datatype: 'FP32', data: [1, 2] }] }),
  add({ inputs: [fp32('a', [1, 2, 3, 4], [2, 2]), fp32('b', [1, 1, 1, 1], [2, 2])] }),
  { call: 'POST /v2/models/add/infer', body: '' },
  { call: 'POST /v2/models/add/infer', body: '{' },
  { call: 'POST /v2/models/add/infer', body: '[]' },
  { call: 'POST /v2/models/add/infer', body: 'null' },
  { call: 'POST /v2/models/add/infer', body: '{"inputs": [NaN]}' },
  // Binary.
  { call: 'POST /v2/models/add/infer', ...binary({ inputs: [blob('a', 8), blob('b', 8)] }, [bytes([1, 2]), bytes([3, 4])]) },
  {
    call: 'POST /v2/models/add/infer',
    ...binary({ inputs: [blob('a', 8), blob('b', 8)], parameters: { binary_data_output: true } }, [bytes([1, 2]), bytes([3, 4])]),
  },
  {
    call: 'POST /v2/models/add/infer',
    ...binary({ inputs: [blob('a', 8), b], outputs: [{ name: 'total', parameters: { binary_data: true } }, { name: 'again' }] }, [bytes([1, 2])]),
  },
  { call: 'POST /v2/models/add/infer', ...binary({ inputs: [blob('a', 8), blob('b', 8)] }, [bytes([1, 2])]) },
  { call: 'POST /v2/models/add/infer', ...binary({ inputs: [blob('a', 8), blob('b', 8)] }, [bytes([1, 2]), bytes([3, 4, 5])]) },
  { call: 'POST /v2/models/add/infer', ...binary({ inputs: [blob('a', 4), blob('b', 8)] }, [bytes([1]), bytes([3, 4])]) },
  { call: 'POST /v2/models/add/infer', ...binary({ inputs: [blob('a', -8), blob('b', 8)] }, [bytes([1, 2]), bytes([3, 4])]) },
  { call: 'POST /v2/models/add/infer', ...binary({ inputs: [blob('a', 'x'), blob('b', 8)] }, [bytes([1, 2]), bytes([3, 4])]) },
  { call: 'POST /v2/models/add/infer', ...binary({ inputs: [blob('a', 8), blob('b', 8)] }, [bytes([1, 2]), bytes([3, 4])], '100000') },
  { call: 'POST /v2/models/add/infer', ...binary({ inputs: [blob('a', 8), blob('b', 8)] }, [bytes([1, 2]), bytes([3, 4])], 'x') },
  { call: 'POST /v2/models/add/infer', ...binary({ inputs: [blob('a', 8), blob('b', 8)] }, [bytes([1, 2]), bytes([3, 4])], '-5') },
  { call: 'POST /v2/models/same_fp32/infer', body: bytes([1, 2]), headers: { 'Inference-Header-Content-Length': '0' } },
  { call: 'POST /v2/models/same_fp32/infer', body: bytes([1, 2, 3]), headers: { 'Inference-Header-Content-Length': '0' } },
  { call: 'POST /v2/models/add/infer', body: bytes([1, 2]), headers: { 'Inference-Header-Content-Length': '0' } },
  // Datatypes.
  ...Object.entries(VALUES).map(([type, data]) => infer(type, data)),
  ...Object.entries(tooBig).map(([type, data]) => infer(type, data)),
  ...wrong.map(([type, data]) => infer(type, data)),
  ...Object.keys(VALUES).map((type) => infer(type, [], [0, 2])),
  infer('fp32', [1e39, 0]),
  infer('bytes', ['a\0b', 'x']),
  { call: 'POST /v2/models/same_bytes/infer', ...binary({ inputs: [blob('x', 10, [1, 2], 'BYTES')] }, [Buffer.from('\x01\0\0\0a\x01\0\0\0b')]) },
  { call: 'POST /v2/models/same_bytes/infer', ...binary({ inputs: [blob('x', 9, [1, 2], 'BYTES')] }, [Buffer.from('\x01\0\0\0a\x01\0\0\0')]) },
  { call: 'POST /v2/models/same_bytes/infer', ...binary({ inputs: [blob('x', 5, [1, 2], 'BYTES')] }, [Buffer.from('\x01\0\0\0a')]) },
  { call: 'POST /v2/models/same_bytes/infer', ...binary({ inputs: [blob('x', 15, [1, 2], 'BYTES')] }, [Buffer.from('\x01\0\0\0a\x01\0\0\0b\x01\0\0\0c')]) },
  {
    call: 'POST /v2/models/same_fp16/infer',
    ...binary({ inputs: [blob('x', 4, [1, 2], 'FP16')], parameters: { binary_data_output: true } }, [Buffer.from([0, 0x3c, 0, 0xc0])]),
  },
  { call: 'POST /v2/models/same_fp16/infer', ...binary({ inputs: [blob('x', 4, [1, 2], 'FP16')] }, [Buffer.from([0, 0x3c, 0, 0xc0])]) },
  { call: 'POST /v2/models/same_bool/infer', ...binary({ inputs: [blob('x', 2, [1, 2], 'BOOL')] }, [Buffer.from([1, 2])]) },
  // Classification.
  ...[1, 2, 5, 0, -1, 'x'].map((classification) => add({ inputs: [a, b], outputs: [{ name: 'total', parameters: { classification } }] })),
  add({ inputs: [fp32('a', [1, 2, 3, 4], [2, 2]), fp32('b', [5, 1, 1, 9], [2, 2])], outputs: [{ name: 'total', parameters: { classification: 2 } }] }),
  // Compression.
  { call: 'POST /v2/models/add/infer', body: 'not gzip', headers: { 'content-encoding': 'gzip' } },
  { call: 'POST /v2/models/add/infer', body: { inputs: [a, b] }, headers: { 'content-encoding': 'br' } },
  // Shared memory, repository, trace, logging.
  { call: 'GET /v2/systemsharedmemory/status' },
  { call: 'GET /v2/systemsharedmemory/region/none/status' },
  { call: 'POST /v2/systemsharedmemory/region/none/unregister' },
  { call: 'POST /v2/systemsharedmemory/unregister' },
  { call: 'POST /v2/systemsharedmemory/region/r/register', body: { key: '/does_not_exist', offset: 0, byte_size: 8 } },
  { call: 'POST /v2/systemsharedmemory/region/r/register', body: {} },
  add({ inputs: [{ name: 'a', datatype: 'FP32', shape: [1, 2], parameters: { shared_memory_region: 'none', shared_memory_byte_size: 8 } }, b] }),
  add({ inputs: [{ name: 'a', datatype: 'FP32', shape: [1, 2], parameters: { shared_memory_region: 'none' } }, b] }),
  { call: 'POST /v2/repository/index' },
  { call: 'POST /v2/repository/index', body: { ready: true } },
  { call: 'POST /v2/repository/models/none/load' },
  { call: 'POST /v2/repository/models/none/unload' },
  { call: 'GET /v2/models/none/config' },
  { call: 'GET /v2/models/none/stats' },
  { call: 'GET /v2/trace/setting' },
  { call: 'POST /v2/trace/setting', body: { trace_level: ['NOPE'] } },
  { call: 'POST /v2/trace/setting', body: { trace_rate: 'x' } },
  { call: 'POST /v2/trace/setting', body: { nope: '1' } },
  { call: 'POST /v2/models/none/trace/setting', body: { trace_rate: '1' } },
  { call: 'GET /v2/logging' },
  { call: 'POST /v2/logging', body: { log_verbose_level: 1 } },
  { call: 'POST /v2/logging', body: { log_verbose_level: 'x' } },
  { call: 'POST /v2/logging', body: { nope: 1 } },
  { call: 'POST /v2/logging', body: { log_verbose_level: 0 } },
];
