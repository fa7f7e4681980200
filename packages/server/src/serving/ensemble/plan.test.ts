import type { TensorSpec } from '@binnacle/contract';
import { describe, expect, it } from 'vitest';
import { type EnsembleSpec, planEnsemble, stepsFor } from './plan.ts';

const t = (name: string, shape: number[] = [-1, 2], datatype = 'FP32'): TensorSpec => ({ name, datatype, shape });
/** x → y, all models alike but `two`, which takes a and b, and `text`. */
const MODELS: Record<string, { inputs: TensorSpec[]; outputs: TensorSpec[] }> = {
  one: { inputs: [t('x')], outputs: [t('y')] },
  two: { inputs: [t('a'), t('b')], outputs: [t('y')] },
  text: { inputs: [t('x', [-1, 2], 'BYTES')], outputs: [t('y')] },
  wide: { inputs: [t('x', [-1, 3])], outputs: [t('y')] },
};
const plan = (steps: EnsembleSpec['steps'], outputs: TensorSpec[] = [t('out')]) =>
  planEnsemble('e', { kind: 'ensemble', inputs: [t('in')], outputs, steps }, ({ model }) => MODELS[model] as never);
const step = (model: string, inputs: Record<string, string>, outputs: Record<string, string>) => ({ model, inputs, outputs });

describe('a plan of an ensemble', () => {
  it('orders the steps by what they need, and leaves out what is not asked for', () => {
    const made = plan(
      [
        step('two', { a: 'p', b: 'q' }, { y: 'out' }),
        step('one', { x: 'in' }, { y: 'p' }),
        step('one', { x: 'p' }, { y: 'q' }),
        step('one', { x: 'in' }, { y: 'other' }),
      ],
      [t('out'), t('other')],
    );
    expect(made.steps.map(({ index }) => index)).toEqual([1, 3, 2, 0]);
    expect(stepsFor(made, ['other']).map(({ index }) => index)).toEqual([3]);
    expect(stepsFor(made, ['out']).map(({ index }) => index)).toEqual([1, 2, 0]);
  });

  it.each([
    [
      'a tensor that is made twice',
      [step('one', { x: 'in' }, { y: 'out' }), step('one', { x: 'in' }, { y: 'out' })],
      /ensemble tensor out is made twice: by model one and by step 1/,
    ],
    ['an input that is made', [step('one', { x: 'in' }, { y: 'in' })], /ensemble tensor in is made twice: by ensemble e/],
    ['an input that is not fed', [step('two', { a: 'in' }, { y: 'out' })], /in ensemble e, input b in model two is not mapped to any ensemble tensors/],
    ['an unknown input', [step('one', { z: 'in' }, { y: 'out' })], /ensemble tensor in is mapping to non-existing input z in model one/],
    ['an unknown output', [step('one', { x: 'in' }, { z: 'out' })], /ensemble tensor out is mapped from non-existing output z in model one/],
    ['a tensor from nowhere', [step('one', { x: 'lost' }, { y: 'out' })], /ensemble tensor lost, which step 0 \(model one\) takes, is made by no step/],
    ['an output that is not made', [step('one', { x: 'in' }, { y: 'p' })], /output out is made by no step/],
    [
      'another datatype',
      [step('text', { x: 'in' }, { y: 'out' })],
      /ensemble tensor in: inconsistent data type: FP32 is inferred from ensemble e while BYTES is inferred from model text/,
    ],
    ['another shape', [step('wide', { x: 'in' }, { y: 'out' })], /ensemble tensor in: inconsistent shape: \[-1,2\] .* \[-1,3\]/],
    [
      'a circle',
      [step('one', { x: 'q' }, { y: 'p' }), step('one', { x: 'p' }, { y: 'q' }), step('one', { x: 'in' }, { y: 'out' })],
      /the steps 0 \(model one\), 1 \(model one\) wait for each other/,
    ],
  ])('refuses %s', (_what, steps, expected) => {
    expect(() => plan(steps)).toThrow(expected);
  });
});
