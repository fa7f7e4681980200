import { expect, it } from 'vitest';
import type { InferReply, InferRequest } from '../types.ts';
import { EnsembleModel } from './ensemble-model.ts';
import { type EnsembleSpec, planEnsemble } from './plan.ts';

const x = { name: 'x', datatype: 'FP32', shape: [-1, 2] };
const y = { name: 'y', datatype: 'FP32', shape: [-1, 2] };

/** One step, which answers with ones; `finish` is what its reply's does. */
function kit(outputs: EnsembleSpec['outputs'], finish: InferReply['finish']) {
  const spec: EnsembleSpec = { kind: 'ensemble', inputs: [x], outputs, steps: [{ model: 'step', inputs: { x: 'x' }, outputs: { y: 'y' } }] };
  const asked: InferRequest[] = [];
  const infer = async (request: InferRequest): Promise<InferReply> => {
    asked.push(request);
    return { outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 1) }], finish } as unknown as InferReply;
  };
  const plan = planEnsemble('e', spec, () => ({ inputs: [x], outputs: [y] }));
  const model = new EnsembleModel('e', spec, plan, { infer, problemOf: () => undefined }, () => {});
  return { model, asked };
}

it('gives an input that is an output too in memory of its own: the request’s is used again', async () => {
  const { model } = kit([x, y], () => undefined);
  const body = Float32Array.of(0, 3, 4, 0);
  const [given] = await model.execute([{ name: 'x', datatype: 'FP32', shape: [1, 2], data: body.subarray(1, 3) }], ['x', 'y']);
  body.fill(9);
  expect(given).toEqual({ name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(3, 4) });
});

it('does not wait for the shadows of its steps, which get copies', async () => {
  const { model, asked } = kit([y], () => new Promise(() => {}));
  const outputs = await model.execute([{ name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(3, 4) }], ['y']);
  expect(outputs.map(({ name }) => name)).toEqual(['y']);
  expect(asked[0]?.copyForShadows).toBe(true);
});
