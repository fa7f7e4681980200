import { afterEach, describe, expect, it } from 'vitest';
import type { ModelRuntime } from '../../src/serving/index.ts';
import { createOnnxRuntime } from '../../src/adapters/onnx/index.ts';
import { graph, sum, value } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit, until } from '../support/serving.ts';

let kit: ServingKit;
afterEach(() => kit.close());

const broken = () =>
  graph({
    nodes: [{ opType: 'NoSuchOperator', input: ['x'], output: ['y'] }],
    inputs: [value('x', 'FP32', ['N', 2])],
    outputs: [value('y', 'FP32', ['N', 1])],
  });
const ones = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 1] }] };
const to = (version: number, weight = 100, shadow = false) => ({ version, weight, shadow });
const champion = [{ alias: 'champion', weight: 100, shadow: false }];

describe('an endpoint', () => {
  it('serves an alias and follows it', async () => {
    kit = await servingKit({ reconcileMs: 1e6 });
    await kit.registry.add('m', sum(2, 1));
    await kit.registry.add('m', sum(2, 10));
    await kit.registry.move('m', 'champion', 1);
    const detail = await kit.serving.deploy('e', { model: 'm', traffic: champion, description: 'x' });
    expect(detail).toMatchObject({
      name: 'e',
      model: 'm',
      state: 'ready',
      revision: 1,
      description: 'x',
      versions: [{ version: 1, state: 'ready', weight: 100, aliases: ['champion'], tier: 'inline' }],
    });
    expect((await kit.infer('e', ones)).json()).toMatchObject({ model_name: 'e', model_version: '1', outputs: [{ data: [2] }] });
    await kit.registry.move('m', 'champion', 2);
    await until(async () => (await kit.infer('e', ones)).json().model_version === '2');
    expect(await kit.serving.endpointsOf('m')).toEqual([{ endpoint: 'e', versions: [2] }]);
    expect(await kit.serving.endpointsOf('other')).toEqual([]);
  });

  it('follows without the event too', async () => {
    kit = await servingKit({ reconcileMs: 50 });
    await kit.registry.add('m', sum(2, 1));
    await kit.registry.add('m', sum(2, 10));
    kit.registry.aliasesOf.set('m', { champion: 1 });
    await kit.serving.deploy('e', { model: 'm', traffic: champion });
    kit.registry.aliasesOf.set('m', { champion: 2 });
    await until(() => kit.serving.get('e').versions[0]?.version === 2);
  });

  it('follows without the event while another takes long to start', async () => {
    const onnx = createOnnxRuntime();
    const start = Promise.withResolvers<void>();
    let starting = false;
    const runtime: ModelRuntime = {
      ...onnx,
      async load(file, options) {
        if (starting) return onnx.load(file, options);
        starting = true;
        await start.promise;
        return onnx.load(file, options);
      },
    };
    kit = await servingKit({ reconcileMs: 50, runtime });
    await kit.registry.add('slow', sum(2, 1));
    await kit.store.putEndpoint({ name: 'slow', model: 'slow', traffic: [to(1)] });
    await until(() => starting);
    await kit.registry.add('m', sum(2, 1));
    await kit.registry.add('m', sum(2, 10));
    kit.registry.aliasesOf.set('m', { champion: 1 });
    await kit.serving.deploy('e', { model: 'm', traffic: champion });
    kit.registry.aliasesOf.set('m', { champion: 2 });
    await until(() => kit.serving.get('e').versions[0]?.version === 2);
    expect(kit.serving.get('slow').state).toBe('loading');
    start.resolve();
    await until(() => kit.serving.get('slow').state === 'ready');
  });

  it('loses no request over twenty swaps under load', async () => {
    kit = await servingKit({ reconcileMs: 1e6 });
    await kit.registry.add('m', sum(2, 1));
    await kit.registry.add('m', sum(2, 10));
    await kit.registry.move('m', 'champion', 1);
    await kit.serving.deploy('e', { model: 'm', traffic: champion });
    const end = new AbortController();
    const wrong: unknown[] = [];
    const seen = { '1': 0, '2': 0 };
    const clients = Array.from({ length: 8 }, async () => {
      while (!end.signal.aborted) {
        const reply = await kit.infer('e', ones);
        const { model_version: version, outputs } = reply.json();
        if (reply.status !== 200 || outputs[0].data[0] !== (version === '1' ? 2 : 20)) wrong.push(reply.body.toString());
        seen[version as '1' | '2']++;
      }
    });
    for (let i = 0; i < 20; i++) {
      const version = 1 + ((i + 1) % 2);
      await kit.registry.move('m', 'champion', version);
      await until(() => kit.serving.get('e').versions.some((v) => v.version === version && v.state === 'ready'));
    }
    end.abort();
    await Promise.all(clients);
    expect(wrong).toEqual([]);
    expect(seen['1']).toBeGreaterThan(10);
    expect(seen['2']).toBeGreaterThan(10);
    await until(() => kit.serving.get('e').versions.every((v) => v.state === 'ready'));
  }, 60_000);

  it('keeps the old version when the new one does not load, says why, and recovers', async () => {
    kit = await servingKit({ reconcileMs: 1e6 });
    await kit.registry.add('m', sum(2, 1));
    await kit.registry.add('m', broken());
    await kit.registry.add('m', sum(2, 7));
    await kit.serving.deploy('e', { model: 'm', traffic: [to(1)] });
    const detail = await kit.serving.deploy('e', { model: 'm', traffic: [to(2)] });
    expect(detail.state).toBe('degraded');
    expect(detail.message).toMatch(/m version 2 could not be loaded: .*NoSuchOperator.*Version 1 goes on serving\./s);
    expect(detail.versions).toMatchObject([
      { version: 1, state: 'ready' },
      { version: 2, state: 'failed', error: expect.stringContaining('NoSuchOperator') },
    ]);
    expect((await kit.infer('e', ones)).json().model_version).toBe('1');
    const mended = await kit.serving.deploy('e', { model: 'm', traffic: [to(3)] });
    expect(mended).toMatchObject({ state: 'ready', message: '' });
    await until(() => kit.serving.get('e').versions.length === 1);
    expect(kit.serving.get('e').versions).toMatchObject([{ version: 3, state: 'ready' }]);
  });

  it('falls back, after a restart, on what served before', async () => {
    kit = await servingKit({ reconcileMs: 1e6 });
    await kit.registry.add('m', sum(2, 1));
    await kit.registry.add('m', broken());
    await kit.serving.deploy('e', { model: 'm', traffic: [to(1)] });
    await kit.serving.deploy('e', { model: 'm', traffic: [to(2)] });
    const { file } = kit;
    const packages = kit.registry.packages;
    await kit.close();
    kit = await servingKit({ file, reconcileMs: 50 });
    for (const [name, list] of packages) kit.registry.packages.set(name, list);
    await kit.serving.deploy('e', { model: 'm', traffic: [to(2)] });
    expect(kit.serving.get('e')).toMatchObject({
      state: 'degraded',
      versions: [
        { version: 1, state: 'ready' },
        { version: 2, state: 'failed' },
      ],
    });
    expect((await kit.infer('e', ones)).status).toBe(200);
  });

  it('answers 503 with the reason while nothing could be loaded', async () => {
    kit = await servingKit();
    const detail = await kit.deploy('e', broken());
    expect(detail).toMatchObject({ state: 'failed', sample: null });
    const reply = await kit.infer('e', ones);
    expect(reply.status).toBe(503);
    expect(reply.headers['retry-after']).toBe('1');
    expect(reply.json().error).toMatch(/^Request for unknown model: 'e' has no available versions \(.*NoSuchOperator/s);
    expect(kit.failures.at(-1)).toMatchObject({ endpoint: 'e', code: 'endpoint_not_ready', version: null });
  });

  it('splits traffic by weight, and lets a caller pin a version', async () => {
    let i = 0;
    kit = await servingKit({ random: () => (i++ % 100) / 100 });
    await kit.registry.add('m', sum(2, 1));
    await kit.registry.add('m', sum(2, 10));
    await kit.serving.deploy('e', { model: 'm', traffic: [to(1, 90), to(2, 10)] });
    const counts: Record<string, number> = {};
    for (let n = 0; n < 200; n++) {
      const version = (await kit.infer('e', ones)).json().model_version;
      counts[version] = (counts[version] ?? 0) + 1;
    }
    expect(counts).toEqual({ '1': 180, '2': 20 });
    expect((await kit.infer('e/versions/2', ones)).json().model_version).toBe('2');
    expect(kit.serving.stats('e').byVersion.map((v) => [v.version, v.stats.requests])).toEqual([
      [1, 180],
      [2, 21],
    ]);
  });

  it('gives a shadow copies of its own where the caller does not wait for it', async () => {
    kit = await servingKit();
    for (const bytes of [sum(2), sum(2, 10)]) await kit.registry.add('m', bytes);
    await kit.serving.deploy('e', { model: 'm', traffic: [to(1), to(2, 0, true)] });
    const data = Float32Array.of(1, 1);
    const reply = await kit.serving.infer({
      endpoint: 'e',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data }],
      copyForShadows: true,
      requestId: 'r',
      receivedAt: Date.now(),
      startedAt: performance.now(),
    });
    expect(reply.finish()).toBeUndefined();
    data.fill(1000);
    await until(() => kit.predictions.some(({ shadow }) => shadow));
    expect(kit.predictions.find(({ shadow }) => shadow)?.outputs).toEqual([{ name: 'y', values: Float32Array.of(20) }]);
  });

  it('copies requests to a shadow after the reply, and never shows its answer', async () => {
    kit = await servingKit();
    await kit.registry.add('m', sum(2, 1));
    await kit.registry.add('m', sum(2, 10));
    await kit.serving.deploy('e', { model: 'm', traffic: [to(1), to(2, 100, true)] });
    for (let i = 0; i < 10; i++) expect((await kit.infer('e', ones, { 'x-request-id': `r${i}` })).json().outputs[0].data).toEqual([2]);
    await until(() => kit.predictions.length === 20);
    const shadows = kit.predictions.filter((p) => p.shadow);
    expect(shadows).toHaveLength(10);
    expect(shadows[0]).toMatchObject({ version: 2, requestId: 'r0', outputs: [{ name: 'y', values: Float32Array.of(20) }] });
    expect(kit.serving.stats('e').total.requests).toBe(10);
    expect(kit.serving.inferenceStatistics('e').map(({ shadow, statistics }) => [shadow, statistics.success, statistics.inferences])).toEqual([
      [false, 10, 10],
      [true, 10, 10],
    ]);
  });

  it('refuses requests beyond its queue with the words that clients know', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const real = createOnnxRuntime();
    const held: ModelRuntime = {
      async load(file, options) {
        const model = await real.load(file, options);
        return {
          ...model,
          tier: 'worker',
          batchable: false,
          close: () => model.close(),
          execute: async (inputs, outputs) => (await gate, model.execute(inputs, outputs)),
        };
      },
    };
    kit = await servingKit({ runtime: held, maxQueue: 3 });
    await kit.deploy('e', sum(2));
    const waiting = [1, 2, 3].map(() => kit.infer('e', ones));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const refused = await kit.infer('e', ones);
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.json()).toEqual({ error: 'Exceeds maximum queue size' });
    expect((await kit.invoke('e', { inputs: [[1, 1]] })).status).toBe(503);
    release();
    for (const reply of await Promise.all(waiting)) expect(reply.status).toBe(200);
  });

  it('logs what it answered, by column, with id and event time', async () => {
    kit = await servingKit();
    await kit.deploy('e', sum(2), {
      inputs: [
        { name: 'a', type: 'double' },
        { name: 'b', type: 'double' },
      ],
      outputs: [],
    });
    await kit.invoke(
      'e',
      {
        dataframe_records: [
          { a: 1, b: 2 },
          { a: 3, b: null },
        ],
      },
      { 'x-request-id': 'order-1', 'x-binnacle-event-time': '2001-05-03T14:05:00Z' },
    );
    expect(kit.predictions).toMatchObject([
      {
        endpoint: 'e',
        model: 'e',
        version: 1,
        source: 'live',
        shadow: false,
        requestId: 'order-1',
        eventTime: 988898700000,
        rows: 2,
        features: [
          { name: 'a', values: Float32Array.of(1, 3) },
          { name: 'b', values: Float32Array.of(2, Number.NaN) },
        ],
        outputs: [{ name: 'y', values: Float32Array.of(3, Number.NaN) }],
      },
    ]);
    expect(kit.predictions[0]?.latencyMs).toBeGreaterThan(0);
  });

  it('is refused under a bad name, bad weights, an unknown model, or another model than before', async () => {
    kit = await servingKit();
    await kit.registry.add('m', sum(2));
    await kit.registry.add('n', sum(2));
    const deploy = (name: string, model: string, traffic = [to(1)]) => kit.serving.deploy(name, { model, traffic });
    for (const name of ['', 'a/b', '../x', 'a b', 'ü', 'x'.repeat(200)])
      await expect(deploy(name, 'm')).rejects.toMatchObject({ code: 'invalid_endpoint_name' });
    await expect(deploy('e', 'm', [to(1, 50)])).rejects.toMatchObject({ code: 'invalid_traffic' });
    await expect(deploy('e', 'm', [to(9)])).rejects.toMatchObject({ kind: 'not_found' });
    await expect(deploy('e', 'gone')).rejects.toMatchObject({ kind: 'not_found' });
    expect(kit.serving.list()).toEqual([]);
    await deploy('e', 'm');
    await expect(deploy('e', 'n')).rejects.toMatchObject({ kind: 'conflict', code: 'endpoint_model_fixed' });
    expect(() => kit.serving.get('nope')).toThrow("There is no endpoint 'nope'.");
    await expect(kit.serving.delete('nope')).rejects.toMatchObject({ kind: 'not_found' });
  });

  it('is gone after deletion, also for the requests under way', async () => {
    kit = await servingKit();
    await kit.deploy('e', sum(2));
    const running = Array.from({ length: 20 }, () => kit.infer('e', ones));
    await kit.serving.delete('e');
    for (const reply of await Promise.all(running)) expect([200, 404, 503]).toContain(reply.status);
    expect((await kit.infer('e', ones)).json()).toEqual({ error: "Request for unknown model: 'e' is not found" });
    expect(await kit.store.listEndpoints()).toEqual([]);
  });

  it('has a sample request that works, with and without a signature', async () => {
    kit = await servingKit();
    await kit.deploy('with', sum(2), {
      inputs: [
        { name: 'a', type: 'double' },
        { name: 'b', type: 'long' },
      ],
      outputs: [],
    });
    await kit.deploy('without', sum(2));
    for (const name of ['with', 'without']) {
      const { sample } = kit.serving.get(name);
      expect((await kit.invoke(name, sample?.invocations)).status, name).toBe(200);
      expect((await kit.infer(name, sample?.openInference)).status, name).toBe(200);
    }
  });

  it('lends a version to gates and batch', async () => {
    kit = await servingKit();
    const pkg = await kit.registry.add('m', sum(2), {
      inputs: [
        { name: 'a', type: 'double' },
        { name: 'b', type: 'double' },
      ],
      outputs: [],
    });
    const version = await kit.serving.openVersion(pkg);
    expect(
      await version.predictTable({
        rows: 2,
        columns: [
          { name: 'b', values: [1, 2] },
          { name: 'a', values: Float64Array.of(3, 4) },
        ],
      }),
    ).toEqual([{ name: 'y', values: Float32Array.of(4, 6) }]);
    expect(await version.predictTable({ rows: 0, columns: [] })).toEqual([{ name: 'y', values: [] }]);
    await version.close();
    await expect(version.run([])).rejects.toMatchObject({ code: 'model_closed' });
    const own = await kit.serving.openVersion(pkg, { tier: 'worker', instances: 2 });
    expect(own.tier).toBe('worker');
    await own.close();
  });
});
