import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openRegistryKit, type RegistryKit } from '../../test/support/registry-kit.ts';
import type { GatePolicy } from '../registry/index.ts';
import type { ModelRunner } from './model-runner.port.ts';

let kit: RegistryKit;
let answers: (rows: Record<string, unknown>[]) => Record<string, unknown>[];
let open = 0;
let beforeOpen: () => Promise<void> = async () => {};
const runner: ModelRunner = {
  async open(pkg) {
    if (pkg.onnxFile === null) throw new Error('no graph');
    await beforeOpen();
    open++;
    return { predict: async (rows) => answers(rows), close: async () => void open-- };
  },
};
const recorded = [{ output_label: 0, probabilities: [0.5, 0.5] }];
beforeAll(async () => {
  kit = await openRegistryKit({ runner });
});
beforeEach(async () => {
  await kit.reset();
  answers = (rows) => rows.map(() => recorded[0] as Record<string, unknown>);
  beforeOpen = async () => {};
  kit.runs.set('good', { metrics: { auc: 0.8 } });
  kit.runs.set('bad', { metrics: { auc: 0.6 } });
  await kit.registry.createModel({ name: 'm' });
  for (const run of ['good', 'bad']) {
    await kit.putModel(`1/${run}/artifacts/model`);
    await kit.artifacts.put(
      `1/${run}/artifacts/model/binnacle/golden.json`,
      Buffer.from(JSON.stringify({ version: 1, examples: [{ inputs: { dep_hour: 1 }, outputs: recorded[0] }] })),
    );
    await kit.registry.createVersion({ model: 'm', source: `runs:/${run}/model` });
  }
});
afterEach(() => expect(open).toBe(0));
afterAll(() => kit.close());

const policy = (gates: Partial<GatePolicy>) => kit.registry.setGatePolicy('m', { aliases: ['champion'], ...gates });
const promote = (version: number, more: { force?: boolean; reason?: string } = {}) =>
  kit.registry.setAlias({ model: 'm', alias: 'champion', version, ...more });
const auc = { key: 'auc', direction: 'higher', margin: 0.01 } as const;

it('without a policy an alias moves without a report', async () => {
  expect(await promote(2)).toBeNull();
});

it('a version that passes every gate gets the alias, with a report of figures', async () => {
  await policy({ signature: {}, golden: { tolerance: 1e-4, required: true }, metric: auc, latency: { p95Ms: 5000, rows: 4, runs: 5 } });
  const report = await promote(1);
  expect(report).toMatchObject({ passed: true, forced: false, alias: 'champion', version: 1 });
  expect(report?.results.map(({ gate }) => gate)).toEqual(['signature', 'metric', 'golden', 'latency']);
  expect((await kit.registry.getModel('m')).aliases).toEqual({ champion: 1 });
  expect(await kit.registry.gateReports('m', 1)).toEqual([report]);
});

it('a worse version is refused: which gate and by how much, the report kept, the alias unmoved', async () => {
  await policy({ metric: auc });
  await promote(1);
  await expect(promote(2)).rejects.toMatchObject({
    kind: 'invalid',
    code: 'gate_failed',
    message:
      "The alias champion of m was not moved to version 2: the gate 'metric' failed. metric: auc is 0.6, 0.19 below 0.79, 0.8 of the champion (version 1) less the margin of 0.01.",
    details: { report: { passed: false } },
  });
  expect((await kit.registry.getModel('m')).aliases).toEqual({ champion: 1 });
  expect(await kit.registry.gateReports('m', 2)).toMatchObject([{ passed: false, forced: false }]);
  expect(kit.events.filter(({ type }) => type === 'alias.moved')).toHaveLength(1);
});

it('forced with a reason it moves, and the report and the event say so; without one it does not', async () => {
  await policy({ metric: { ...auc, atLeast: 0.7 } });
  await expect(promote(2, { force: true })).rejects.toMatchObject({ code: 'reason_required' });
  await expect(promote(2, { force: true, reason: '  ' })).rejects.toMatchObject({ code: 'reason_required' });
  expect(await promote(2, { force: true, reason: 'incident 12' })).toMatchObject({ passed: false, forced: true, reason: 'incident 12' });
  expect(await kit.registry.gateReports('m', 2)).toMatchObject([{ passed: false, forced: true, reason: 'incident 12' }]);
  expect(kit.events).toContainEqual({ type: 'alias.moved', payload: { model: 'm', alias: 'champion', version: 2, previous: null, forced: true } });
});

