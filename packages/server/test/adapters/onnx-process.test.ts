import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createOnnxRuntime } from '../../src/adapters/onnx/index.ts';
import { type Logger, silentLogger } from '../../src/kernel/index.ts';
import type { Datatype, LoadedModel, Tensor, TensorData } from '../../src/serving/index.ts';
import { childrenOf, isAlive } from '../support/processes.ts';
import { endless, graphFile, identity, sum } from '../support/onnx-graphs.ts';
import { until } from '../support/serving.ts';

const runtime = createOnnxRuntime({ restartMs: 50 });
const x = (data: TensorData, shape: number[], datatype: Datatype = 'FP32', name = 'x'): Tensor => ({ name, datatype, shape, data });
const turns = (count: bigint): Tensor[] => [x(BigInt64Array.of(count), [], 'INT64', 'turns')];
const FOREVER = 2n ** 62n;

/** The process of the model that `load` starts. */
async function isolated(bytes: Uint8Array, options: object = {}, from = runtime): Promise<{ model: LoadedModel; pids: number[] }> {
  const before = new Set(await childrenOf(process.pid));
  const model = await from.load(graphFile(bytes), { label: 'm', isolation: 'process', ...options });
  return { model, pids: (await childrenOf(process.pid)).filter((pid) => !before.has(pid)) };
}

