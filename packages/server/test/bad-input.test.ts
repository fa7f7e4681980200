import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { query } from './support/batch.ts';
import { graph, twoColumns, value } from './support/onnx-graphs.ts';
import { binnacle, type RunningServer, startServer, temporaryFolder } from './support/server.ts';
import { type Reply, send } from './support/serving.ts';

/** One server for the file; its limits are small, so that over-long bodies stay cheap. */
const LIMIT = 300_000;
const NATIVE = '/api/binnacle/v1';
const MLFLOW = '/api/2.0/mlflow';
const ARTIFACTS = '/api/2.0/mlflow-artifacts/artifacts';
const corrupt = Buffer.concat([Buffer.from(twoColumns()).subarray(0, 40), Buffer.alloc(200, 0xff)]);
const deep = '['.repeat(100_000) + ']'.repeat(100_000);
/** About as bad as JSON gets where text is expected. */
const impostor = '{"toString":1}';

let server: RunningServer;
let runId: string;
const files = temporaryFolder('bad-input');
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(files, name), content);
  return join(files, name);
};

type Body = string | Uint8Array;
interface Call {
  method?: string;
  path: string;
  body?: Body;
  headers?: Record<string, string | number>;
}
const JSON_TYPE = { 'content-type': 'application/json' };
const call = ({ method, path, body, headers }: Call): Promise<Reply> =>
  send(server.url + path, { ...(method === undefined ? {} : { method }), headers: headers ?? JSON_TYPE, ...(body === undefined ? {} : { body }) });
const ok = async (one: Call) => {
  const reply = await call(one);
  expect(reply.status, reply.body.toString()).toBe(200);
  return reply.json();
};

/** Each protocol's own shape of an error: what stands in it is asked for apart. */
const SHAPES = {
  native: (reply: Reply) => {
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
    const problem = reply.json();
    expect(problem).toMatchObject({ status: reply.status, title: expect.any(String), type: `urn:binnacle:error:${problem.code}` });
    return `${problem.code} ${problem.detail}`;
  },
  mlflow: (reply: Reply) => {
    const { error_code, message, ...rest } = reply.json();
    expect(rest).toEqual({});
    return `${error_code} ${message}`;
  },
  openInference: (reply: Reply) => {
    const { error, ...rest } = reply.json();
    expect(rest).toEqual({});
    return String(error);
  },
};

/** All that is stored, for comparison: experiments, runs with their data, models, endpoints, jobs, files. */
async function everything(): Promise<unknown> {
  const [info, run, models, endpoints, artifacts, jobs] = await Promise.all([
    ok({ path: `${NATIVE}/info` }),
    ok({ path: `${NATIVE}/runs/${runId}` }),
    ok({ path: `${NATIVE}/models` }),
    ok({ path: `${NATIVE}/endpoints` }),
    ok({ path: `${ARTIFACTS}?path=0/${runId}/artifacts` }),
    ok({ path: `${NATIVE}/batch` }),
  ]);
  const served = endpoints.endpoints.map(({ name, model, traffic, state, revision }: Record<string, unknown>) => ({ name, model, traffic, state, revision }));
  return { counts: info.counts, run, models, served, artifacts, jobs, folders: readdirSync(join(server.dataDir, 'artifacts')).sort() };
}

/** The model still answers in both protocols, on new connections. */
async function serves(): Promise<void> {
  expect(await ok({ path: '/endpoints/two/invocations', body: '{"dataframe_split":{"columns":["a","b"],"data":[[1,2]]}}' })).toEqual({
    predictions: [{ total: 3, again: 2 }],
  });
  const inputs = ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [1, 1], data: [2] }));
  expect((await ok({ path: '/v2/models/two/infer', body: JSON.stringify({ inputs }) })).outputs[0].data).toEqual([4]);
  expect((await send(`${server.url}/health`)).body.toString()).toBe('OK');
}

/** Refused as said, nothing of it stored, and the server serves on. */
async function refused(shape: keyof typeof SHAPES, one: Call, status: number, message: RegExp | string): Promise<void> {
  const before = await everything();
  const reply = await call(one);
  expect(reply.status, reply.body.toString().slice(0, 500)).toBe(status);
  expect(reply.body.length).toBeLessThan(20_000);
  const said = SHAPES[shape](reply);
  if (typeof message === 'string') expect(said).toContain(message);
  else expect(said).toMatch(message);
  expect(await everything()).toEqual(before);
  await serves();
}

