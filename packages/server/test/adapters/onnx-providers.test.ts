import { describe, expect, it } from 'vitest';
import { createOnnxRuntime, onnxBackends } from '../../src/adapters/onnx/index.ts';
import { type Logger, silentLogger } from '../../src/kernel/index.ts';
import type { LoadOptions } from '../../src/serving/index.ts';
import { graphFile, slow, sum } from '../support/onnx-graphs.ts';

const file = graphFile(sum(2));
const warnings: string[] = [];
const logger: Logger = { ...silentLogger, warn: (_, text) => void warnings.push(text ?? '') };
const runtime = createOnnxRuntime({ logger });
const refusal = (options: LoadOptions) =>
  runtime.load(file, { label: 'm', ...options }).then(
    () => {
      throw new Error('was accepted');
    },
    (error) => error as Error & { code: string; kind: string },
  );
const answers = async (options: LoadOptions) => {
  const model = await runtime.load(file, { label: 'm', ...options });
  const [y] = await model.execute([{ name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) }], ['y']);
  await model.close();
  return [model.tier, y?.data[0]];
};

describe('execution providers', () => {
  it('has at least the CPU here', async () => {
    expect(await onnxBackends()).toContain('cpu');
  });

  it.each(['rocm', 'openvino', 'xnnpack'] as const)('refuses %s by itself, and says what this machine has', async (name) => {
    const error = await refusal({ providers: [{ name }] });
    expect(error).toMatchObject({ kind: 'unsupported', code: 'provider_missing' });
    expect(error.message).toMatch(new RegExp(`no execution provider '${name}' on this machine\\. It has cpu,? .*Add 'cpu' as the last provider`));
  });

  it.each([{}, { tier: 'worker' }, { isolation: 'process' }] as LoadOptions[])('falls back on the next one, and says so (%o)', async (options) => {
    warnings.length = 0;
    expect((await answers({ ...options, providers: [{ name: 'rocm' }, { name: 'cpu', options: { useArena: false } }] }))[1]).toBe(3);
    expect(warnings).toEqual(['m: it runs on cpu, because rocm cannot be used on this machine']);
  });

  it.runIf(process.platform === 'linux')('falls back where the build knows the provider and its libraries are missing', async () => {
    // A machine that has CUDA takes it.
    expect((await answers({ providers: [{ name: 'cuda' }, { name: 'cpu' }] }))[1]).toBe(3);
  });

  it.each([
    [[{ name: 'cpu', options: { arena: true } }], /'cpu' has no option 'arena'; it has useArena/],
    [[{ name: 'cuda', options: { deviceId: '0' } }, { name: 'cpu' }], /'deviceId' of the execution provider 'cuda' is a number, not "0"/],
    [[{ name: 'rocm', options: { x: 1 } }, { name: 'cpu' }], /'rocm' has no option 'x'; it has none/],
  ] as [LoadOptions['providers'], RegExp][])('refuses options that would do nothing (%o)', async (providers, words) => {
    const error = await refusal({ providers });
    expect(error).toMatchObject({ kind: 'invalid', code: 'wrong_provider_option' });
    expect(error.message).toMatch(words);
  });

  it('runs with and without an arena alike, and tells what a session takes', async () => {
    for (const memoryArena of [true, false]) expect((await answers({ memoryArena, threads: 2 }))[1]).toBe(3);
    const large = await runtime.load(graphFile(slow(1, 1536)), { tier: 'worker', instances: 2 });
    // 9 MB of weights in each of two sessions.
    expect(large.memoryBytes).toBeGreaterThan(18e6);
    await large.close();
  });
});
