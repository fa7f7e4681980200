import { setImmediate as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { LoadedModel } from '../model-runtime.port.ts';
import { warmUp } from './warmup.ts';

function counting(): { model: LoadedModel; runs: () => number } {
  let runs = 0;
  const spec = { name: 'x', datatype: 'FP32' as const, shape: [-1] };
  const model = { inputs: [spec], outputs: [spec], execute: async () => void runs++, close: async () => {} } as unknown as LoadedModel;
  return { model, runs: () => runs };
}
const sample = (dims: number[], count = 1) => ({ name: 'w', count, inputs: { x: { data_type: 'TYPE_FP32', dims, zero_data: true } } });
const settings = (...model_warmup: ReturnType<typeof sample>[]) => ({ config: { name: 'm', model_warmup }, dir: '/nowhere' });

it('holds the values of all samples together to a limit', async () => {
  const { model, runs } = counting();
  await expect(warmUp(model, settings(sample([2 ** 24 + 1])))).rejects.toThrow(/16777216 values at most, together; 'w' is too much/);
  expect(runs()).toBe(0);
  await expect(warmUp(model, settings(sample([2 ** 23]), sample([2 ** 23]), sample([1])))).rejects.toThrow(/values at most, together/);
  expect(runs()).toBe(2);
});

it('lets others have a turn between its runs', async () => {
  const { model, runs } = counting();
  const warm = warmUp(model, settings(sample([1], 100)));
  for (let i = 0; i < 5; i++) await pause();
  expect(runs()).toBeLessThan(100);
  await warm;
  expect(runs()).toBe(100);
});
