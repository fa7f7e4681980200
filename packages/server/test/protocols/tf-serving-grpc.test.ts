import { afterAll, beforeAll, expect, it } from 'vitest';
import { tfServingGrpc } from '../../src/protocols/tf-serving/index.ts';
import { failure, type GrpcServerKit, type ProtoClient, protoClient, startGrpc } from '../support/grpc.ts';
import { classifierAndValue, identity, sum, twoColumns } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit, until } from '../support/serving.ts';

let kit: ServingKit;
let server: GrpcServerKit;
let predictions: ProtoClient;
let models: ProtoClient;
beforeAll(async () => {
  kit = await servingKit();
  server = await startGrpc(tfServingGrpc({ serving: kit.serving, maxTensorBytes: 1 << 20 }));
  const client = server.client();
  predictions = await protoClient('tensorflow_serving.proto', 'tensorflow.serving.PredictionService', client);
  models = await protoClient('tensorflow_serving.proto', 'tensorflow.serving.ModelService', client);
  for (const type of ['FP32', 'INT8', 'INT64', 'BYTES', 'BOOL']) await kit.deploy(type, identity(type, ['N']));
  await kit.deploy('sum', sum(2));
  await kit.deploy('two', twoColumns());
  await kit.deploy('both', classifierAndValue());
});
afterAll(async () => {
  await server?.close();
  await kit?.close();
});

const dims = (...sizes: number[]) => ({ dim: sizes.map((size) => ({ size })) });
const predict = (model: string, tensor: object, more: object = {}) =>
  predictions.call('Predict', { model_spec: { name: model }, inputs: { x: tensor }, ...more });
const features = (name: string, value: number[]) => ({ features: { feature: { [name]: { float_list: { value } } } } });

it('reads fewer values than the shape needs as TensorFlow does', async () => {
  expect((await predict('FP32', { dtype: 'DT_FLOAT', tensor_shape: dims(3), float_val: [1, 2] }))['outputs'].y.float_val).toEqual([1, 2, 2]);
  expect((await predict('FP32', { dtype: 'DT_FLOAT', tensor_shape: dims(2), float_val: [] }))['outputs'].y.float_val).toEqual([0, 0]);
  expect((await predict('INT64', { dtype: 'DT_INT64', tensor_shape: dims(2), int64_val: [-5] }))['outputs'].y.int64_val).toEqual([-5, -5]);
});

it('reads strings from tensor_content, and bytes that are no text are refused', async () => {
  const content = Buffer.concat([Buffer.of(2, 0), Buffer.from('hi')]);
  const reply = await predict('BYTES', { dtype: 'DT_STRING', tensor_shape: dims(2), tensor_content: content });
  expect(reply['outputs'].y.string_val.map((value: Buffer) => Buffer.from(value).toString())).toEqual(['hi', '']);
  for (const broken of [Buffer.of(1), Buffer.of(3, 0, 104), Buffer.of(255, 255, 255, 255, 255, 255, 255, 255)])
    expect(await failure(predict('BYTES', { dtype: 'DT_STRING', tensor_shape: dims(2), tensor_content: broken }))).toContain(
      'tensor_content holds no 2 strings',
    );
  expect(await failure(predict('BYTES', { dtype: 'DT_STRING', tensor_shape: dims(1), string_val: [Buffer.of(0xff)] }))).toContain('INVALID_ARGUMENT');
});

it.each([
  ['FP32', { dtype: 'DT_FLOAT', tensor_shape: dims(2), tensor_content: Buffer.alloc(7) }, 'tensor_content has 7 bytes'],
  ['FP32', { dtype: 'DT_FLOAT', tensor_shape: dims(2 ** 40), float_val: [1] }, 'needs more than the 1048576 bytes'],
  ['FP32', { dtype: 'DT_FLOAT', tensor_shape: dims(2 ** 52, 2 ** 52), float_val: [1] }, 'needs more than'],
  ['FP32', { dtype: 'DT_FLOAT', tensor_shape: dims(-1), float_val: [1] }, 'negative dimension'],
  ['FP32', { dtype: 'DT_FLOAT', tensor_shape: { unknown_rank: true }, float_val: [1] }, 'a tensor needs a shape'],
  ['FP32', { dtype: 'DT_BFLOAT16', tensor_shape: dims(1), half_val: [1] }, 'data type 14'],
  ['INT8', { dtype: 'DT_INT8', tensor_shape: dims(1), int_val: [300] }, '300 does not fit INT8'],
  ['BOOL', { dtype: 'DT_BOOL', tensor_shape: dims(1), tensor_content: Buffer.of(2) }, 'a DT_BOOL is the byte 0 or 1'],
])('a tensor for %s that is not whole is refused: %j', async (model, tensor, why) => {
  expect(await failure(predict(model, tensor))).toContain(why);
});

