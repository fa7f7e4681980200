import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { EndpointConfig } from '@binnacle/contract';
import { createOnnxRuntime } from '../../src/adapters/onnx/index.ts';
import type { ModelRuntime, Tensor } from '../../src/serving/index.ts';
import { endless, graph, slow, sum, twoColumns, value } from '../support/onnx-graphs.ts';
import { type Reply, type ServingKit, servingKit, until } from '../support/serving.ts';

let kit: ServingKit;
afterEach(() => kit.close());

const to = (version: number) => [{ version, weight: 100, shadow: false }];
const row = (a: number, b: number) => ({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [a, b] }] });
const answer = (reply: Reply): number => (reply.json() as { outputs: { data: number[] }[] }).outputs[0]?.data[0] ?? Number.NaN;

/** ONNX Runtime whose runs wait for `release`, and how often it loaded. */
function heldRuntime(slots = 1) {
  const gate = Promise.withResolvers<void>();
  const real = createOnnxRuntime();
  const state = { loads: 0, runs: 0, release: () => gate.resolve() };
  const runtime: ModelRuntime = {
    async load(file, options) {
      const model = await real.load(file, { ...options, tier: 'inline' });
      state.loads++;
      return {
        ...model,
        tier: 'worker',
        slots,
        close: () => model.close(),
        execute: async (inputs: Tensor[], outputs: string[]) => {
          state.runs++;
          await gate.promise;
          return model.execute(inputs, outputs);
        },
      };
    },
  };
  return { ...state, runtime, state };
}

async function deploy(config: EndpointConfig, bytes = sum(2)): Promise<void> {
  const { version } = await kit.registry.add('m', bytes);
  await kit.serving.deploy('e', { model: 'm', traffic: to(version), config });
}

describe('many clients at once', () => {
  it.each([
    ['inline', {}],
    ['with a delay and preferred sizes', { batching: { enabled: 'on', maxQueueDelayMicros: 2000, preferredRows: [4, 16], maxRows: 16 } }],
    ['in two workers, in order', { tier: 'worker', instances: 2, batching: { enabled: 'on', preserveOrdering: true } }],
    ['by priority', { batching: { priorityLevels: 3, maxRows: 8 } }],
    ['with a cache', { cache: { maxMiB: 4 } }],
    ['of which few may run', { tier: 'worker', maxConcurrency: 3 }],
  ] as [string, EndpointConfig][])('get their own answers, %s', async (_what, config) => {
    kit = await servingKit();
    await deploy(config, twoColumns());
    let next = 0;
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        for (let k = 0; k < 12; k++) {
          const i = next++ % 300;
          const rows = 1 + (i % 3);
          const column = (name: string, of: (r: number) => number) => ({
            name,
            datatype: 'FP32',
            shape: [rows, 1],
            data: Array.from({ length: rows }, (_, r) => of(r)),
          });
          const reply = await kit.infer('e', {
            inputs: [column('b', () => 1000), column('a', (r) => i + r / 4)],
            parameters: { priority: 1 + (i % 4) },
            outputs: [{ name: 'total' }],
          });
          expect(reply.status).toBe(200);
          expect(reply.json().outputs).toEqual([expect.objectContaining({ name: 'total', data: Array.from({ length: rows }, (_, r) => 1000 + i + r / 4) })]);
        }
      }),
    );
    const { total, byVersion } = kit.serving.stats('e');
    expect(total).toMatchObject({ requests: 480, errors: 0 });
    const [only] = byVersion;
    const { statistics } = kit.serving.inferenceStatistics('e')[0] as never as { statistics: { success: number; executions: number; inferences: number } };
    const runs = only?.batches.reduce((sum, { runs: n }) => sum + n, 0);
    const rows = only?.batches.reduce((sum, { rows: n, runs: times }) => sum + n * times, 0);
    expect(statistics.success).toBe(480);
    // Every run is counted once, and every row that was not answered from memory was in one.
    expect([runs, rows]).toEqual([statistics.executions, statistics.inferences]);
  });
});

