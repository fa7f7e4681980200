import { afterEach, describe, expect, it } from 'vitest';
import type { RuntimeSpec } from '../../src/registry/index.ts';
import { identity, slow, sum, twoColumns } from '../support/onnx-graphs.ts';
import { type RepositoryKit, repositoryKit } from '../support/model-repository.ts';
import { type ServingKit, servingKit, until } from '../support/serving.ts';

let close: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of close.toReversed()) await each();
  close = [];
});

type Ensemble = Extract<RuntimeSpec, { kind: 'ensemble' }>;
const x = { name: 'x', datatype: 'FP32', shape: [-1, 2] };
const score = { name: 'score', datatype: 'FP32', shape: [-1, 1] };

/** An endpoint of the registry that is an ensemble. */
async function deployEnsemble(kit: ServingKit, name: string, spec: Omit<Ensemble, 'kind'>) {
  const pkg = await kit.registry.add(name, identity('FP32'));
  Object.assign(pkg, { runtime: { kind: 'ensemble', ...spec }, onnxFile: null, tensors: { inputs: spec.inputs, outputs: spec.outputs } });
  return kit.serving.deploy(name, { model: name, traffic: [{ version: pkg.version, weight: 100, shadow: false }] });
}

/** (3x₁+3x₂) and (x₁+x₂) beside each other, then added. */
const DIAMOND: Omit<Ensemble, 'kind'> = {
  inputs: [x],
  outputs: [score],
  steps: [
    { model: 'sum', inputs: { x: 'x' }, outputs: { y: 'left' } },
    { model: 'sum3', inputs: { x: 'x' }, outputs: { y: 'right' } },
    { model: 'add', inputs: { a: 'left', b: 'right' }, outputs: { total: 'score' } },
  ],
};

async function diamond(): Promise<ServingKit> {
  const kit = await servingKit();
  close.push(() => kit.close());
  await kit.deploy('sum', sum(2));
  await kit.deploy('sum3', sum(2, 3));
  await kit.deploy('add', twoColumns());
  expect(await deployEnsemble(kit, 'both', DIAMOND)).toMatchObject({ state: 'ready', message: '' });
  return kit;
}

const body = (rows: number[][]) => ({ inputs: [{ name: 'x', datatype: 'FP32', shape: [rows.length, 2], data: rows.flat() }] });

describe('an ensemble of endpoints', () => {
  it('runs its steps, branches beside each other, over REST as any model', async () => {
    const kit = await diamond();
    const reply = (
      await kit.infer(
        'both',
        body([
          [1, 2],
          [10, 20],
        ]),
      )
    ).json();
    expect(reply.outputs).toEqual([{ name: 'score', datatype: 'FP32', shape: [2, 1], data: [12, 120] }]);
    expect(kit.serving.get('both')).toMatchObject({ versions: [{ tier: 'ensemble', state: 'ready' }] });
  });

  it('counts what its steps did with their endpoints', async () => {
    const kit = await diamond();
    await kit.infer('both', body([[1, 2]]));
    for (const name of ['sum', 'sum3', 'add', 'both'])
      expect(kit.serving.inferenceStatistics(name)[0]?.statistics).toMatchObject({ success: 1, inferences: 1 });
  });

  it('names the step in an error, and says that it is degraded while a step’s endpoint is away', async () => {
    const kit = await diamond();
    await kit.serving.unload('add');
    expect(kit.serving.get('both')).toMatchObject({ state: 'degraded', message: expect.stringContaining("in ensemble 'both', step 2 (model 'add')") });
    const reply = await kit.infer('both', body([[1, 2]]));
    expect(reply.status).toBe(503);
    expect(reply.json().error).toContain("in ensemble 'both', step 2 (model 'add'): Request for unknown model: 'add' has no available versions");
    await kit.serving.load('add');
    expect(kit.serving.get('both').state).toBe('ready');
  });

  it('is not served when its steps do not fit', async () => {
    const kit = await diamond();
    expect(await deployEnsemble(kit, 'wrong', { ...DIAMOND, steps: DIAMOND.steps.slice(1) })).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('ensemble tensor left'),
    });
    expect(await deployEnsemble(kit, 'nothing', { ...DIAMOND, steps: [{ model: 'none', inputs: { x: 'x' }, outputs: { y: 'score' } }] })).toMatchObject({
      state: 'failed',
      message: expect.stringContaining("step 0 (model 'none') does not answer"),
    });
  });

  it('answers with what its steps are now, whatever its cache is said to be', async () => {
    const kit = await diamond();
    await kit.serving.deploy('both', { model: 'both', traffic: [{ version: 1, weight: 100, shadow: false }], config: { cache: { maxMiB: 1 } } });
    expect((await kit.infer('both', body([[1, 2]]))).json().outputs[0].data).toEqual([12]);
    await kit.deploy('sum', sum(2, 2));
    expect((await kit.infer('both', body([[1, 2]]))).json().outputs[0].data).toEqual([15]);
  });

  it('may be made of ensembles, but not of itself', async () => {
    const kit = await diamond();
    const over = (model: string) => ({ inputs: [x], outputs: [score], steps: [{ model, inputs: { x: 'x' }, outputs: { score: 'score' } }] });
    await deployEnsemble(kit, 'outer', over('both'));
    expect((await kit.infer('outer', body([[1, 2]]))).json().outputs[0].data).toEqual([12]);
    expect(await deployEnsemble(kit, 'self', over('self'))).toMatchObject({ state: 'failed', message: expect.stringContaining('made of each other') });
  });

  it('loads after a restart, whatever the order', async () => {
    const kit = await diamond();
    const { registry, file } = kit;
    await kit.close();
    close = [];
    const again = await servingKit({ file, models: registry });
    close.push(() => again.close());
    await until(() => again.serving.list().every(({ state }) => state === 'ready'), 20_000);
    expect((await again.infer('both', body([[1, 2]]))).json().outputs[0].data).toEqual([12]);
  });

  it('stops when its request is cancelled, and does not start what comes after', async () => {
    const kit = await servingKit();
    close.push(() => kit.close());
    const wide = { name: 'x', datatype: 'FP32', shape: [-1, 512] };
    await kit.deploy('slow', slow(40, 512));
    await kit.deploy('after', identity('FP32', ['N', 512]));
    await deployEnsemble(kit, 'chain', {
      inputs: [wide],
      outputs: [{ ...wide, name: 'z' }],
      steps: [
        { model: 'slow', inputs: { x: 'x' }, outputs: { y: 'm' } },
        { model: 'after', inputs: { x: 'm' }, outputs: { y: 'z' } },
      ],
    });
    const abort = new AbortController();
    const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [256, 512], data: new Float32Array(256 * 512) }];
    const now = performance.now();
    const asked = kit.serving.infer({ endpoint: 'chain', inputs, call: { signal: abort.signal }, requestId: 'r', receivedAt: Date.now(), startedAt: now });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' });
    expect(kit.serving.inferenceStatistics('after')[0]?.statistics.success ?? 0).toBe(0);
  });

  it('counts a time-out down over its steps', async () => {
    const kit = await diamond();
    const now = performance.now();
    const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [1, 2], data: Float32Array.of(1, 2) }];
    await expect(
      kit.serving.infer({ endpoint: 'both', inputs, call: { timeoutMicros: 1 }, requestId: 'r', receivedAt: Date.now(), startedAt: now }),
    ).rejects.toThrow('Request timeout expired');
  });
});

