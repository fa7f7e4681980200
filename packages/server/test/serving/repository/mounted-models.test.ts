import { afterEach, describe, expect, it } from 'vitest';
import { identity, sum, zipMapClassifier } from '../../support/onnx-graphs.ts';
import { type RepositoryKit, repositoryKit } from '../../support/model-repository.ts';

let kits: RepositoryKit[] = [];
const open = async (...args: Parameters<typeof repositoryKit>): Promise<RepositoryKit> => {
  const made = await repositoryKit(...args);
  kits.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(kits.map((kit) => kit.close()));
  kits = [];
});

const config = (body: string): string => `platform: "onnxruntime_onnx"\n${body}`;
const X2 = 'input [{ name: "x" data_type: TYPE_FP32 dims: [2] }] output [{ name: "y" data_type: TYPE_FP32 dims: [1] }]';

describe('a model repository folder', () => {
  it('serves a model without a configuration, the latest version to who names none', async () => {
    const { infer, kit } = await open({ 'sum/1/model.onnx': sum(2), 'sum/2/model.onnx': sum(2, 10) });
    expect(await infer('sum', [[1, 2]])).toMatchObject({ model_version: '2', outputs: [{ name: 'y', shape: [1, 1], data: [30] }] });
    expect(await infer('sum', [[1, 2]], 1)).toHaveProperty('error');
    expect(kit.serving.list()).toMatchObject([{ name: 'sum', source: 'repository', state: 'ready' }]);
  });

  it('serves the versions that version_policy chooses, pinned or not', async () => {
    const files = { 'sum/1/model.onnx': sum(2), 'sum/2/model.onnx': sum(2, 10), 'sum/10/model.onnx': sum(2, 100) };
    const all = await open({ ...files, 'sum/config.pbtxt': config(`max_batch_size: 8 ${X2} version_policy { all {} }`) });
    expect(await Promise.all([1, 2, 10, undefined].map(async (version) => (await all.infer('sum', [[1, 2]], version)).outputs[0].data[0]))).toEqual([
      3, 30, 300, 300,
    ]);
    const two = await open({ ...files, 'sum/config.pbtxt': config(`max_batch_size: 8 ${X2} version_policy { specific { versions: [1, 2] } }`) });
    expect((await two.infer('sum', [[1, 2]])).model_version).toBe('2');
    expect(await two.infer('sum', [[1, 2]], 10)).toMatchObject({ error: expect.stringContaining("Request for unknown model: 'sum' version 10") });
  });

  it('refuses more rows than max_batch_size in Triton’s words', async () => {
    const { infer } = await open({ 'sum/1/model.onnx': sum(2), 'sum/config.pbtxt': config(`max_batch_size: 2 ${X2}`) });
    expect(
      (
        await infer('sum', [
          [1, 2],
          [3, 4],
        ])
      ).outputs[0].data,
    ).toEqual([3, 7]);
    expect(
      (
        await infer('sum', [
          [1, 2],
          [3, 4],
          [5, 6],
        ])
      ).error,
    ).toContain("inference request batch-size must be <= 2 for 'sum'");
  });

  it('takes dims as whole shapes when max_batch_size is 0, and reshapes where asked', async () => {
    const { infer, kit } = await open({
      'flat/1/model.onnx': sum(2),
      'flat/config.pbtxt': config(
        `input [{ name: "x" data_type: TYPE_FP32 dims: [2] reshape { shape: [1, 2] } }] output [{ name: "y" data_type: TYPE_FP32 dims: [1] reshape { shape: [1, 1] } }]`,
      ),
    });
    const reply = await fetch(`${kit.url}/v2/models/flat/infer`, {
      method: 'POST',
      body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [2], data: [1, 2] }] }),
    });
    expect(await reply.json()).toMatchObject({ outputs: [{ name: 'y', shape: [1], data: [3] }] });
    expect((await infer('flat', [[1, 2]])).error).toContain('Expected [2], got [1,2]');
  });

  it('shows the completed configuration as Triton prints it', async () => {
    const { kit } = await open({
      'sum/1/model.onnx': sum(2),
      'sum/config.pbtxt': 'instance_group [{ count: 2 kind: KIND_CPU }] response_cache { enable: true }',
    });
    const shown = (await (await fetch(`${kit.url}/v2/models/sum/config`)).json()) as object;
    expect(shown).toMatchObject({
      name: 'sum',
      platform: 'onnxruntime_onnx',
      max_batch_size: 1024,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [2], format: 'FORMAT_NONE' }],
      output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [1], label_filename: '' }],
      instance_group: [{ count: 2, kind: 'KIND_CPU' }],
      response_cache: { enable: true },
      dynamic_batching: { preferred_batch_size: [], max_queue_delay_microseconds: 0 },
    });
    expect(kit.serving.list()[0]?.config).toMatchObject({ instances: 2, cache: { maxMiB: 64 }, batching: { enabled: 'auto' } });
  });

  it('rewires ZipMap outputs, and names classes by label_filename', async () => {
    const { kit } = await open({
      'iris/1/model.onnx': zipMapClassifier(),
      'iris/labels.txt': 'setosa\nvirginica\n',
      'iris/config.pbtxt':
        'max_batch_size: 4 input { name: "x" data_type: TYPE_FP32 dims: 2 } output { name: "output_probability" data_type: TYPE_FP32 dims: 2 label_filename: "labels.txt" }',
    });
    const reply = await fetch(`${kit.url}/v2/models/iris/infer`, {
      method: 'POST',
      body: JSON.stringify({
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [0, 5] }],
        outputs: [{ name: 'output_probability', parameters: { classification: 1 } }],
      }),
    });
    expect(((await reply.json()) as { outputs: { data: string[] }[] }).outputs[0]?.data[0]).toMatch(/:1:virginica$/);
  });

  it('names classes as the ZipMap did, where nothing else does', async () => {
    const { kit } = await open({ 'iris/1/model.onnx': zipMapClassifier({ strings: ['setosa', 'virginica'] }) });
    const reply = await fetch(`${kit.url}/v2/models/iris/infer`, {
      method: 'POST',
      body: JSON.stringify({
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [0, 5] }],
        outputs: [{ name: 'output_probability', parameters: { classification: 2 } }],
      }),
    });
    const [first, second] = ((await reply.json()) as { outputs: { data: string[] }[] }).outputs[0]?.data ?? [];
    expect([first?.split(':').slice(1), second?.split(':').slice(1)]).toEqual([
      ['1', 'virginica'],
      ['0', 'setosa'],
    ]);
    expect(kit.serving.get('iris').labels).toEqual({ output_probability: ['setosa', 'virginica'] });
  });

  it('runs the warm-up before a version is ready, and does not serve one whose warm-up fails', async () => {
    const warm = (file: string) =>
      `max_batch_size: 4 ${X2} model_warmup { name: "w" batch_size: 2 inputs { key: "x" value { data_type: TYPE_FP32 dims: 2 ${file} } } }`;
    const { control, infer } = await open({
      'good/1/model.onnx': sum(2),
      'good/config.pbtxt': config(warm('input_data_file: "x.bin"')),
      'good/warmup/x.bin': new Uint8Array(16),
      'bad/1/model.onnx': sum(2),
      'bad/config.pbtxt': config(warm('input_data_file: "x.bin"')),
      'bad/warmup/x.bin': new Uint8Array(15),
      'outside/1/model.onnx': sum(2),
      'outside/config.pbtxt': config(warm('input_data_file: "../../good/warmup/x.bin"')),
    });
    expect((await infer('good', [[1, 2]])).outputs[0].data).toEqual([3]);
    const index = Object.fromEntries((await control.index()).map((entry) => [entry.name, entry]));
    expect(index['good']).toMatchObject({ version: '1', state: 'READY' });
    expect(index['bad']).toMatchObject({ state: 'UNAVAILABLE', reason: expect.stringContaining('has 15 bytes') });
    expect(index['outside']).toMatchObject({ state: 'UNAVAILABLE', reason: expect.stringContaining("must be a path inside the model's folder") });
  });

  it.each([
    [
      'wrong dims',
      `max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: 3 }`,
      /the model expects 2 dimensions \(shape \[-1,2\]\) but the model configuration specifies 2/,
    ],
    [
      'a wrong datatype',
      `max_batch_size: 8 input { name: "x" data_type: TYPE_INT32 dims: 2 }`,
      /configuration expects datatype TYPE_INT32 for input 'x', model provides TYPE_FP32/,
    ],
    ['an unknown input', `max_batch_size: 8 input { name: "z" data_type: TYPE_FP32 dims: 2 }`, /unexpected inference input 'z', allowed inputs are: x/],
    ['a misspelt field', `max_batch_sizes: 8`, /config\.pbtxt:2:1: ModelConfig has no field named 'max_batch_sizes'/],
    ['another name', `name: "other"`, /has the name 'other'/],
    ['a file outside', `default_model_filename: "../../x/1/model.onnx"`, /must be a path inside the model's folder/],
    ['no version chosen', `version_policy { specific { versions: 7 } }`, /none of the versions 1 of 'm' is chosen/],
  ])('does not serve a model with %s, says why, and serves the others', async (_what, body, reason) => {
    const { control, infer } = await open({ 'm/1/model.onnx': sum(2), 'm/config.pbtxt': config(body), 'ok/1/model.onnx': sum(2) });
    expect((await infer('ok', [[1, 2]])).outputs[0].data).toEqual([3]);
    expect((await control.index()).find(({ name }) => name === 'm')).toMatchObject({ state: 'UNAVAILABLE', reason: expect.stringMatching(reason) });
  });

  it('lists what is for other backends, with what to do', async () => {
    const { control } = await open({
      'tf/1/model.savedmodel/saved_model.pb': 'x',
      'py/1/model.py': 'x',
      'pt/1/model.pt': 'x',
      'nothing/1/readme.md': 'x',
      'empty/config.pbtxt': '',
    });
    const reasons = Object.fromEntries((await control.index()).map(({ name, state, reason }) => [name, `${state}: ${reason}`]));
    expect(reasons['tf']).toMatch(/UNAVAILABLE: .*backend 'tensorflow'.*tf2onnx/);
    expect(reasons['py']).toMatch(/backend 'python'.*MLflow Python model/);
    expect(reasons['pt']).toMatch(/torch\.onnx\.export/);
    expect(reasons['nothing']).toMatch(/holds no model\.onnx/);
    expect(reasons['empty']).toMatch(/has no version/);
  });

  it('serves the good version of a model whose newest is broken', async () => {
    const { control, infer } = await open({
      'm/1/model.onnx': sum(2),
      'm/2/model.onnx': 'no graph',
      'm/config.pbtxt': `${X2} max_batch_size: 4 version_policy { all {} }`,
    });
    expect(await infer('m', [[1, 2]])).toMatchObject({ model_version: '1', outputs: [{ data: [3] }] });
    expect(await control.index()).toMatchObject([
      { version: '1', state: 'READY' },
      { version: '2', state: 'UNAVAILABLE', reason: expect.stringContaining('not a whole ONNX file') },
    ]);
  });

  it('lets an endpoint of the registry keep its name', async () => {
    const { kit, control, folder, infer } = await open({}, { mode: 'explicit' });
    await kit.deploy('m', identity('FP32'));
    folder.write('m/1/model.onnx', sum(2));
    await expect(control.load('m', {})).rejects.toThrow(/an endpoint of the registry is called 'm' already/);
    expect((await infer('m', [[1, 2]])).outputs[0].data).toEqual([1, 2]);
  });

  it('changes by its folder alone', async () => {
    const { kit } = await open({ 'm/1/model.onnx': sum(2) });
    const { version } = await kit.registry.add('m', sum(2));
    for (const change of [
      () => kit.serving.deploy('m', { model: 'm', traffic: [{ version, weight: 100, shadow: false }] }),
      () => kit.serving.delete('m'),
      () => kit.serving.unload('m'),
      () => kit.serving.load('m'),
      () => kit.serving.rollBack('m'),
    ])
      await expect(change()).rejects.toMatchObject({ kind: 'conflict', code: 'endpoint_from_repository' });
    expect(kit.serving.get('m').state).toBe('ready');
  });

  it('does not serve a name that two repositories have', async () => {
    const other = await open({ 'm/1/model.onnx': sum(2) });
    const { control } = await open({ 'm/1/model.onnx': sum(2) }, { extra: [other.folder.dir] });
    expect(await control.index()).toMatchObject([{ name: 'm', state: 'UNAVAILABLE', reason: expect.stringContaining('more than one repository') }]);
  });
});
