import { expect, it } from 'vitest';
import { mlModelOfRemote, parseRemoteFlavor } from './remote-spec.ts';
import { parseMlModel } from './mlmodel.ts';

const flavor = (change: Record<string, unknown> = {}) => ({ url: 'http://triton:8000/', model: 'resnet', ...change });

it('an address, a name, and what else is said', () => {
  expect(parseRemoteFlavor(flavor({ version: 3, token: 'env:BINNACLE_REMOTE_TOKEN', timeout_ms: 500 }))).toEqual({
    kind: 'remote',
    protocol: 'open-inference',
    url: 'http://triton:8000',
    model: 'resnet',
    version: '3',
    token: 'env:BINNACLE_REMOTE_TOKEN',
    timeoutMs: 500,
  });
  expect(parseRemoteFlavor({ protocol: 'mlflow', url: 'https://host/base/' })).toMatchObject({ url: 'https://host/base', model: 'model' });
  expect(parseRemoteFlavor({ protocol: 'lambda', url: 'lambda://eu-west-1', model: 'score', payload: 'mlflow' })).toMatchObject({ payload: 'mlflow' });
});

it.each([
  ['text', 'must be a mapping'],
  [flavor({ adress: 'x' }), 'unknown key "adress"'],
  [flavor({ url: undefined }), 'must begin with http:// or https://'],
  [flavor({ url: 'file:///etc/passwd' }), 'must begin with http:// or https://'],
  [flavor({ protocol: 'open-inference-grpc' }), 'must begin with grpc:// or grpcs://'],
  [flavor({ url: 'http://user:hunter2@host' }), 'must not hold credentials'],
  [flavor({ url: 'http://host?key=hunter2' }), 'no query'],
  [flavor({ protocol: 'http' }), 'protocol must be one of'],
  [flavor({ model: '' }), 'names no model'],
  [flavor({ model: 'a\nb' }), 'control characters'],
  [flavor({ token: 'hunter2' }), 'must be a reference'],
  [flavor({ timeout_ms: -1 }), 'timeout_ms must be a whole number'],
  [flavor({ payload: 'mlflow' }), 'payload is for lambda only'],
  [flavor({ protocol: 'tensorflow-serving', version: 'latest' }), 'whole number'],
])('%j is refused, and no secret is repeated', (given, why) => {
  expect(() => parseRemoteFlavor(given)).toThrow(why);
  expect(() => parseRemoteFlavor(given)).toThrow(/^(?!.*hunter2)/);
});

it('the file that is written is read back, with its signature', () => {
  const signature = { inputs: '[{"name":"a","type":"double"}]', outputs: null, params: null };
  const text = mlModelOfRemote({ protocol: 'mlflow', url: 'http://host:5000', model: 'm' }, signature, { runId: 'abc', createdAt: 0 });
  expect(parseMlModel(text)).toMatchObject({
    flavors: ['binnacle.remote'],
    runId: 'abc',
    onnxData: null,
    remote: { kind: 'remote', protocol: 'mlflow', url: 'http://host:5000', model: 'm' },
    signature: { inputs: [{ name: 'a', type: 'double' }], outputs: [] },
  });
  expect(() => parseMlModel('flavors:\n  binnacle.remote:\n    url: x\n    model: m\n')).toThrow('flavour binnacle.remote is refused');
});