describe('the configuration of an endpoint', () => {
  it('takes effect without loading anything anew, but for what loading depends on', async () => {
    const held = heldRuntime();
    held.release();
    kit = await servingKit({ runtime: held.runtime });
    await deploy({});
    const change = (config: EndpointConfig) => kit.serving.deploy('e', { model: 'm', traffic: to(1), config });
    await change({ rateLimit: { requestsPerSecond: 0.001, burst: 1 } });
    expect((await kit.infer('e', row(1, 2))).status).toBe(200);
    const limited = await kit.infer('e', row(1, 2));
    expect([limited.status, Number(limited.headers['retry-after'])]).toEqual([429, expect.any(Number)]);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(900);
    expect((await kit.invoke('e', { inputs: [[1, 1]] })).status).toBe(429);
    await change({ cache: { maxMiB: 1 }, batching: { enabled: 'off' }, maxQueue: 5 });
    for (let i = 0; i < 3; i++) expect(answer(await kit.infer('e', row(1, 2)))).toBe(3);
    expect(kit.serving.stats('e')).toMatchObject({ cache: { entries: 1 }, failures: { rate_limited: 2 }, byVersion: [{ cacheHits: 2, cacheMisses: 1 }] });
    expect(kit.serving.get('e').versions[0]?.queue).toMatchObject({ merging: false, why: 'Batching is switched off.' });
    await change({});
    expect(kit.serving.stats('e').cache).toBeNull();
    expect(held.state.loads).toBe(1);
    await change({ threads: 2 });
    expect(held.state.loads).toBe(2);
  });

  it('keeps answers of a version from the next one', async () => {
    kit = await servingKit();
    await deploy({ cache: { maxMiB: 1 } });
    await kit.registry.add('m', sum(2, 10));
    expect(answer(await kit.infer('e', row(1, 2)))).toBe(3);
    await kit.serving.deploy('e', { model: 'm', traffic: to(2) });
    expect(kit.serving.stats('e').cache).toMatchObject({ entries: 0, bytes: 0 });
    expect(answer(await kit.infer('e', row(1, 2)))).toBe(30);
  });
});

describe('a cached answer', () => {
  it('is monitored like any other, and gives back a NaN as it was', async () => {
    kit = await servingKit();
    await deploy({ cache: { maxMiB: 1 } });
    const nan = new Float32Array(Uint32Array.of(0x7fc01234, 0x3f800000).buffer);
    const ask = () =>
      kit.serving.infer({
        endpoint: 'e',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: nan.slice() }],
        requestId: 'r',
        receivedAt: 1,
        startedAt: performance.now(),
      });
    const bits = [];
    for (let i = 0; i < 2; i++) {
      const reply = await ask();
      const data = (reply.outputs[0] as Tensor).data as Float32Array;
      bits.push(new Uint32Array(data.slice().buffer)[0]);
      data.fill(7);
      await reply.finish();
    }
    expect(bits[1]).toBe(bits[0]);
    expect(kit.predictions).toHaveLength(2);
  });

  it('is never one of a sequence', async () => {
    kit = await servingKit();
    await deploy({ cache: { maxMiB: 1 } });
    for (let i = 0; i < 2; i++) expect((await kit.infer('e', { ...row(1, 2), parameters: { sequence_id: 7, sequence_start: true } })).status).toBe(200);
    expect(kit.serving.stats('e').cache).toMatchObject({ entries: 0 });
  });
});

