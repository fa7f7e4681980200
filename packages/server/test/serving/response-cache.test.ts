import { describe, expect, it } from 'vitest';
import { unavailable } from '../../src/kernel/index.ts';
import type { Datatype, Tensor } from '../../src/serving/index.ts';
import { textOfBytes } from '../../src/serving/bytes-text.ts';
import { newTiming } from '../../src/serving/model-runtime.port.ts';
import { cacheKey } from '../../src/serving/scheduling/cache-key.ts';
import { ResponseCache } from '../../src/serving/scheduling/response-cache.ts';
import { EndpointPolicy } from '../../src/serving/scheduling/endpoint-policy.ts';
import { runnable } from '../support/runnable.ts';
import { FakeModel, FakeTicker } from '../support/scheduling.ts';

const tensor = (data: Tensor['data'], shape: number[] = [data.length], datatype: Datatype = 'FP32', name = 'x'): Tensor => ({ name, datatype, shape, data });
const bits = (...words: number[]): Float32Array => new Float32Array(Uint32Array.from(words).buffer);
const key = (inputs: Tensor[], outputs: string[] = ['y'], model = 1, parameters?: Record<string, string | number>) =>
  cacheKey(model, inputs, outputs, parameters);

describe('the key of a request', () => {
  const long = (fill: number) => new Float32Array(500).fill(fill);
  const requests: [string, string][] = [
    ['another value', key([tensor(Float32Array.of(2))])],
    ['another model', key([tensor(Float32Array.of(1))], ['y'], 2)],
    ['another output', key([tensor(Float32Array.of(1))], ['z'])],
    ['more outputs', key([tensor(Float32Array.of(1))], ['y', 'z'])],
    ['an output named as two', key([tensor(Float32Array.of(1))], ['y|1:z'])],
    ['another shape', key([tensor(Float32Array.of(1), [1, 1])])],
    ['another datatype with the same bytes', key([tensor(new Int32Array(Float32Array.of(1).buffer), [1], 'INT32')])],
    ['another name', key([tensor(Float32Array.of(1), [1], 'FP32', 'a')])],
    ['a further input', key([tensor(Float32Array.of(1)), tensor(Float32Array.of(1), [1], 'FP32', 'b')])],
    ['a parameter', key([tensor(Float32Array.of(1))], ['y'], 1, { a: 1 })],
    ['another parameter', key([tensor(Float32Array.of(1))], ['y'], 1, { a: '1' })],
    ['minus zero', key([tensor(Float32Array.of(-0))])],
    ['zero', key([tensor(Float32Array.of(0))])],
    ['a NaN', key([tensor(bits(0x7fc00000))])],
    ['a NaN of other bits', key([tensor(bits(0x7fc00001))])],
    ['strings', key([tensor(['ab', 'c'], [2], 'BYTES')])],
    ['strings cut elsewhere', key([tensor(['a', 'bc'], [2], 'BYTES')])],
    ['bytes that are no UTF-8', key([tensor([textOfBytes(Buffer.of(0xff))], [1], 'BYTES')])],
    ['other bytes that are no UTF-8', key([tensor([textOfBytes(Buffer.of(0xfe))], [1], 'BYTES')])],
    ['the replacement character', key([tensor(['\ufffd'], [1], 'BYTES')])],
    ['a large tensor', key([tensor(long(1))])],
    ['a large tensor, other in the last value', key([tensor(long(1).fill(2, 499))])],
  ];

  it('differs for everything that may change the answer', () => {
    const first: [string, string] = ['the first', key([tensor(Float32Array.of(1))])];
    const seen = new Map<string, string>();
    for (const [what, text] of [first, ...requests]) {
      expect(seen.get(text), what).toBeUndefined();
      seen.set(text, what);
    }
  });

  it('is the same for the same bits, wherever they lie in memory', () => {
    const buffer = new Float32Array(2000).fill(1);
    expect(key([tensor(buffer.subarray(7, 507))])).toBe(key([tensor(new Float32Array(500).fill(1))]));
    expect(key([tensor(buffer.subarray(7, 8))])).toBe(key([tensor(Float32Array.of(1))]));
    expect(key([tensor(bits(0x7fc00001))])).toBe(key([tensor(bits(0x7fc00001))]));
    expect(key([tensor(Float32Array.of(1))], ['y'], 1, { a: 1, b: 2 })).toBe(key([tensor(Float32Array.of(1))], ['y'], 1, { b: 2, a: 1 }));
  });
});