beforeAll(async () => {
  server = await startServer({
    env: { BINNACLE_MAX_BODY_BYTES: String(LIMIT), BINNACLE_MAX_JSON_BYTES: String(LIMIT), BINNACLE_MAX_UPLOAD_BYTES: String(LIMIT) },
  });
  await ok({ path: `${NATIVE}/models/two/versions?filename=two.onnx`, body: twoColumns(), headers: { 'content-type': 'application/octet-stream' } });
  await ok({ method: 'PUT', path: `${NATIVE}/models/two/aliases/champion`, body: '{"version":1}' });
  await ok({ method: 'PUT', path: `${NATIVE}/endpoints/two`, body: '{"model":"two","traffic":[{"alias":"champion"}]}' });
  // A whole number and a text, which cannot be missing.
  const typed = graph({
    nodes: [
      { opType: 'Identity', input: ['n'], output: ['m'] },
      { opType: 'Identity', input: ['s'], output: ['t'] },
    ],
    inputs: [value('n', 'INT64', ['N', 1]), value('s', 'BYTES', ['N', 1])],
    outputs: [value('m', 'INT64', ['N', 1]), value('t', 'BYTES', ['N', 1])],
  });
  await ok({ path: `${NATIVE}/models/typed/versions?filename=typed.onnx`, body: typed, headers: { 'content-type': 'application/octet-stream' } });
  await ok({ method: 'PUT', path: `${NATIVE}/endpoints/typed`, body: '{"model":"typed","traffic":[{"version":1}]}' });
  runId = (await ok({ path: `${MLFLOW}/runs/create`, body: '{"experiment_id":"0"}' })).run.info.run_id;
  await ok({ path: `${MLFLOW}/runs/log-batch`, body: JSON.stringify({ run_id: runId, params: [{ key: 'lr', value: '0.1' }] }) });
});
afterAll(async () => {
  // Nothing of all this was a mistake of ours.
  expect(server.stderr()).not.toMatch(/"level":(50|60)/);
  expect(await server.stop()).toBe(0);
});

describe('the native API', () => {
  it.each<[string, Call, number, RegExp | string]>([
    ['an unknown field', { path: '/experiments', body: '{"name":"x","nonsense":1}' }, 400, /^invalid_body .*nonsense/],
    ['a field of a wrong type', { path: '/experiments', body: '{"name":5}' }, 400, /^invalid_body .*name: /],
    ['a missing field', { path: '/experiments', body: '{}' }, 400, /^invalid_body .*name: /],
    ['no body', { path: '/experiments', method: 'POST' }, 400, 'Body cannot be empty'],
    ['what is not JSON', { path: '/experiments', body: '{"name":' }, 400, 'JSON'],
    ['a bare NaN', { path: `/runs/RUN/log`, body: '{"metrics":[{"key":"a","value":NaN}]}' }, 400, 'JSON'],
    ['NaN as a step', { path: `/runs/RUN/log`, body: '{"metrics":[{"key":"a","value":1},{"key":"b","value":1,"step":"NaN"}]}' }, 400, 'metrics.1.step'],
    ['a param that is set already', { path: `/runs/RUN/log`, body: '{"metrics":[{"key":"a","value":1}],"params":{"lr":"0.2"}}' }, 400, 'lr'],
    ['a wrong query', { path: '/experiments?limit=many' }, 400, /^invalid_query .*limit/],
    ['a broken escape', { path: '/runs/%zz' }, 400, 'broken escape'],
    ['JSON without end', { path: '/experiments', body: `{"name":${deep}}` }, 400, /^invalid_body .*name: /],
    ['an over-long body', { path: '/experiments', body: JSON.stringify({ name: 'x'.repeat(LIMIT) }) }, 413, /^body_too_large /],
    [
      'thousands of unknown fields',
      { path: '/experiments', body: JSON.stringify(Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`k${i}`, 1]))) },
      400,
      'k0',
    ],
    ['a corrupt ONNX file', { path: '/models/two/versions?filename=m.onnx', body: corrupt }, 400, /^onnx_invalid /],
    ['an empty ONNX file', { path: '/models/two/versions?filename=m.onnx', body: '', method: 'POST' }, 400, /^onnx_invalid /],
    ['an over-long ONNX file', { path: '/models/two/versions?filename=m.onnx', body: Buffer.alloc(LIMIT + 1) }, 413, /^artifact_too_large /],
    ['a file name that climbs', { path: '/models/two/versions?filename=../../m.onnx', body: twoColumns() }, 400, /^artifact_path_invalid /],
    ['a model that does not exist', { path: '/endpoints/two', method: 'PUT', body: '{"model":"none","traffic":[{"version":1}]}' }, 404, 'none'],
    ['weights that do not add up', { path: '/endpoints/two', method: 'PUT', body: '{"model":"two","traffic":[{"version":1,"weight":50}]}' }, 400, '100'],
    ['an alias of no version', { path: '/models/two/aliases/champion', method: 'PUT', body: '{"version":9}' }, 404, '9'],
    ['a label of a wrong type', { path: '/monitors/two/ground-truth', body: `{"labels":[{"predictionId":"x:0","label":${impostor}}]}` }, 400, 'labels.0.label'],
    ['a window of no whole buckets', { path: '/monitors/two/config', method: 'PUT', body: '{"windowSeconds":301}' }, 400, /^invalid_window /],
    ['a window that is no time', { path: '/monitors/two/distribution?feature=a&windowStart=9007199254740991' }, 400, /^invalid_window /],
    ['a page token that is none', { path: '/batch?pageToken=bnVsbA' }, 400, /^invalid_page_token /],
    ['half a character for a name', { path: '/experiments', body: '{"name":"\\ud800"}' }, 400, /^invalid_body .*name: it is not valid Unicode/],
    ['U+0000 in a value', { path: '/runs/RUN/log', body: '{"params":{"a":"x\\u0000y"}}' }, 400, /^invalid_body .*params\.a: a text cannot hold U\+0000/],
    ['U+0000 in a path', { path: '/models/a%00b' }, 400, /^invalid_path .*U\+0000/],
    ['U+0000 in a query', { path: '/experiments?filter=name%20=%20%27%00%27' }, 400, /^invalid_query .*U\+0000/],
    ['an artifact path that climbs', { path: '/runs/RUN/artifacts/content?path=../../../binnacle.db' }, 400, /^artifact_path_invalid /],
  ])('%s', (_what, one, status, message) => {
    const headers = { 'content-type': one.path.includes('/versions?') ? 'application/octet-stream' : 'application/json' };
    return refused('native', { ...one, path: NATIVE + one.path.replace('RUN', runId), headers }, status, message);
  });
});