describe('monitoring by sample', () => {
  it('looks at a share of the requests, each standing for as many, and counts them all', async () => {
    let state = 1;
    const random = () => (state = (state * 16807) % 2147483647) / 2147483647;
    kit = await servingKit({ random });
    await deploy({ monitoringSample: 0.3 });
    for (let i = 0; i < 1500; i++) {
      const data = Float32Array.of(i, 1);
      const reply = await kit.serving.infer({
        endpoint: 'e',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data }],
        requestId: `${i}`,
        receivedAt: 1,
        startedAt: 0,
      });
      await reply.finish();
    }
    expect(kit.predictions.length).toBeGreaterThan(380);
    expect(kit.predictions.length).toBeLessThan(520);
    const weights = kit.predictions.map(({ weight }) => weight ?? 1);
    expect(weights.every((weight) => weight === 3 || weight === 4)).toBe(true);
    const estimate = weights.reduce((sum, weight) => sum + weight, 0);
    expect(Math.abs(estimate - 1500)).toBeLessThan(200);
    expect(kit.serving.stats('e').total.requests).toBe(1500);
    expect(kit.counted).toHaveLength(1500 - kit.predictions.length);
    expect(kit.counted.every(({ rows }) => rows === 0)).toBe(true);
    await kit.serving.deploy('e', { model: 'm', traffic: to(1), config: { monitoringSample: 0 } });
    const before = kit.predictions.length;
    expect((await kit.infer('e', row(1, 2))).status).toBe(200);
    expect(kit.predictions).toHaveLength(before);
    expect(kit.counted.at(-1)).toMatchObject({ endpoint: 'e', version: 1, rows: 1 });
  });
});

it('a run that does not end blocks neither unloading, nor loading again, nor the end', async () => {
  const held = heldRuntime(2);
  kit = await servingKit({ runtime: held.runtime, closeMs: 50 });
  await deploy({});
  const running = kit.infer('e', row(1, 1)).catch(() => {});
  await until(() => held.state.runs === 1);
  expect(await kit.serving.unload('e')).toMatchObject({ state: 'unloaded' });
  expect(await kit.serving.load('e')).toMatchObject({ state: 'ready' });
  const again = kit.infer('e', row(1, 1)).catch(() => {});
  await until(() => held.state.runs === 2);
  await kit.serving.close();
  held.release();
  await Promise.all([running, again]);
});