const STEPS = `
  platform: "ensemble" max_batch_size: 4
  input { name: "x" data_type: TYPE_FP32 dims: 2 } output { name: "score" data_type: TYPE_FP32 dims: 1 }
  ensemble_scheduling {
    step { model_name: "double" model_version: -1 input_map { key: "x" value: "x" } output_map { key: "y" value: "doubled" } }
    step { model_name: "again" model_version: -1 input_map { key: "x" value: "doubled" } output_map { key: "y" value: "score" } }
  }`;
const files = { 'a_first/config.pbtxt': STEPS, 'double/1/model.onnx': identity('FP32'), 'again/1/model.onnx': sum(2) };

describe('an ensemble in a model repository', () => {
  let repository: RepositoryKit;
  const open = async (...args: Parameters<typeof repositoryKit>): Promise<void> => {
    repository = await repositoryKit(...args);
    repository.folder.folder('a_first/1');
    close.push(() => repository.close());
  };

  it('loads with its models in the mode explicit, goes with them, and comes back', async () => {
    await open(files, { mode: 'explicit' });
    const { control, infer } = repository;
    await control.load('a_first', {});
    expect((await infer('a_first', [[1, 2]])).outputs[0].data).toEqual([3]);
    expect(
      (
        await infer('a_first', [
          [1, 2],
          [1, 2],
          [1, 2],
          [1, 2],
          [1, 2],
        ])
      ).error,
    ).toContain('batch-size must be <= 4');
    expect((await control.index()).map(({ name, state }) => [name, state])).toEqual([
      ['a_first', 'READY'],
      ['again', 'READY'],
      ['double', 'READY'],
    ]);
    await control.unload('a_first', { dependents: true });
    expect((await control.index()).every(({ state }) => state === 'UNAVAILABLE')).toBe(true);
    await control.load('a_first', {});
    await control.unload('a_first', { dependents: false });
    expect((await infer('again', [[1, 2]])).outputs[0].data).toEqual([3]);
  });

  it('follows the models that it is made of', { timeout: 30_000 }, async () => {
    await open(files, { mode: 'poll' });
    const { control, folder, infer } = repository;
    await until(async () => (await infer('a_first', [[1, 2]])).outputs?.[0].data[0] === 3, 10_000);
    folder.write('again/1/model.onnx', sum(3));
    await until(async () => (await control.index()).some(({ name, reason }) => name === 'a_first' && /inconsistent shape|again/.test(reason)), 10_000);
    folder.write('again/1/model.onnx', sum(2, 5));
    await until(async () => (await infer('a_first', [[1, 2]])).outputs?.[0].data[0] === 15, 10_000);
  });
});