describe('the response cache', () => {
  const kit = (options: { maxMiB?: number; ttlSeconds?: number } = {}) => {
    const ticker = new FakeTicker();
    const cache = new ResponseCache({ maxMiB: 1, ...options }, ticker);
    let runs = 0;
    const run = (size = 1) => {
      runs++;
      return Promise.resolve([tensor(new Float32Array(size).fill(runs), [size], 'FP32', 'y')]);
    };
    return {
      ticker,
      cache,
      run,
      runs: () => runs,
      ask: async (k: string, size?: number) => (await cache.through(1, k, undefined, () => run(size)))[0]?.data[0],
    };
  };

  it('answers what it has seen, for as long as it may', async () => {
    const { ask, ticker, cache } = kit({ ttlSeconds: 10 });
    expect([await ask('a'), await ask('a'), await ask('b'), await ask('a')]).toEqual([1, 1, 2, 1]);
    await ticker.pass(9999);
    expect(await ask('a')).toBe(1);
    await ticker.pass(1);
    expect([await ask('a'), await ask('b')]).toEqual([3, 4]);
    expect(cache.entries).toBe(2);
  });

  it('forgets what was used least recently, and keeps to its memory', async () => {
    const { ask, cache, runs } = kit();
    const third = 2 ** 20 / 4 / 3 - 200;
    for (const k of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) await ask(k, third);
    // d pushed out b, b pushed out c: a was in use.
    expect(runs()).toBe(5);
    expect(cache.entries).toBe(3);
    expect(cache.bytes).toBeLessThanOrEqual(2 ** 20);
    await ask('huge', 2 ** 19);
    expect(cache.entries).toBe(3);
    cache.configure({ maxMiB: 0.5 });
    expect(cache.entries).toBe(1);
    cache.keepOnly(new Set([2]));
    expect([cache.entries, cache.bytes]).toEqual([0, 0]);
  });

  it('gives everyone a copy', async () => {
    const { cache, run } = kit();
    const answers: Tensor[][] = [];
    for (let i = 0; i < 3; i++) {
      const y = (await cache.through(1, 'a', undefined, run))[0] as Tensor;
      expect(y.data[0]).toBe(1);
      y.data[0] = 99;
      y.shape[0] = 99;
      answers.push([y]);
    }
    expect(new Set(answers.map(([y]) => y?.data)).size).toBe(3);
  });

  it('runs equal requests once while they come together, and tells hits from misses', async () => {
    const { cache, run, runs } = kit();
    const timings = [newTiming(), newTiming(), newTiming()];
    const answers = await Promise.all(timings.map((timing) => cache.through(1, 'a', { timing }, run)));
    expect(answers.map(([y]) => y?.data[0])).toEqual([1, 1, 1]);
    expect(runs()).toBe(1);
    expect(timings.map(({ cache: how, executions }) => [how, executions])).toEqual([
      ['miss', 1],
      ['hit', 0],
      ['hit', 0],
    ]);
  });

  it('keeps no error, and tells it to all who waited for it', async () => {
    const { cache, run } = kit();
    const results = await Promise.allSettled([1, 2].map(() => cache.through(1, 'a', undefined, () => Promise.reject(new Error('bad')))));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await cache.through(1, 'a', undefined, run))[0]?.data[0]).toBe(1);
  });

  it('lets those behind a client that went run for themselves, once', async () => {
    const { cache, run, runs } = kit();
    const first = cache.through(1, 'a', undefined, () => Promise.reject(unavailable('cancelled', 'gone')));
    const others = [1, 2, 3].map(() => cache.through(1, 'a', undefined, run));
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    expect((await Promise.all(others)).map(([y]) => y?.data[0])).toEqual([1, 1, 1]);
    expect(runs()).toBe(1);
  });

  it('runs nothing more for those who waited once the version is let go of', async () => {
    const model = new FakeModel();
    const policy = new EndpointPolicy();
    policy.configure({ cache: { maxMiB: 1 }, batching: { enabled: 'off' } }, 1000);
    const version = runnable(model, 'm', policy);
    const x = (v: number) => [tensor(Float32Array.of(v), [1, 1])];
    const [busy, gone] = [version.run(x(1)), new AbortController()];
    await expect.poll(() => model.open.length).toBe(1);
    const first = version.run(x(2), undefined, { signal: gone.signal });
    const second = version.run(x(2));
    const outcomes = Promise.allSettled([first, second]);
    const closed = version.close();
    await new Promise(setImmediate);
    gone.abort();
    expect((await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason.code)).toEqual(['cancelled', 'model_closed']);
    model.open[0]?.done();
    await busy;
    await closed;
    expect(model.runs).toHaveLength(1);
  });

  it('lets one who goes stop waiting for another', async () => {
    const { cache } = kit();
    const gone = new AbortController();
    void cache.through(1, 'a', undefined, () => new Promise(() => {}));
    const waiting = cache.through(1, 'a', { signal: gone.signal }, () => new Promise(() => {}));
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  });
});