describe('a queue', () => {
  it('refuses by time-out and by size in the words of Triton, and shows both', async () => {
    const held = heldRuntime();
    kit = await servingKit({ runtime: held.runtime });
    await deploy({ batching: { enabled: 'off', defaultQueuePolicy: { maxQueueSize: 1 } } });
    const running = kit.infer('e', row(1, 1));
    await until(() => kit.serving.get('e').versions[0]?.queue?.running === 1);
    const late = kit.infer('e', { ...row(2, 2), parameters: { timeout: 2_000_000 } });
    await until(() => kit.serving.get('e').versions[0]?.queue?.waiting === 1);
    const refused = await kit.infer('e', row(3, 3));
    expect([refused.status, refused.json()]).toEqual([503, { error: 'Exceeds maximum queue size' }]);
    const reply = await late;
    expect([reply.status, reply.json()]).toEqual([503, { error: 'Request timeout expired' }]);
    held.release();
    expect((await running).status).toBe(200);
    expect(kit.serving.stats('e').byVersion[0]).toMatchObject({ failures: { queue_full: 1, queue_timeout: 1 } });
  });

  it('is left at once by a client that goes away', async () => {
    const held = heldRuntime();
    kit = await servingKit({ runtime: held.runtime });
    await deploy({ batching: { enabled: 'off', defaultQueuePolicy: { maxQueueSize: 1 } } });
    const running = kit.infer('e', row(1, 1));
    await until(() => kit.serving.get('e').versions[0]?.queue?.running === 1);
    const body = JSON.stringify(row(2, 2));
    const socket = connect(Number(new URL(kit.url).port), '127.0.0.1');
    socket.write(`POST /v2/models/e/infer HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await until(() => kit.serving.get('e').versions[0]?.queue?.waiting === 1);
    socket.destroy();
    await until(() => kit.serving.get('e').versions[0]?.queue?.waiting === 0);
    const next = kit.infer('e', row(3, 3));
    await until(() => kit.serving.get('e').versions[0]?.queue?.waiting === 1);
    held.release();
    expect([answer(await running), answer(await next)]).toEqual([2, 6]);
    expect(held.state.runs).toBe(2);
    expect(kit.serving.stats('e').failures).toEqual({ cancelled: 1 });
  });

  it('is left by the work itself where the model has a process of its own', async () => {
    kit = await servingKit();
    await deploy({ isolation: 'process', batching: { enabled: 'off' } }, endless());
    const turns = (count: number) => ({ inputs: [{ name: 'turns', datatype: 'INT64', shape: [], data: [count] }] });
    expect(answer(await kit.infer('e', turns(5)))).toBe(5);
    const body = JSON.stringify(turns(1e12));
    const socket = connect(Number(new URL(kit.url).port), '127.0.0.1');
    socket.write(`POST /v2/models/e/infer HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await until(() => kit.serving.get('e').versions[0]?.queue?.running === 1);
    const next = kit.infer('e', turns(7));
    socket.destroy();
    expect(answer(await next)).toBe(7);
    expect(kit.serving.stats('e').failures).toMatchObject({ cancelled: 1 });
  }, 30_000);

  it('is finished when the endpoint goes', async () => {
    const held = heldRuntime();
    kit = await servingKit({ runtime: held.runtime });
    await deploy({ batching: { enabled: 'off' } });
    const asked = [1, 2, 3].map((i) => kit.infer('e', row(i, i)));
    await until(() => kit.serving.get('e').versions[0]?.queue?.waiting === 2);
    const deleted = kit.serving.delete('e');
    await until(() => kit.serving.list().length === 0);
    expect((await kit.infer('e', row(9, 9))).status).toBe(404);
    held.release();
    expect((await Promise.all(asked)).map(answer)).toEqual([2, 4, 6]);
    await deleted;
  });

  it('serves the urgent first while a real model is busy', async () => {
    kit = await servingKit();
    const { version } = await kit.registry.add('m', slow(40, 384));
    await kit.serving.deploy('e', { model: 'm', traffic: to(version), config: { tier: 'worker', batching: { enabled: 'off', priorityLevels: 2 } } });
    const order: number[] = [];
    const ask = (priority: number) =>
      kit.serving
        .infer({
          endpoint: 'e',
          inputs: [{ name: 'x', datatype: 'FP32', shape: [40, 384], data: new Float32Array(40 * 384) }],
          call: { priority },
          requestId: 'r',
          receivedAt: 1,
          startedAt: performance.now(),
        })
        .then(() => order.push(priority));
    await Promise.all([2, 2, 2, 2, 1, 1].map(ask));
    expect(order).toEqual([1, 1, 2, 2, 2, 2]);
  });
});

describe('a model of 100 MB', () => {
  it('is loaded and freed without holding up the requests for others', async () => {
    kit = await servingKit();
    await kit.deploy('tiny', sum(2));
    const side = 5120;
    const { version } = await kit.registry.add(
      'big',
      graph({
        nodes: [{ opType: 'MatMul', input: ['x', 'w'], output: ['y'] }],
        inputs: [value('x', 'FP32', ['N', side])],
        outputs: [value('y', 'FP32', ['N', side])],
        weights: [{ name: 'w', dims: [side, side], dataType: 1, rawData: Buffer.alloc(side * side * 4) }],
      }),
    );
    // Processor time of this thread between two of its turns: how long it waits for a core is another's doing.
    let longest = 0;
    let answered = 0;
    const stop = new AbortController();
    const watch = (async () => {
      let before = process.threadCpuUsage();
      while (!stop.signal.aborted) {
        const reply = await kit.serving.infer({
          endpoint: 'tiny',
          inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) }],
          requestId: 'r',
          receivedAt: 1,
          startedAt: performance.now(),
        });
        await reply.finish();
        answered++;
        await new Promise((resolve) => setTimeout(resolve, 1));
        const { user, system } = process.threadCpuUsage(before);
        longest = Math.max(longest, (user + system) / 1000);
        before = process.threadCpuUsage();
      }
    })();
    for (let i = 0; i < 2; i++) {
      const detail = await kit.serving.deploy('big', { model: 'big', traffic: to(version) });
      expect(detail.versions[0]).toMatchObject({ state: 'ready', tier: 'worker' });
      await kit.serving.unload('big');
      await kit.serving.load('big');
      await kit.serving.delete('big');
    }
    stop.abort();
    await watch;
    expect(answered).toBeGreaterThan(50);
    // Reading the file alone takes longer, making the session many times as long.
    expect(longest).toBeLessThan(25);
  }, 60_000);
});
