import { expect, it } from 'vitest';
import { checkGolden, checkLatency, checkMetric, checkSignature } from './checks.ts';
import { largestDifference } from './compare.ts';
import type { OpenModel } from './model-runner.port.ts';

const answering = (...answers: Record<string, unknown>[]): OpenModel => ({ predict: async () => answers, close: async () => {} });
const golden = (outputs: Record<string, unknown>, tolerance: number | null = null) => ({ tolerance, examples: [{ inputs: { x: 1 }, outputs }] });
const policy = { tolerance: 1e-4, required: true };

it('golden: within the tolerance passes with the largest difference', async () => {
  expect(
    await checkGolden(policy, golden({ probabilities: [0.25, 0.75], label: 1 }), answering({ probabilities: [0.25005, 0.74995], label: 1n, extra: 0 })),
  ).toMatchObject({ passed: true, bound: 1e-4, message: expect.stringContaining('All 1 golden examples') });
});

it('golden: beyond it fails and says which example, which output, and by how much', async () => {
  const result = await checkGolden(policy, golden({ probabilities: [0.2, 0.8] }), answering({ probabilities: [0.3, 0.75] }));
  expect(result).toMatchObject({ passed: false, bound: 1e-4 });
  expect(result.measured).toBeCloseTo(0.1);
  expect(result.message).toBe(
    '1 of 1 golden examples are not reproduced. The worst is example 0, probabilities[0]: expected 0.2, got 0.3, off by 0.1, 0.0999 over the tolerance of 0.0001.',
  );
});

it("golden: the file's smaller tolerance wins, its larger one does not", async () => {
  expect((await checkGolden(policy, golden({ y: 1 }, 1e-6), answering({ y: 1.00001 }))).passed).toBe(false);
  expect((await checkGolden(policy, golden({ y: 1 }, 1), answering({ y: 1.01 }))).bound).toBe(1e-4);
});

it('golden: another label, an output of another name, a missing answer and a shorter list fail', async () => {
  expect(await checkGolden(policy, golden({ label: 'late' }), answering({ label: 'on time' }))).toMatchObject({
    passed: false,
    measured: 'Infinity',
    message: expect.stringContaining('cannot be compared'),
  });
  expect(await checkGolden(policy, golden({ proba: 1 }), answering({ probabilities: [1] }))).toMatchObject({
    passed: false,
    message: expect.stringContaining('an output named proba; the model gives probabilities'),
  });
  expect(await checkGolden(policy, golden({ y: 1 }), answering())).toMatchObject({ passed: false });
  expect(await checkGolden(policy, golden({ y: [1, 2] }), answering({ y: [1] }))).toMatchObject({ passed: false });
});

it('differences: NaN equals NaN and nothing else; a list of one equals its value', () => {
  expect(largestDifference('NaN', Number.NaN).difference).toBe(0);
  expect(largestDifference(Number.NaN, 1).difference).toBe(Number.POSITIVE_INFINITY);
  expect(largestDifference(1, Number.NaN).difference).toBe(Number.POSITIVE_INFINITY);
  expect(largestDifference(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY).difference).toBe(0);
  expect(largestDifference(1, [1.5]).difference).toBe(0.5);
  expect(
    largestDifference(
      [
        [1, 2],
        [3, 4],
      ],
      [
        [1, 2],
        [3, 4.25],
      ],
    ),
  ).toMatchObject({ difference: 0.25, path: '[1][1]' });
  expect(largestDifference(1, '1').difference).toBe(Number.POSITIVE_INFINITY);
  expect(largestDifference(null, null).difference).toBe(0);
});

