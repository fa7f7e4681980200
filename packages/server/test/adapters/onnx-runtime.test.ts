import { describe, expect, it } from 'vitest';
import { createOnnxRuntime } from '../../src/adapters/onnx/index.ts';
import type { Datatype, Tensor, TensorData } from '../../src/serving/index.ts';
import { type Runnable, runnable } from '../support/runnable.ts';
import { graphFile, identity, overTheBatch, slow, sum, twoColumns } from '../support/onnx-graphs.ts';

const runtime = createOnnxRuntime();
const x = (data: TensorData, shape: number[], datatype: Datatype = 'FP32', name = 'x'): Tensor => ({ name, datatype, shape, data });
async function using<T>(bytes: Uint8Array, options: object, use: (model: Runnable) => Promise<T>): Promise<T> {
  const model = runnable(await runtime.load(graphFile(bytes), { label: 'm', ...options }), 'm');
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

const SAMPLES: [Datatype, TensorData][] = [
  ['FP32', Float32Array.of(1.5, Number.NaN)],
  ['FP64', Float64Array.of(-1e300, Infinity)],
  ['FP16', Uint16Array.of(0x3c00, 0x7bff)],
  ['INT8', Int8Array.of(-128, 127)],
  ['INT16', Int16Array.of(-32768, 32767)],
  ['INT32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
  ['INT64', BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
  ['UINT8', Uint8Array.of(0, 255)],
  ['UINT16', Uint16Array.of(0, 65535)],
  ['UINT32', Uint32Array.of(0, 2 ** 32 - 1)],
  ['UINT64', BigUint64Array.of(0n, 2n ** 64n - 1n)],
  ['BOOL', Uint8Array.of(0, 1)],
  ['BYTES', ['', 'größe 🚢']],
];

describe('ONNX Runtime in process', () => {
  it.each(SAMPLES)('brings %s through unchanged, inline and in a worker', async (datatype, data) => {
    for (const tier of ['inline', 'worker'] as const)
      await using(identity(datatype), { tier }, async (model) => {
        const [y] = await model.run([x(data.slice() as TensorData, [1, 2], datatype)]);
        expect(y).toEqual({ name: 'y', datatype, shape: [1, 2], data });
      });
  });

  it('puts a tiny model on the main thread and a slow one into a worker', async () => {
    await using(sum(4), {}, async (model) => {
      expect(model.tier).toBe('inline');
      expect(model.batchable).toBe(true);
      expect(model.runMicros).toBeGreaterThan(0);
    });
    await using(slow(60, 384), {}, async (model) => expect(model.tier).toBe('worker'));
  });

  it('does not block the event loop while a slow model runs', async () => {
    await using(slow(60, 384), {}, async (model) => {
      const done = model.run([x(new Float32Array(200 * 384), [200, 384])]);
      let longest = 0;
      let last = performance.now();
      const timer = setInterval(() => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }, 1);
      await done;
      clearInterval(timer);
      expect(longest).toBeLessThan(100);
    });
  });

  it('sends a request of many rows for an inline model to a worker', async () => {
    await using(sum(64), { tier: 'inline' }, async (model) => {
      const rows = 200_000;
      const [y] = await model.run([x(new Float32Array(rows * 64).fill(1), [rows, 64])]);
      expect(y?.shape).toEqual([rows, 1]);
      expect(y?.data[rows - 1]).toBe(64);
    });
  });

  it.each(['inline', 'worker'] as const)('answers everyone with their own rows when requests are merged (%s)', async (tier) => {
    await using(twoColumns(), { tier }, async (model) => {
      const answers = await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          const rows = 1 + (i % 3);
          const outputs = await model.run(
            [
              x(new Float32Array(rows).fill(1000), [rows, 1], 'FP32', 'b'),
              x(
                Float32Array.from({ length: rows }, (_v, r) => i + r / 10),
                [rows, 1],
                'FP32',
                'a',
              ),
            ],
            i % 2 === 0 ? undefined : ['total'],
          );
          return { i, rows, outputs };
        }),
      );
      for (const { i, rows, outputs } of answers) {
        expect(outputs.map((o) => o.name)).toEqual(i % 2 === 0 ? ['total', 'again'] : ['total']);
        expect(Array.from((outputs[0]?.data ?? []) as ArrayLike<number>)).toEqual(
          Array.from({ length: rows }, (_, r) => Math.fround(Math.fround(i + r / 10) + 1000)),
        );
      }
    });
  });

  it.each([{ tier: 'inline' }, { tier: 'worker' }, { isolation: 'process' }] as const)(
    'says when inputs had been moved and outputs came back (%j)',
    async (options) => {
      const model = await runtime.load(graphFile(identity('FP32', ['N'])), { label: 'm', ...options });
      const marks = { called: 0, returned: 0 };
      const begun = performance.now();
      // Not many rows, so that an inline model runs them itself.
      await model.execute([x(new Float32Array(8), [8])], ['y'], undefined, marks);
      const ended = performance.now();
      expect([begun, marks.called, marks.returned, ended]).toEqual([begun, marks.called, marks.returned, ended].toSorted((a, b) => a - b));
      expect(new Set([begun, marks.called, marks.returned, ended]).size).toBe(4);
      await model.close();
    },
  );

  it('never merges a model whose first dimension is not a batch', async () => {
    await using(overTheBatch(), { tier: 'inline' }, async (model) => {
      expect(model.batchable).toBe(false);
      const outputs = await Promise.all([1, 50].map((v) => model.run([x(Float32Array.of(v, v), [1, 2])])));
      for (const [y] of outputs) expect(Array.from((y?.data ?? []) as ArrayLike<number>)).toEqual([0, 0]);
    });
  });

  it('lets a neighbour live when one request of a merged run is bad', async () => {
    // Gather with an index out of range fails the whole merged run.
    const { graph, value, floats } = await import('../support/onnx-graphs.ts');
    const gather = graph({
      nodes: [{ opType: 'Gather', input: ['t', 'x'], output: ['y'] }],
      inputs: [value('x', 'INT64', ['N'])],
      outputs: [value('y', 'FP32', ['N'])],
      weights: [floats('t', [3], [10, 20, 30])],
    });
    const sample = [x(BigInt64Array.of(0n, 1n, 2n, 0n, 1n), [5], 'INT64')];
    await using(gather, { tier: 'inline', sample }, async (model) => {
      expect(model.batchable).toBe(true);
      const results = await Promise.allSettled([0n, 99n, 2n].map((i) => model.run([x(BigInt64Array.of(i), [1], 'INT64')])));
      expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ kind: 'invalid', code: 'inference_failed' });
      expect((results[2] as PromiseFulfilledResult<Tensor[]>).value[0]?.data[0]).toBe(30);
    });
  });

  it.each([
    ['unexpected_input', [x(Float32Array.of(1, 2), [1, 2]), x(Float32Array.of(1), [1], 'FP32', 'z')], /unexpected inference input 'z' for model 'm'/],
    ['missing_input', [], /expected 1 inputs but got 0 inputs for model 'm'/],
    ['duplicate_input', [x(Float32Array.of(1, 2), [1, 2]), x(Float32Array.of(1, 2), [1, 2])], /given twice/],
    ['wrong_datatype', [x(Float64Array.of(1, 2), [1, 2], 'FP64')], /data-type is 'FP64', but model 'm' expects 'FP32'/],
    ['wrong_shape', [x(Float32Array.of(1, 2, 3), [1, 3])], /unexpected shape for input 'x' for model 'm'. Expected \[-1,2\], got \[1,3\]/],
    ['wrong_shape', [x(Float32Array.of(1, 2), [2])], /Expected \[-1,2\], got \[2\]/],
    ['wrong_shape', [x(Float32Array.of(1, 2), [-1, 2])], /got \[-1,2\]/],
    ['wrong_length', [x(Float32Array.of(1, 2, 3), [1, 2])], /has 3 values, but the shape \[1,2\] needs 2/],
    ['wrong_datatype', [x(Int32Array.of(1, 2), [1, 2])], /not made of FP32 values/],
  ])('refuses %s', async (code, inputs, message) => {
    await using(identity('FP32'), { tier: 'inline' }, async (model) => {
      const error = await model.run(inputs as Tensor[]).catch((e: unknown) => e);
      expect(error).toMatchObject({ kind: 'invalid', code });
      expect((error as Error).message).toMatch(message);
    });
  });

  it('refuses a string with a NUL, and an output that does not exist', async () => {
    await using(identity('BYTES'), { tier: 'inline' }, async (model) => {
      await expect(model.run([x(['a', 'b\0c'], [1, 2], 'BYTES')])).rejects.toMatchObject({ code: 'string_with_nul' });
      await expect(model.run([x(['a', 'b'], [1, 2], 'BYTES')], ['nope'])).rejects.toThrow("unexpected inference output 'nope' for model 'm'");
    });
  });

  it('answers a request of no rows, inline and in a worker, without harm', async () => {
    for (const tier of ['inline', 'worker'] as const)
      await using(sum(2), { tier }, async (model) => {
        const [y] = await model.run([x(new Float32Array(0), [0, 2])]);
        expect(y?.shape).toEqual([0, 1]);
      });
  });

  it('refuses a file that does not load, and leaves no thread behind', async () => {
    await expect(runtime.load(graphFile(Buffer.from('not a model')))).rejects.toMatchObject({ kind: 'invalid', code: 'onnx_invalid' });
    const { graph, value } = await import('../support/onnx-graphs.ts');
    const unknownOp = graph({
      nodes: [{ opType: 'NoSuchOperator', input: ['x'], output: ['y'] }],
      inputs: [value('x', 'FP32', ['N'])],
      outputs: [value('y', 'FP32', ['N'])],
    });
    await expect(runtime.load(graphFile(unknownOp))).rejects.toThrow(/NoSuchOperator/);
  });

  it('finishes what it has before it closes, and then refuses', async () => {
    for (const tier of ['inline', 'worker'] as const) {
      const model = runnable(await runtime.load(graphFile(slow()), { tier }), 'm');
      const runs = Array.from({ length: 20 }, () => model.run([x(new Float32Array(256).fill(2), [1, 256])]));
      const closed = model.close();
      await expect(model.run([x(new Float32Array(256), [1, 256])])).rejects.toMatchObject({ kind: 'unavailable', code: 'model_closed' });
      for (const [y] of await Promise.all(runs)) expect(y?.data[0]).toBe(2);
      await closed;
      await model.close();
    }
  });

  it('gives its memory back', async () => {
    const file = graphFile(slow(1, 1536));
    const cycle = async (tier: 'inline' | 'worker') => (await runtime.load(file, { tier })).close();
    for (let i = 0; i < 4; i++) await cycle(i % 2 === 0 ? 'inline' : 'worker');
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 16; i++) await cycle(i % 2 === 0 ? 'inline' : 'worker');
    // 9 MB of weights, in two sessions every other time: a leak would be 220 MB.
    expect(process.memoryUsage.rss() - before).toBeLessThan(120e6);
  }, 90_000);
});