describe('MLflow', () => {
  const metric = '{"key":"a","value":1,"timestamp":1,"step":1}';
  it.each<[string, Call, number, RegExp | string]>([
    ['a missing field', { path: '/experiments/create', body: '{}' }, 400, /^INVALID_PARAMETER_VALUE Missing value for required parameter 'name'/],
    [
      'a field of a wrong type',
      { path: '/experiments/create', body: '{"name":["x"]}' },
      400,
      /^INVALID_PARAMETER_VALUE Invalid value \["x"\] for parameter 'name'/,
    ],
    ['an object where text is expected', { path: '/experiments/create', body: `{"name":${impostor}}` }, 400, /^INVALID_PARAMETER_VALUE .*'name'/],
    ['JSON without end', { path: '/experiments/create', body: `{"name":"x","tags":${deep}}` }, 400, /^INVALID_PARAMETER_VALUE .*'tags/],
    ['a status without end', { path: '/runs/update', body: `{"run_id":"RUN","status":${deep}}` }, 400, /^INVALID_PARAMETER_VALUE .*'status'/],
    ['what is not JSON', { path: '/experiments/create', body: '{"name":' }, 400, /^BAD_REQUEST /],
    ['a list for a body', { path: '/experiments/create', body: '[]' }, 400, /^BAD_REQUEST /],
    [
      'a batch whose last metric is wrong',
      { path: '/runs/log-batch', body: `{"run_id":"RUN","metrics":[${metric},{"key":"b","value":"much","timestamp":1}]}` },
      400,
      'metrics[1].value',
    ],
    [
      'a batch whose param is set already',
      { path: '/runs/log-batch', body: `{"run_id":"RUN","metrics":[${metric}],"params":[{"key":"lr","value":"2"}]}` },
      400,
      'lr',
    ],
    ['U+0000 in a value', { path: '/runs/set-tag', body: '{"run_id":"RUN","key":"a","value":"x\\u0000"}' }, 400, /^INVALID_PARAMETER_VALUE .*'value'.*U\+0000/],
    [
      'half a character in a value',
      { path: '/runs/log-batch', body: '{"run_id":"RUN","params":[{"key":"a","value":"\\udc00"}]}' },
      400,
      /'params\[0\]\.value'.*Unicode/,
    ],
    ['half a character in a filter', { path: '/runs/search', body: '{"experiment_ids":["0"],"filter":"tags.a = \'\\ud83d\'"}' }, 400, /'filter'.*Unicode/],
    ['U+0000 in a query', { path: '/experiments/get-by-name?experiment_name=a%00' }, 400, /'experiment_name'.*U\+0000/],
    ['a bare NaN', { path: '/runs/log-metric', body: '{"run_id":"RUN","key":"a","value":NaN,"timestamp":1}' }, 400, /^BAD_REQUEST /],
    ['an over-long body', { path: '/experiments/create', body: JSON.stringify({ name: 'x'.repeat(LIMIT) }) }, 413, /^INVALID_PARAMETER_VALUE /],
    [
      'a filter that does not parse',
      { path: '/runs/search', body: JSON.stringify({ experiment_ids: ['0'], filter: 'metrics.a >' }) },
      400,
      /^INVALID_PARAMETER_VALUE Invalid clause/,
    ],
    [
      'a filter of thousands of comparisons',
      {
        path: '/runs/search',
        body: JSON.stringify({ experiment_ids: ['0'], filter: Array.from({ length: 3000 }, (_, i) => `params.a${i} = 'x'`).join(' AND ') }),
      },
      400,
      /^INVALID_PARAMETER_VALUE .*more than one query of the database can hold/,
    ],
    ['an unknown run', { path: '/runs/log-parameter', body: '{"run_id":"none","key":"a","value":"b"}' }, 404, /^RESOURCE_DOES_NOT_EXIST /],
    ['an unknown endpoint of the API', { path: '/runs/explode', body: '{}' }, 404, /^ENDPOINT_NOT_FOUND /],
    ['a broken escape', { path: '/%zz' }, 400, /broken escape/],
  ])('%s', async (_what, one, status, message) => {
    const filled = { ...one, path: MLFLOW + one.path, ...(typeof one.body === 'string' ? { body: one.body.replace('RUN', runId) } : {}) };
    // Before a path can be read, it is nobody's: that error carries the fields of every protocol.
    if (one.path !== '/%zz') return refused('mlflow', filled, status, message);
    const reply = await call(filled);
    expect([reply.status, reply.json().error_code, reply.json().message]).toEqual([status, 'BAD_REQUEST', expect.stringMatching(message)]);
  });

  it('unknown fields are ignored, as its clients of other versions rely on', async () => {
    await ok({ path: `${MLFLOW}/runs/set-tag`, body: JSON.stringify({ run_id: runId, key: 'a', value: 'b', some_new_field: 1 }) });
  });

  it.each<[string, Call, number, RegExp]>([
    ['a path that climbs', { method: 'PUT', path: '/..%2f..%2fx', body: 'x' }, 400, /^INVALID_PARAMETER_VALUE Invalid path/],
    ['an over-long file', { method: 'PUT', path: '/0/RUN/artifacts/x.bin', body: Buffer.alloc(LIMIT + 1) }, 413, /^INVALID_PARAMETER_VALUE /],
    ['a file that is not there', { path: '/0/RUN/artifacts/none' }, 404, /^RESOURCE_DOES_NOT_EXIST /],
  ])('artifacts: %s', (_what, one, status, message) => refused('mlflow', { ...one, path: ARTIFACTS + one.path.replace('RUN', runId) }, status, message));

  it('a corrupt ONNX file among a run’s artifacts is registered, says why it cannot be served, and leaves the champion serving', async () => {
    const put = (name: string, body: Body) => ok({ method: 'PUT', path: `${ARTIFACTS}/0/${runId}/artifacts/bad/${name}`, body, headers: {} });
    await put('MLmodel', 'flavors:\n  onnx:\n    data: model.onnx\n');
    await put('model.onnx', corrupt);
    const { model_version } = await ok({ path: `${MLFLOW}/model-versions/create`, body: JSON.stringify({ name: 'two', source: `runs:/${runId}/bad` }) });
    const detail = await ok({ path: `${NATIVE}/models/two/versions/${model_version.version}` });
    expect(detail).toMatchObject({ servable: false });
    await refused(
      'native',
      { method: 'PUT', path: `${NATIVE}/endpoints/two`, body: `{"model":"two","traffic":[{"version":${model_version.version}}]}` },
      501,
      /^not_servable .*not a whole ONNX file/,
    );
    await ok({ method: 'DELETE', path: `${NATIVE}/models/two/versions/${model_version.version}`, headers: {} });
    await ok({ method: 'DELETE', path: `${ARTIFACTS}/0/${runId}/artifacts/bad`, headers: {} });
  });
});

describe('Open Inference', () => {
  const tensors = (a: object, b: object = {}) => {
    const good = { datatype: 'FP32', shape: [1, 1], data: [1] };
    return JSON.stringify({
      inputs: [
        { name: 'a', ...good, ...a },
        { name: 'b', ...good, ...b },
      ],
    });
  };
  const raw = (part: string) => `{"inputs":[{"name":"a","datatype":"FP32","shape":[1,1],"data":[1]},{"name":"b",${part}}]}`;
  it.each<[string, Body, number, RegExp | string, Record<string, string | number>?]>([
    ['an unknown input', tensors({}, { name: 'z' }), 400, "unexpected inference input 'z'"],
    ['a missing input', '{"inputs":[{"name":"a","datatype":"FP32","shape":[1,1],"data":[1]}]}', 400, 'expected 2 inputs but got 1'],
    ['a wrong datatype', tensors({ datatype: 'INT32' }), 400, "data-type is 'INT32', but model 'two' expects 'FP32'"],
    ['a datatype that is none', raw(`"datatype":${impostor},"shape":[1,1],"data":[1]`), 400, "Unable to parse 'datatype'"],
    ['a datatype without end', raw(`"datatype":${deep},"shape":[1,1],"data":[1]`), 400, "Unable to parse 'datatype'"],
    ['a wrong shape', tensors({ shape: [1, 2], data: [1, 2] }), 400, "unexpected shape for input 'a'"],
    ['a shape that is none', raw(`"datatype":"FP32","shape":[${impostor},1],"data":[1]`), 400, 'is not a shape'],
    ['a shape without end', raw(`"datatype":"FP32","shape":${deep},"data":[1]`), 400, 'is not a shape'],
    ['a shape of too many dimensions', tensors({ shape: Array.from({ length: 5000 }, () => 1) }), 400, '5000 dimensions'],
    ['inputs of different lengths', tensors({ shape: [2, 1], data: [1, 2] }), 400, "input 'b' for model 'two' has 1 rows, but input 'a' has 2"],
    ['a wrong length', tensors({ data: [1, 2] }), 400, 'needs 1 values, got 2'],
    ['a text for a number', tensors({ data: ['1'] }), 400, 'expected a number for FP32, got "1"'],
    ['a 64-bit integer for text', raw('"datatype":"BYTES","shape":[1,1],"data":[12345678901234567890],"parameters":{"x":"UINT64"}'), 400, 'expected a string'],
    ['NaN', tensors({}).replace('[1]}', '[NaN]}'), 400, 'NaN has no JSON form'],
    ['null', tensors({ data: [null] }), 400, 'got null'],
    ['what is not JSON', '{"inputs":', 400, 'failed to parse the request JSON'],
    ['what is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 400, 'not UTF-8'],
    ['an over-long body', ' '.repeat(LIMIT + 1), 400, `exceeds the maximum allowed value of ${LIMIT} bytes`],
    ['a packed body that is over-long unpacked', gzipSync(Buffer.alloc(50 * LIMIT)), 400, 'exceeds the maximum', { 'content-encoding': 'gzip' }],
    ['a body that is not packed as it says', '{}', 400, 'not valid gzip', { 'content-encoding': 'gzip' }],
    ['a header longer than the body', '{}', 400, 'inference header size should be in range (0, 2), got: 99', { 'inference-header-content-length': 99 }],
    ['a bad event time', tensors({}), 400, 'event time', { 'x-binnacle-event-time': 'yesterday' }],
  ])('%s', (_what, body, status, message, headers) =>
    refused('openInference', { path: '/v2/models/two/infer', body, ...(headers ? { headers } : {}) }, status, message),
  );

  it.each([
    ['an unknown model', '/v2/models/none/infer', 404, 'unknown model'],
    ['a version that is none', '/v2/models/two/versions/x/infer', 404, 'there is nothing at'],
    ['a broken escape', '/v2/models/%zz/infer', 400, 'broken escape'],
  ])('%s', (_what, path, status, message) => refused('openInference', { path, body: tensors({}) }, status, message));
});

describe('TensorFlow Serving', () => {
  const good = '{"instances":[{"a":1,"b":2}]}';
  it.each<[string, string, Body, number, RegExp | string, Record<string, string>?]>([
    ['an unknown input', 'two:predict', '{"instances":[{"a":1,"z":2}]}', 400, 'does not have named input: z'],
    ['a missing input', 'two:predict', '{"instances":[{"a":1}]}', 400, 'keys must be equal to: a,b'],
    ['a text for a number', 'two:predict', '{"inputs":{"a":["x"],"b":[1]}}', 400, 'JSON Value: "x" Type: String is not of expected type: float'],
    ['an object for a number', 'two:predict', `{"inputs":{"a":[${impostor}],"b":[1]}}`, 400, 'Type: Object is not of expected type: float'],
    ['an object for a text', 'typed:predict', `{"instances":[{"n":1,"s":${impostor}}]}`, 400, 'not formatted correctly for base64 data'],
    ['NaN for a whole number', 'typed:predict', '{"instances":[{"n":NaN,"s":"x"}]}', 400, 'JSON Value: NaN Type: Number is not of expected type: int64'],
    ['lists without end', 'two:predict', `{"inputs":{"a":${deep},"b":[1]}}`, 400, 'dimensions at most'],
    ['lists without end and a long integer', 'two:predict', `{"inputs":{"a":${deep},"b":[12345678901234567890]}}`, 400, /\S/],
    ['an instance without end', 'two:predict', `{"instances":[{"a":${deep},"b":1}]}`, 400, 'dimensions at most'],
    [
      'a signature that is none',
      'two:predict',
      `{"instances":[{"a":1,"b":2}],"signature_name":${impostor}}`,
      400,
      "'signature_name' key must be a string value",
    ],
    ['a signature out of a prototype', 'two:predict', '{"instances":[{"a":1,"b":2}],"signature_name":"constructor"}', 400, 'not found in signature def'],
    ['a feature that is none', 'two:regress', `{"examples":[{"a":${impostor}}]}`, 400, 'unexpected JSON type: Object'],
    ['a feature without end', 'two:classify', `{"examples":[{"a":${deep}}]}`, 400, 'unexpected JSON type: Array'],
    ['examples that are none', 'two:regress', `{"examples":${impostor}}`, 400, "Expecting 'examples' value to be an list/array"],
    ['what is not JSON', 'two:predict', '{"instances":', 400, 'JSON Parse error'],
    ['quotes without end', 'two:predict', `{"inputs": ${'\\"'.repeat(120_000)}`, 400, 'JSON Parse error'],
    ['what is not UTF-8', 'two:predict', Buffer.from([0x7b, 0xff, 0x7d]), 400, 'not UTF-8'],
    ['an over-long body', 'two:predict', ' '.repeat(LIMIT + 1), 413, 'exceeds the maximum'],
    ['a packed body that is over-long unpacked', 'two:predict', gzipSync(Buffer.alloc(50 * LIMIT)), 413, 'exceeds the maximum', { 'content-encoding': 'gzip' }],
    ['an unknown model', 'none:predict', good, 404, 'Servable not found for request: Latest(none)'],
    ['a version that is none', 'two/versions/99999999999999999999:predict', good, 400, 'Failed to convert version'],
    ['a label that is none', 'two/labels/none:predict', good, 400, 'Unrecognized servable version label: none'],
    ['a label out of a prototype', 'two/labels/constructor:predict', good, 400, 'Unrecognized servable version label: constructor'],
    ['a broken escape', '%zz:predict', good, 400, 'Failed to decode model name'],
    ['a path that is none', 'two:explain', good, 400, 'Malformed request: POST /v1/models/two:explain'],
  ])('%s', (_what, path, body, status, message, headers) =>
    refused('openInference', { path: `/v1/models/${path}`, body, ...(headers ? { headers } : {}) }, status, message),
  );
});

describe('MLflow scoring', () => {
  const parquet = { 'content-type': 'application/vnd.apache.parquet' };
  const csv = { 'content-type': 'text/csv' };
  const wide = Array.from({ length: 20_000 }, (_, i) => `c${i}`);
  it.each<[string, string, Body, number, RegExp | string, Record<string, string>?]>([
    ['a missing column', 'two', '{"dataframe_records":[{"a":1}]}', 400, "Model is missing inputs ['b']"],
    ['a wrong type', 'two', '{"dataframe_split":{"columns":["a","b"],"data":[[1,"x"]]}}', 400, "row 0 of column 'b': expected a number"],
    ['an object for a value', 'two', `{"inputs":{"a":[${impostor}],"b":[1]}}`, 400, /^BAD_REQUEST /],
    ['a value without end', 'two', `{"dataframe_records":[{"a":${deep},"b":1}]}`, 400, "column 'a' holds a list"],
    ['names without end', 'two', `{"dataframe_split":{"columns":${deep},"data":[[1]]}}`, 400, 'must be a list of names'],
    ['rows of different lengths', 'two', '{"dataframe_split":{"columns":["a","b"],"data":[[1,2],[3]]}}', 400, '(row 1)'],
    ['lists of different lengths', 'two', '{"inputs":{"a":[1,2],"b":[1]}}', 400, 'same length'],
    ['NaN for a whole number', 'typed', '{"dataframe_split":{"columns":["n","s"],"data":[[NaN,"x"]]}}', 400, "row 0 of column 'n': is missing"],
    ['null for a text', 'typed', '{"dataframe_records":[{"n":1,"s":null}]}', 400, "row 0 of column 's': is missing"],
    ['an unknown form', 'two', '{"rows":[1]}', 400, 'exactly one of the input fields'],
    ['what is not JSON', 'two', '{"inputs":', 400, 'valid JSON'],
    ['quotes without end', 'two', `{"inputs": ${'\\"'.repeat(120_000)}`, 400, 'valid JSON'],
    [
      'more names than rows can have',
      'two',
      JSON.stringify({ dataframe_split: { columns: wide, data: wide.map(() => 1) } }),
      400,
      "20000 columns passed, passed data had 1 columns' (row 0)",
    ],
    ['records that share no field', 'two', JSON.stringify({ dataframe_records: wide.map((name) => ({ [name]: 1 })) }), 400, '20000 different fields'],
    ['a CSV that lacks a column', 'two', 'a\n1\n', 400, "Model is missing inputs ['b']", csv],
    ['a CSV with a short line', 'two', 'a,b\n1,2\n3\n', 400, 'Expected 2 fields in line 3, saw 1', csv],
    ['a CSV of a header only', 'two', `${wide.join(',')}\n`, 400, 'no rows', csv],
    ['a CSV with more columns than its lines have', 'two', `${wide.join(',')}\n${'1\n'.repeat(20_000)}`, 400, 'Expected 20000 fields in line 2, saw 1', csv],
    ['a CSV of one endless quote', 'two', `a,b\n"${'""'.repeat(100_000)}`, 400, 'EOF inside string', csv],
    ['a Parquet file that is none', 'two', 'PAR1PAR1', 400, 'valid Parquet', parquet],
    ['params without end', 'two', `{"dataframe_records":[{"a":1,"b":2}],"params":{"x":${deep}}}`, 400, '32 levels deep'],
    ['an over-long body', 'two', ' '.repeat(LIMIT + 1), 413, /^BAD_REQUEST .*exceeds the maximum/],
    ['what is not UTF-8', 'two', Buffer.from([0x7b, 0xff, 0x7d]), 400, 'UTF-8'],
    ['an unknown endpoint', 'none', '{"inputs":[1]}', 404, /^RESOURCE_DOES_NOT_EXIST /],
  ])('%s', (_what, endpoint, body, status, message, headers) =>
    refused('mlflow', { path: `/endpoints/${endpoint}/invocations`, body, headers: headers ?? JSON_TYPE }, status, message),
  );
});

describe('batch', () => {
  let inputs: Record<string, string>;
  beforeAll(async () => {
    inputs = {
      lacking: file('lacking.csv', 'a,c\n1,2\n'),
      good: file('good.csv', 'a,b\n1,2\n'),
      deep: file('deep.jsonl', `{"a":${deep},"b":1}\n`),
      nulls: join(files, 'nulls.parquet'),
      broken: file('broken.parquet', 'PAR1 this is none PAR1'),
    };
    await query(`COPY (SELECT * FROM (VALUES (1::BIGINT, 'x'), (NULL, 'y'), (3, NULL)) AS t(n, s)) TO '${inputs.nulls}' (FORMAT parquet)`);
  });
  const create = (spec: Record<string, unknown>): Call => ({ path: `${NATIVE}/batch`, body: JSON.stringify(spec) });

  it.each<[string, () => Record<string, unknown>, number, RegExp | string]>([
    ['a CSV that lacks a column', () => ({ model: 'two', input: inputs.lacking }), 400, /^missing_column .*'b'/],
    ['a Parquet file that is none', () => ({ model: 'two', input: inputs.broken }), 400, /broken\.parquet/],
    ['an input that does not exist', () => ({ model: 'two', input: join(files, 'none.csv') }), 404, /^input_not_found /],
    ['an unknown field', () => ({ model: 'two', input: inputs.lacking, nonsense: 1 }), 400, /^invalid_body .*nonsense/],
    ['an unknown model', () => ({ model: 'none', input: inputs.lacking }), 404, 'none'],
    ['JSON Lines without end', () => ({ model: 'two', input: inputs.deep }), 400, /^table_too_deep .*line 1/],
    ['a macro that sleeps', () => ({ model: 'two', input: inputs.good, select: 'a, pg_sleep(60) AS b' }), 400, /^sql_not_allowed .*sleep/],
    [
      'SQL that ends the engine',
      () => ({ model: 'two', input: inputs.good, select: "a, json_structure(repeat('[', 200000) || repeat(']', 200000)) AS b" }),
      400,
      /^sql_not_allowed /,
    ],
    [
      'SQL that looks elsewhere',
      () => ({ model: 'two', input: inputs.lacking, select: "a, (SELECT count(*) FROM read_text('/etc/passwd')) AS b" }),
      400,
      /^sql_not_allowed /,
    ],
  ])('%s', async (_what, spec, status, message) => {
    const output = join(files, 'out');
    await refused('native', create({ output, ...spec() }), status, message);
    expect(readdirSync(files)).not.toContain('out');
  });

  it.runIf(process.platform === 'linux')('an output where nothing can be made fails and does not hang', async () => {
    const reply = await call(create({ model: 'two', input: inputs.good, output: '/proc/self/nothing/here' }));
    expect([reply.status, reply.json().code]).toEqual([403, expect.any(String)]);
    await serves();
  });

  it('a Parquet file with nulls where none can be fails with the row and the reason, and goes on when bad rows are allowed', async () => {
    const finished = async (id: string) => {
      for (;;) {
        const job = await ok({ path: `${NATIVE}/batch/${id}` });
        if (job.state !== 'queued' && job.state !== 'running') return job;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const strict = await finished((await ok(create({ model: 'typed', input: inputs.nulls, output: join(files, 'strict') }))).id);
    expect(strict).toMatchObject({ state: 'failed', error: expect.stringMatching(/^2 of 3 rows cannot be predicted.*row 1 .*column "n" is missing/) });
    expect(readdirSync(join(files, 'strict'))).not.toContain('_SUCCESS');
    const lenient = await finished((await ok(create({ model: 'typed', input: inputs.nulls, output: join(files, 'lenient'), maxErrorRate: 1 }))).id);
    expect(lenient).toMatchObject({ state: 'succeeded', rowsDone: 3, rowsFailed: 2 });
    const { files: written } = await ok({ path: `${NATIVE}/batch/${lenient.id}/files` });
    const errors = written.find(({ kind }: { kind: string }) => kind === 'errors');
    const said = (await call({ path: `${NATIVE}/batch/${lenient.id}/files/content?name=${encodeURIComponent(errors.name)}` })).body.toString();
    expect(
      said
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { row: 1, message: 'column "n" is missing' },
      { row: 2, message: 'column "s" is missing' },
    ]);
    expect((await call({ path: `${NATIVE}/batch/${lenient.id}/files/content?name=..%2F..%2Fbinnacle.db` })).status).toBe(404);
    await serves();
  });
});

describe('the command line', () => {
  const cli = (...args: string[]) => binnacle([...args, '--url', server.url]);
  it.each<[string, () => string[], RegExp]>([
    ['a corrupt ONNX file', () => ['models', 'push', file('corrupt.onnx', corrupt), '--name', 'two'], /not a valid ONNX|ONNX/],
    ['a CSV that lacks a column', () => ['predict', 'two', '--input', file('short.csv', 'a\n1\n')], /missing inputs \['b'\]/],
    ['a row of a wrong type', () => ['predict', 'two', '--input', file('rows.jsonl', '{"a":1,"b":"x"}\n')], /row 0 of column 'b'/],
    [
      'a batch over a CSV that lacks a column',
      () => ['batch', 'run', '--model', 'two/1', '--input', file('short.csv', 'a\n1\n'), '--output', join(files, 'cli-out')],
      /'b'/,
    ],
    ['an endpoint that does not exist', () => ['predict', 'none', '--input', file('ok.csv', 'a,b\n1,2\n')], /unknown model: 'none'/],
    ['a run that does not exist', () => ['runs', 'show', 'none'], /none/],
  ])('%s: the reason on stderr, nothing on stdout, exit code 1', async (_what, args, message) => {
    const before = await everything();
    const { code, stdout, stderr } = await cli(...args());
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect([code, stdout]).toEqual([1, '']);
    expect(await everything()).toEqual(before);
    await serves();
  });

  it('what is no JSON is said with its line, exit code 2', async () => {
    const { code, stderr } = await cli('predict', 'two', '--input', file('broken.jsonl', '{"a":1,"b":2}\n{"a":\n'));
    expect(stderr).toMatch(/line 2 is not JSON/);
    expect(code).toBe(2);
  });
});

it('a second server on the data directory is refused and the first one serves on', async () => {
  const before = await everything();
  const second = await binnacle(['up', '--data', server.dataDir, '--port', '0']);
  expect(second.stderr).toContain(`is in use by the Binnacle with process id ${server.pid}`);
  expect(second.code).toBe(1);
  expect(await everything()).toEqual(before);
  await serves();
});

it('a second server on the port is refused, leaves its own data directory free, and the first one serves on', async () => {
  const data = temporaryFolder();
  const second = await binnacle(['up', '--data', data, '--port', new URL(server.url).port]);
  expect(second.stderr).toMatch(/Port \d+ on 127.0.0.1 is in use.*--port/);
  expect(second.code).toBe(1);
  await serves();
  const third = await startServer({ data });
  expect(await third.stop()).toBe(0);
});

it('a data directory that is a file is a clear error', async () => {
  mkdirSync(join(files, 'folder'), { recursive: true });
  const { code, stderr } = await binnacle(['up', '--data', file('folder/data', 'x'), '--port', '0']);
  expect(stderr).toContain(join(files, 'folder/data'));
  expect(code).toBe(1);
});

it('requests that are no HTTP, lie about their length, or stop in the middle harm nobody', async () => {
  const port = Number(new URL(server.url).port);
  const raw = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.end(text, 'latin1'));
      let reply = '';
      socket.on('data', (data) => (reply += data.toString('latin1')));
      socket.on('error', () => {});
      socket.on('close', () => resolve(reply));
    });
  const head = 'Host: localhost\r\nContent-Type: application/json\r\n';
  expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
  expect(await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431/);
  for (const path of [
    '/v2/models/two/infer',
    '/v1/models/two:predict',
    '/endpoints/two/invocations',
    `${MLFLOW}/experiments/create`,
    `${NATIVE}/experiments`,
    `${ARTIFACTS}/0/x`,
  ]) {
    await raw(`POST ${path} HTTP/1.1\r\n${head}Content-Length: 100\r\n\r\n{"name":`);
    expect(await raw(`POST ${path} HTTP/1.1\r\n${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1.1 400/);
    expect(await raw(`POST ${path} HTTP/1.1\r\n${head}Content-Length: -5\r\n\r\n`)).toMatch(/^HTTP\/1.1 400/);
  }
  await raw(`GET /health HTTP/1.1\r\nHost: localhost\r\nCookie: binnacle_token=%\r\n\r\n`);
  await serves();
});