const auc = { key: 'auc', direction: 'higher' as const, margin: 0.01 };
it.each([
  ['no champion', auc, 0.7, null, true, null, 'no champion'],
  ['better', auc, 0.75, 0.7, true, 0.69, 'not below 0.69'],
  ['within the margin', auc, 0.695, 0.7, true, 0.69, 'not below 0.69'],
  ['worse', auc, 0.6, 0.7, false, 0.69, 'auc is 0.6, 0.09 below 0.69, 0.7 of the champion (version 1) less the margin of 0.01.'],
  ['under the absolute bound', { ...auc, atLeast: 0.72 }, 0.71, 0.7, false, 0.72, '0.01 below 0.72, the absolute bound'],
  [
    'lower is better and worse',
    { key: 'brier', direction: 'lower' as const, margin: 0.01 },
    0.3,
    0.2,
    false,
    0.21,
    '0.09 above 0.21, 0.2 of the champion (version 1) plus the margin',
  ],
  ['lower is better and fine', { key: 'brier', direction: 'lower' as const, margin: 0, atLeast: 0.25 }, 0.2, 0.3, true, 0.25, 'not above 0.25'],
  ['NaN', auc, Number.NaN, 0.7, false, 0.69, 'is NaN'],
  ['missing', auc, undefined, 0.7, false, 0.69, 'has no metric auc'],
] as const)('metric: %s', (_what, metric, value, champion, passed, bound, message) => {
  const result = checkMetric(metric, value, champion === null ? null : { version: 1, value: champion });
  expect(result.passed).toBe(passed);
  expect(result.message).toContain(message);
  if (bound === null) expect(result.bound).toBeNull();
  else expect(result.bound).toBeCloseTo(bound);
});

it('metric: a champion without the metric, or with NaN, is no bar', () => {
  expect(checkMetric(auc, 0.5, { version: 1, value: undefined })).toMatchObject({
    passed: true,
    message: expect.stringContaining('no auc of the champion (version 1)'),
  });
  expect(checkMetric(auc, 0.5, { version: 1, value: Number.NaN }).passed).toBe(true);
});

it('latency: p95 over the budget fails and says by how much', async () => {
  let time = 0;
  const slow: OpenModel = {
    predict: async (rows) => {
      time += rows.length;
      return [];
    },
    close: async () => {},
  };
  expect(await checkLatency({ p95Ms: 5, rows: 8, runs: 20 }, [{ x: 1 }], slow, () => time)).toMatchObject({
    passed: false,
    measured: 8,
    bound: 5,
    message: 'p95 of 20 runs of 8 rows is 8 ms, 3 ms over the budget of 5 ms.',
  });
  expect(await checkLatency({ p95Ms: 8, rows: 8, runs: 20 }, [{ x: 1 }], slow, () => time)).toMatchObject({ passed: true });
});

it('latency: a very slow model is not run a thousand times', async () => {
  let time = 0;
  let runs = 0;
  const slow: OpenModel = {
    predict: async () => {
      time += 10_000;
      runs++;
      return [];
    },
    close: async () => {},
  };
  expect((await checkLatency({ p95Ms: 5, rows: 1, runs: 1000 }, [{ x: 1 }], slow, () => time)).passed).toBe(false);
  expect(runs).toBe(8);
});

const columns = (...names: string[]) => names.map((name) => ({ name, type: 'double' }));
const tensors = (...inputs: [string, number[]][]) => ({ inputs: inputs.map(([name, shape]) => ({ name, datatype: 'FP32', shape })), outputs: [] });
it.each([
  ['absent', null, null, false, 'no signature'],
  ['without outputs', { inputs: columns('x'), outputs: [] }, null, false, 'no outputs'],
  ['complete', { inputs: columns('a', 'b'), outputs: columns('y') }, tensors(['a', [-1, 1]], ['b', [-1, 1]]), true, '2 inputs and 1 output'],
  ['columns of one matrix', { inputs: columns('a', 'b'), outputs: columns('y') }, tensors(['X', [-1, 2]]), true, '2 inputs'],
  ['columns that do not fill the matrix', { inputs: columns('a', 'b'), outputs: columns('y') }, tensors(['X', [-1, 3]]), false, "graph's input X"],
  ['other names than the graph', { inputs: columns('a', 'c'), outputs: columns('y') }, tensors(['a', [-1, 1]], ['b', [-1, 1]]), false, "graph's input b"],
])('signature: %s', (_what, signature, graph, passed, message) => {
  const result = checkSignature({ signature, tensors: graph });
  expect(result.passed).toBe(passed);
  expect(result.message).toContain(message);
});
