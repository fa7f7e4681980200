import { expect, test } from 'vitest';
import { HardwareSampler } from './sampler.ts';

const sampled = async (count: number, options: { node?: string } = {}) => {
  const samples: { values: Record<string, number>; step: number }[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const log = (values: Record<string, number>, step: number) => {
    samples.push({ values, step });
    if (samples.length === count) resolve();
  };
  const sampler = new HardwareSampler(log, { intervalMs: 100, gpu: false, ...options });
  sampler.start();
  await promise;
  await sampler.stop();
  return samples;
};

test('each sample is a step, and none comes after the end', async () => {
  const samples = await sampled(3);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(samples.map(({ step }) => step)).toEqual([0, 1, 2]);
  expect(Object.keys(samples[0]?.values ?? {}).every((name) => name.startsWith('system/'))).toBe(true);
});

test('of several machines on one run each has a name', async () => {
  const [sample] = await sampled(1, { node: 'worker-3' });
  expect(Object.keys(sample?.values ?? {})).toContain('system/worker-3/cpu_utilization_percentage');
});