it('a version that passes is not marked as forced', async () => {
  await policy({ metric: auc });
  expect(await promote(1, { force: true, reason: 'just in case' })).toMatchObject({ passed: true, forced: false, reason: null });
});

it('an alias that the policy does not guard moves freely', async () => {
  await policy({ metric: { ...auc, atLeast: 0.99 } });
  expect(await kit.registry.setAlias({ model: 'm', alias: 'challenger', version: 2 })).toBeNull();
});

it('the same request again changes nothing and runs no gate', async () => {
  await policy({ metric: auc });
  await promote(1);
  await policy({ metric: { ...auc, atLeast: 0.99 } });
  expect(await promote(1)).toBeNull();
});

it('every failing gate is named at once', async () => {
  await policy({ golden: { tolerance: 1e-4, required: true }, metric: { ...auc, atLeast: 0.9 }, latency: { p95Ms: 1e-9, rows: 1, runs: 5 } });
  answers = (rows) => rows.map(() => ({ output_label: 1, probabilities: [0.4, 0.6] }));
  await expect(promote(1)).rejects.toThrow(/the gates 'metric', 'golden', 'latency' failed/);
});

it('a model that does not load or throws fails its gates with the reason', async () => {
  await policy({ golden: { tolerance: 1e-4, required: true }, latency: { p95Ms: 100, rows: 1, runs: 5 } });
  answers = () => {
    throw new Error('wrong column');
  };
  await expect(promote(1)).rejects.toThrow(/could not be run: wrong column.*could not be measured: wrong column/);
  await kit.artifacts.put('1/bad/artifacts/model/model.onnx', Buffer.from('changed'));
  await expect(promote(2)).rejects.toThrow(/was changed after it was registered/);
});

it('golden examples that are missing or broken fail when required', async () => {
  await policy({ golden: { tolerance: 1e-4, required: true } });
  await kit.artifacts.put('1/good/artifacts/model/binnacle/golden.json', Buffer.from('{"version": 1, "examples": []}'));
  await expect(promote(1)).rejects.toThrow('"examples" must be a list with at least one example');
  await kit.artifacts.delete('1/good/artifacts/model/binnacle/golden.json');
  await expect(promote(1)).rejects.toThrow('has no golden examples');
  await policy({ golden: { tolerance: 1e-4, required: false }, latency: { p95Ms: 1000, rows: 2, runs: 5 } });
  expect(await promote(1)).toMatchObject({ passed: true });
});

it('a champion that changes while the gates run is compared with again', async () => {
  kit.runs.set('best', { metrics: { auc: 0.9 } });
  await kit.putModel('1/best/artifacts/model');
  await kit.registry.createVersion({ model: 'm', source: 'runs:/best/model' });
  await policy({ metric: auc, latency: { p95Ms: 1000, rows: 1, runs: 5 } });
  let once = true;
  beforeOpen = async () => {
    if (!once) return;
    once = false;
    await kit.store.moveAlias({ model: 'm', alias: 'champion', version: 3, expected: null, report: null });
  };
  await expect(promote(1)).rejects.toThrow('auc is 0.8, 0.09 below 0.89, 0.9 of the champion (version 3)');
});

it('run alone, the gates compare with the champion, are recorded, and move nothing', async () => {
  await expect(kit.gates.run('m', 2)).rejects.toMatchObject({ code: 'no_gate_policy' });
  await policy({ metric: auc });
  await promote(1);
  expect(await kit.gates.run('m', 2)).toMatchObject({ passed: false, alias: null });
  expect(await kit.gates.run('m', 2, 'other')).toMatchObject({ passed: true, alias: 'other' });
  expect(await kit.registry.gateReports('m', 2)).toHaveLength(2);
  expect((await kit.registry.getModel('m')).aliases).toEqual({ champion: 1 });
});