it('names are looked at before tensors are made, and all tensors share what a request may take', async () => {
  // None of these shapes could be had, alone or together: what is told is the first thing that is looked at.
  const claim = { dtype: 'DT_STRING', tensor_shape: dims(2 ** 40) };
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x${i}`, claim]));
  expect(await failure(predictions.call('Predict', { model_spec: { name: 'BYTES' }, inputs: many }))).toContain('input size does not match signature: 100!=1');
  expect(await failure(predictions.call('Predict', { model_spec: { name: 'BYTES' }, inputs: { y: claim } }))).toContain('input tensor alias not found');
  // A string's place counts, too: of 2^20 bytes there are 2^16 of them.
  expect(await failure(predict('BYTES', { dtype: 'DT_STRING', tensor_shape: dims(2 ** 16 + 1) }))).toContain('needs more than the 1048576 bytes');
  const column = (rows: number) => ({ dtype: 'DT_FLOAT', tensor_shape: dims(rows, 1), float_val: [1] });
  const two = (a: object, b: object) => predictions.call('Predict', { model_spec: { name: 'two' }, inputs: { a, b } });
  expect((await two(column(2 ** 17), column(2 ** 17)))['outputs'].total.float_val[2 ** 17 - 1]).toBe(2);
  expect(await failure(two(column(2 ** 17), column(2 ** 17 + 1)))).toContain("'b': the shape [131073,1] needs more than");
});

it('serves several signatures by one run, and says what is wrong with the tasks', async () => {
  const task = (signature_name: string, method: string, name = 'both') => ({
    model_spec: { name, signature_name },
    method_name: `tensorflow/serving/${method}`,
  });
  const multi = (tasks: object[]) => predictions.call('MultiInference', { tasks, input: { example_list: { examples: [features('x', [2, 0])] } } });
  const before = kit.serving.stats('both').total.requests;
  const { results } = await multi([task('', 'classify'), task('regression', 'regress')]);
  expect(results[0].classification_result.classifications[0].classes[0]).toEqual({ label: '0', score: expect.closeTo(0.881, 3) });
  expect(results[1].regression_result.regressions).toEqual([{ value: 2 }]);
  expect(results.map((one: { model_spec: { signature_name: string } }) => one.model_spec.signature_name)).toEqual(['serving_default', 'regression']);
  await until(() => kit.serving.stats('both').total.requests === before + 1);
  expect(await failure(multi([task('', 'classify'), task('serving_default', 'classify')]))).toContain('Duplicate evaluation of signature: serving_default');
  expect(await failure(multi([]))).toContain('at least one task');
  expect(await failure(multi([task('', 'classify'), task('regression', 'regress', 'sum')]))).toContain('must access the same model name');
  expect(await failure(multi([task('', 'predict')]))).toBe('UNIMPLEMENTED: Unsupported signature method_name: tensorflow/serving/predict');
  expect(await failure(multi([task('classification', 'regress')]))).toContain('Expected regression signature method_name');
});

it('calls a signature that is not there what TensorFlow Serving calls it, by method', async () => {
  const spec = { name: 'sum', signature_name: 'other' };
  const tensor = { dtype: 'DT_FLOAT', tensor_shape: dims(1, 2), float_val: [1, 2] };
  const input = { example_list: { examples: [features('x', [1, 2])] } };
  expect(await failure(predictions.call('Predict', { model_spec: spec, inputs: { x: tensor } }))).toBe(
    'FAILED_PRECONDITION: Serving signature key "other" not found.',
  );
  expect(await failure(predictions.call('Regress', { model_spec: spec, input }))).toBe('INVALID_ARGUMENT: No signature was found with the name: other');
  expect(await failure(predictions.call('Classify', { model_spec: spec, input }))).toBe('INVALID_ARGUMENT: No signature was found with the name: other');
});

it('counts refusals, and leaves predictions in the log', async () => {
  const before = kit.serving.stats('FP32').total.errors;
  await failure(predict('FP32', { dtype: 'DT_FLOAT', tensor_shape: dims(-1) }));
  await failure(predict('FP32', { dtype: 'DT_FLOAT', tensor_shape: dims(1, 1), float_val: [1] }));
  expect(kit.serving.stats('FP32').total.errors - before).toBe(2);
  const logged = kit.predictions.length;
  await predictions.call('Regress', { model_spec: { name: 'sum' }, input: { example_list: { examples: [features('x', [1, 2])] } } });
  await until(() => kit.predictions.length > logged);
});

it('refuses to be given a list of folders', async () => {
  expect(await failure(models.call('HandleReloadConfigRequest', { config: { model_config_list: { config: [] } } }))).toContain('UNIMPLEMENTED: ');
  expect(await failure(models.call('HandleReloadConfigRequest', {}))).toContain('INVALID_ARGUMENT: ServerModelConfig type not supported');
  expect((await models.call('GetModelStatus', { model_spec: { name: 'sum' } }))['model_version_status']).toEqual([
    { version: 1, state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } },
  ]);
  expect(await failure(models.call('GetModelStatus', {}))).toBe('INVALID_ARGUMENT: Missing ModelSpec');
});