describe('a model in a process of its own', () => {
  it.each([
    ['FP32', Float32Array.of(1.5, Number.NaN)],
    ['FP16', Uint16Array.of(0x3c00, 0x7bff)],
    ['UINT64', BigUint64Array.of(0n, 2n ** 64n - 1n)],
    ['INT8', Int8Array.of(-128, 127)],
    ['BOOL', Uint8Array.of(0, 1)],
    ['BYTES', ['', 'größe 🚢']],
  ] as [Datatype, TensorData][])('brings %s through unchanged', async (datatype, data) => {
    const { model } = await isolated(identity(datatype));
    expect(model.tier).toBe('process');
    expect(await model.execute([x(data, [1, 2], datatype)], ['y'])).toEqual([{ name: 'y', datatype, shape: [1, 2], data }]);
    const empty = datatype === 'BYTES' ? [] : data.slice(0, 0);
    expect((await model.execute([x(empty as TensorData, [0, 2], datatype)], ['y']))[0]?.shape).toEqual([0, 2]);
    await model.close();
  });

  it('brings tensors of many megabytes through, and the same process answers many in turn', async () => {
    const { model, pids } = await isolated(identity('FP32', ['N']));
    for (const size of [3, 3_000_001, 5, 1_000_003]) {
      const data = Float32Array.from({ length: size }, (_, i) => i);
      const [y] = await model.execute([x(data, [size])], ['y']);
      expect(y?.shape).toEqual([size]);
      expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from((y as Tensor & { data: Float32Array }).data.buffer, 0, data.byteLength))).toBe(0);
    }
    expect(model.busyMicros).toBeGreaterThan(0);
    expect(await childrenOf(process.pid)).toContain(pids[0]);
    await model.close();
  });

  it('measures as elsewhere, tells its memory, and runs as many at once as it has instances', async () => {
    const { model, pids } = await isolated(sum(4), { instances: 2 });
    expect(model).toMatchObject({ slots: 2, batchable: true, inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }] });
    expect(model.runMicros).toBeGreaterThan(0);
    expect(pids).toHaveLength(2);
    if (process.platform === 'linux') expect(model.memoryBytes).toBeGreaterThan(2 * 30e6);
    await model.close();
    await until(async () => !(await childrenOf(process.pid)).some((pid) => pids.includes(pid)));
  });

  it('passes on what the model rejects, and goes on', async () => {
    const { graph, value, floats } = await import('../support/onnx-graphs.ts');
    const gather = graph({
      nodes: [{ opType: 'Gather', input: ['t', 'x'], output: ['y'] }],
      inputs: [value('x', 'INT64', ['N'])],
      outputs: [value('y', 'FP32', ['N'])],
      weights: [floats('t', [3], [10, 20, 30])],
    });
    const { model } = await isolated(gather);
    await expect(model.execute([x(BigInt64Array.of(99n), [1], 'INT64')], ['y'])).rejects.toMatchObject({ kind: 'invalid', code: 'inference_failed' });
    expect((await model.execute([x(BigInt64Array.of(1n), [1], 'INT64')], ['y']))[0]?.data[0]).toBe(20);
    await model.close();
  });

  it('ends a run at its time limit, and serves the next', async () => {
    const { model } = await isolated(endless(), { runTimeoutMs: 300 });
    await expect(model.execute(turns(FOREVER), ['y'])).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'run_timeout',
      message: expect.stringContaining('Request timeout expired'),
    });
    const [y] = await model.execute(turns(3n), ['y']);
    expect(y).toMatchObject({ shape: [], data: Float32Array.of(3) });
    expect(model.problem).toBeUndefined();
    await model.close();
  });

  it('ends a run whose request was cancelled, and lets a short one finish', async () => {
    const { model, pids } = await isolated(endless());
    const gone = new AbortController();
    const run = Promise.resolve(model.execute(turns(FOREVER), ['y'], { signal: gone.signal }));
    gone.abort();
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect((await model.execute(turns(1n), ['y']))[0]?.data[0]).toBe(1);
    const after = await childrenOf(process.pid);
    expect(after).not.toContain(pids[0]);
    // A run that ends by itself costs no process.
    const early = new AbortController();
    const short = Promise.resolve(model.execute(turns(1n), ['y'], { signal: early.signal }));
    early.abort();
    expect((await short)[0]?.data[0]).toBe(1);
    expect((await childrenOf(process.pid)).toSorted()).toEqual(after.toSorted());
    await model.close();
  });

  it('sees a crash, says so, and heals while another model goes on', async () => {
    const logged: { obj: object; text: string | undefined }[] = [];
    const logger: Logger = { ...silentLogger, error: (obj, text) => void logged.push({ obj, text }) };
    const { model, pids } = await isolated(endless(), {}, createOnnxRuntime({ restartMs: 50, logger }));
    const other = await runtime.load(graphFile(sum(2)), { tier: 'inline' });
    const run = Promise.resolve(model.execute(turns(FOREVER), ['y']));
    process.kill(pids[0] as number, 'SIGSEGV');
    await expect(run).rejects.toMatchObject({ kind: 'unavailable', code: 'runtime_crashed', message: expect.stringContaining('SIGSEGV') });
    expect(model.problem).toMatch(/SIGSEGV.*being started again/);
    expect(logged).toMatchObject([{ obj: { model: 'm', reason: expect.stringContaining('SIGSEGV') } }]);
    expect((await other.execute([x(Float32Array.of(1, 2), [1, 2])], ['y']))[0]?.data[0]).toBe(3);
    await until(() => model.problem === undefined);
    expect((await model.execute(turns(2n), ['y']))[0]?.data[0]).toBe(2);
    await Promise.all([model.close(), other.close()]);
  });

  it('refuses at once while it starts again after one crash upon the other', async () => {
    const { model } = await isolated(endless(), {}, createOnnxRuntime({ restartMs: 60_000 }));
    const own = async () => (await childrenOf(process.pid)).find((pid) => pid > 0) as number;
    process.kill(await own(), 'SIGKILL');
    await until(() => model.problem !== undefined);
    await until(() => model.problem === undefined);
    process.kill(await own(), 'SIGKILL');
    await until(() => model.problem !== undefined);
    await expect(Promise.resolve(model.execute(turns(1n), ['y']))).rejects.toMatchObject({ kind: 'unavailable', code: 'runtime_lost', retryAfterSeconds: 60 });
    await model.close();
  });

  it.runIf(process.platform === 'linux')('ends a process that takes more memory than it may', async () => {
    const { model } = await isolated(identity('FP32', ['N']), { memoryLimitMiB: 160 });
    const size = 40_000_000;
    await expect(Promise.resolve(model.execute([x(new Float32Array(size), [size])], ['y']))).rejects.toMatchObject({ kind: 'unavailable' });
    await until(() => model.problem === undefined);
    expect((await model.execute([x(Float32Array.of(1), [1])], ['y']))[0]?.data[0]).toBe(1);
    await model.close();
    await expect(isolated(identity('FP32'), { memoryLimitMiB: 32 })).rejects.toMatchObject({ kind: 'invalid', code: 'memory_limit_low' });
  });
});

it.runIf(process.platform === 'linux')('ends with a server that is killed in the middle of a run', async () => {
  const module = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const script = `
    const { createOnnxRuntime } = await import(${module('../../src/adapters/onnx/index.ts')});
    const model = await createOnnxRuntime().load(${JSON.stringify(graphFile(endless()))}, { isolation: 'process' });
    void model.execute([{ name: 'turns', datatype: 'INT64', shape: [], data: BigInt64Array.of(${FOREVER}n) }], ['y']);
    setTimeout(() => console.log('runs'), 100);`;
  const server = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(server.stdout, 'data');
  const processes = await childrenOf(server.pid as number);
  expect(processes).toHaveLength(1);
  server.kill('SIGKILL');
  await until(() => !processes.some(isAlive));
});
