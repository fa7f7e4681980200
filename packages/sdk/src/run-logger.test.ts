import { describe, expect, test } from 'vitest';
import { startRun } from './run-logger.ts';

/** A server that remembers what it was sent and fails as told, by itself or by a proxy before it. */
function server(failures: { times: number; status: number; proxy?: string }) {
  const seen: { path: string; method: string; body: { metrics?: { value: unknown; step: number }[]; status?: string } }[] = [];
  const fetch = (async (url: string, init: RequestInit) => {
    const path = new URL(url).pathname;
    if (path.endsWith('/log') && failures.times-- > 0)
      return failures.status === 0
        ? Promise.reject(new TypeError('fetch failed'))
        : new Response(failures.proxy ?? JSON.stringify({ code: 'refused', detail: 'no' }), { status: failures.status });
    seen.push({ path, method: init.method ?? 'GET', body: JSON.parse(String(init.body)) });
    return Response.json(path.endsWith('/runs') ? { id: 'r1' } : {});
  }) as unknown as typeof globalThis.fetch;
  return { seen, fetch };
}
const logged = (seen: ReturnType<typeof server>['seen']) => seen.filter(({ path }) => path.endsWith('/log')).flatMap(({ body }) => body.metrics ?? []);

test('the end of the scope sends the rest and finishes the run', async () => {
  const { seen, fetch } = server({ times: 0, status: 0 });
  {
    await using run = await startRun({ baseUrl: 'http://b', fetch });
    for (let step = 0; step < 3; step++) run.log({ loss: 1 / (step + 1) });
    run.log({ loss: Number.NaN });
  }
  expect(logged(seen).map((p) => [p.step, p.value])).toEqual([
    [0, 1],
    [1, 0.5],
    [2, 1 / 3],
    [3, 'NaN'],
  ]);
  expect(seen.at(-1)?.body).toMatchObject({ status: 'FINISHED' });
});

test('a server that does not answer loses nothing once it is back, in order', async () => {
  const { seen, fetch } = server({ times: 2, status: 0 });
  const errors: unknown[] = [];
  const run = await startRun({ baseUrl: 'http://b', fetch, onError: (e) => errors.push(e) });
  run.log({ a: 1 });
  await run.flush();
  run.log({ a: 2 });
  await run.flush();
  await run.end();
  expect(logged(seen).map((p) => p.value)).toEqual([1, 2]);
  expect(errors).toHaveLength(2);
  expect(run.dropped).toBe(0);
});

test('a request that gets no answer is given up and sent again', async () => {
  let hung = 0;
  const { seen, fetch } = server({ times: 0, status: 0 });
  const hanging = ((url: string, init: RequestInit) =>
    url.endsWith('/log') && hung++ < 1
      ? new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)))
      : fetch(url, init)) as typeof globalThis.fetch;
  const run = await startRun({ baseUrl: 'http://b', fetch: hanging, requestTimeoutMs: 20, onError: () => {} });
  run.log({ a: 1 });
  await run.end();
  expect(logged(seen).map((p) => p.value)).toEqual([1]);
});

describe('the end', () => {
  test('goes on trying while the server is away, and loses nothing', async () => {
    const { seen, fetch } = server({ times: 3, status: 503 });
    const run = await startRun({ baseUrl: 'http://b', fetch, onError: () => {} });
    run.log({ a: 1 });
    run.params({ lr: 0.1 });
    await run.end();
    expect(logged(seen).map((p) => p.value)).toEqual([1]);
    expect(seen.at(-1)?.body).toMatchObject({ status: 'FINISHED' });
    expect(run.dropped).toBe(0);
  });

  test('tries again to end the run itself', async () => {
    let away = 2;
    const { seen, fetch } = server({ times: 0, status: 0 });
    const flaky = ((url: string, init: RequestInit) =>
      init.method === 'PATCH' && away-- > 0 ? Promise.reject(new TypeError('fetch failed')) : fetch(url, init)) as typeof globalThis.fetch;
    const run = await startRun({ baseUrl: 'http://b', fetch: flaky, onError: () => {} });
    await run.end('KILLED');
    expect(seen.at(-1)?.body).toMatchObject({ status: 'KILLED' });
  });

  test('gives up at its deadline, counts what is lost and says so', async () => {
    const { fetch } = server({ times: 1000, status: 0 });
    const told: string[] = [];
    const run = await startRun({ baseUrl: 'http://b', fetch, endTimeoutMs: 600, onError: (e) => told.push((e as Error).message) });
    run.log({ a: 1, b: 2 });
    run.tags({ team: 'x' });
    const from = Date.now();
    await run.end();
    expect(Date.now() - from).toBeLessThan(3000);
    expect(run.dropped).toBe(3);
    expect(told.join()).toContain('3 values were not taken within 600 ms');
  });

  test('never throws, whatever is thrown at it', async () => {
    const { fetch } = server({ times: 1000, status: 0 });
    const run = await startRun({
      baseUrl: 'http://b',
      fetch,
      endTimeoutMs: 50,
      onError: () => {
        throw new Error('mine');
      },
    });
    run.log({ a: 1 });
    await expect(run.end()).resolves.toBeUndefined();
  });
});

describe('one bad value among many', () => {
  type Body = { metrics: { key: string; value: unknown }[]; params: Record<string, string>; tags: Record<string, string> };
  /** A server that refuses, all or nothing, a batch with the key `bad` or another value of the param `lr`; with `offlineAt`, that request gets no answer. */
  const picky = (offlineAt = -1) => {
    const taken: Body = { metrics: [], params: { lr: '0.1' }, tags: {} };
    let requests = 0;
    const fetch = (async (url: string, init: RequestInit) => {
      if (!url.endsWith('/log')) return Response.json({ id: 'r1' });
      if (requests++ === offlineAt) throw new TypeError('fetch failed');
      const body = JSON.parse(String(init.body)) as Body;
      const wrong = body.metrics.some((m) => m.key.startsWith('bad')) || ('lr' in body.params && body.params['lr'] !== '0.1');
      if (wrong) return Response.json({ code: 'refused', detail: 'refused' }, { status: 400 });
      taken.metrics.push(...body.metrics);
      Object.assign(taken.params, body.params);
      Object.assign(taken.tags, body.tags);
      return Response.json({});
    }) as unknown as typeof globalThis.fetch;
    return { taken, fetch, requests: () => requests };
  };

  test('loses itself alone: the other keys, params and tags are logged', async () => {
    const { taken, fetch, requests } = picky();
    const errors: unknown[] = [];
    const run = await startRun({ baseUrl: 'http://b', fetch, onError: (e) => errors.push(e), flushIntervalMs: 60_000 });
    for (let step = 0; step < 4; step++) run.log(Object.fromEntries([...Array.from({ length: 500 }, (_, i) => [`k${i}`, step]), ['bad key', step]]), step);
    run.params({ lr: 0.2, depth: 3 });
    run.tags({ team: 'x' });
    await run.end();
    expect(taken.metrics).toHaveLength(2000);
    expect([taken.params, taken.tags]).toEqual([{ lr: '0.1', depth: '3' }, { team: 'x' }]);
    expect(run.dropped).toBe(4 + 1);
    expect(errors).toHaveLength(2);
    // By halves, not one by one.
    expect(requests()).toBeLessThan(40);
  });

  test('is sorted out over a lost connection too, and nothing is logged twice', async () => {
    const { taken, fetch } = picky(3);
    const run = await startRun({ baseUrl: 'http://b', fetch, onError: () => {}, flushIntervalMs: 60_000 });
    run.log({ a: 1, b: 2, 'bad one': 3, c: 4, d: 5 });
    run.params({ depth: 3 });
    await run.end();
    expect(taken.metrics.map((m) => m.key).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(taken.params).toEqual({ lr: '0.1', depth: '3' });
    expect(run.dropped).toBe(1);
  });
});

test('a run that was deleted is not asked about a thousand times', async () => {
  const { fetch, seen } = server({ times: 1000, status: 404 });
  const run = await startRun({ baseUrl: 'http://b', fetch, onError: () => {}, flushIntervalMs: 60_000 });
  run.log(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, 1])));
  await run.end();
  expect(run.dropped).toBe(1000);
  expect(seen.filter(({ path }) => path.endsWith('/log'))).toEqual([]);
});

test('what the server refuses for good is dropped, counted and told, and does not block the rest', async () => {
  const { seen, fetch } = server({ times: 1, status: 400 });
  const run = await startRun({ baseUrl: 'http://b', fetch, onError: () => {} });
  run.log({ bad: 1 });
  await run.flush();
  run.log({ good: 2 });
  await run.end();
  expect(run.dropped).toBe(1);
  expect(logged(seen).map((p) => p.value)).toEqual([2]);
});

describe('a proxy before the server', () => {
  test.each([
    [404, '<html>404 page not found</html>'],
    [404, 'default backend - 404'],
    [404, '{"detail":"Not Found"}'],
    [400, '{"message":"no Route matched with those values"}'],
  ])('that answers %i by itself (%s) loses nothing once it finds the way again', async (status, proxy) => {
    const { seen, fetch } = server({ times: 2, status, proxy });
    const run = await startRun({ baseUrl: 'http://b', fetch, onError: () => {}, flushIntervalMs: 60_000 });
    run.log({ a: 1 });
    run.params({ lr: 0.1 });
    await run.end();
    expect(logged(seen).map((p) => p.value)).toEqual([1]);
    expect(seen.at(-1)?.body).toMatchObject({ status: 'FINISHED' });
    expect(run.dropped).toBe(0);
  });

  test('that takes smaller requests than the server gets smaller ones', async () => {
    const { seen, fetch } = server({ times: 0, status: 0 });
    const small = ((url: string, init: RequestInit) =>
      String(init.body).length > 2000
        ? Promise.resolve(new Response('<h1>413 Request Entity Too Large</h1>', { status: 413 }))
        : fetch(url, init)) as typeof globalThis.fetch;
    const run = await startRun({ baseUrl: 'http://b', fetch: small, onError: () => {}, flushIntervalMs: 60_000 });
    for (let step = 0; step < 500; step++) run.log({ a: step });
    await run.end();
    expect(logged(seen).map((p) => p.value)).toEqual(Array.from({ length: 500 }, (_, step) => step));
    expect(run.dropped).toBe(0);
  });
});

test('the buffer is bounded', async () => {
  const { fetch } = server({ times: 1000, status: 0 });
  const run = await startRun({ baseUrl: 'http://b', fetch, maxBuffered: 10, endTimeoutMs: 50, onError: () => {} });
  for (let i = 0; i < 25; i++) run.log({ a: i });
  expect(run.dropped).toBe(15);
  await run.end('KILLED');
});

describe('what is no plain number', () => {
  type Body = Record<string, { key: string; step: number; value?: unknown }[]>;
  /** A server that takes uploads and logs in order, and refuses strings that say so. */
  const recording = () => {
    const calls: { method: string; path: string; body: unknown }[] = [];
    const fetch = (async (url: string, init: RequestInit) => {
      const path = new URL(url).pathname;
      const body = init.body instanceof Blob ? await init.body.text() : JSON.parse(String(init.body));
      if (JSON.stringify(body).includes('refuse me')) return Response.json({ code: 'refused', detail: 'refused' }, { status: 400 });
      calls.push({ method: init.method ?? 'GET', path, body });
      return Response.json(path.endsWith('/runs') ? { id: 'r1', artifactUri: 'mlflow-artifacts:/7/r1/artifacts' } : {});
    }) as unknown as typeof globalThis.fetch;
    return { calls, fetch, of: (list: string) => calls.filter(({ path }) => path.endsWith('/log')).flatMap(({ body }) => (body as Body)[list] ?? []) };
  };
  const start = (fetch: typeof globalThis.fetch, more = {}) => startRun({ baseUrl: 'http://b', fetch, flushIntervalMs: 60_000, onError: () => {}, ...more });

  test('strings, histograms and numbers go by one count of steps, whole or not', async () => {
    const { fetch, of } = recording();
    const run = await start(fetch);
    run.log({ loss: 1 }, 0.5);
    run.strings({ sample: 'once upon' });
    run.histograms({ weights: new Float32Array([1, 2, 3]), ready: { edges: [0, 1], counts: [4] } }, 2.25);
    await run.end();
    expect(of('metrics')).toMatchObject([{ key: 'loss', step: 0.5, value: 1 }]);
    expect(of('strings')).toMatchObject([{ key: 'sample', step: 1, value: 'once upon' }]);
    expect(of('histograms')).toMatchObject([
      { key: 'weights', step: 2.25 },
      { key: 'ready', step: 2.25, edges: [0, 1], counts: [4] },
    ]);
  });

  test('a file is stored before the entry that refers to it', async () => {
    const { calls, fetch, of } = recording();
    const run = await start(fetch);
    run.files({ picture: { path: 'pictures/a b.txt', content: 'bytes' } }, 3);
    await run.end();
    expect(of('files')).toMatchObject([{ key: 'picture', path: 'pictures/a b.txt', step: 3 }]);
    expect(calls.map(({ method, path }) => `${method} ${path.replace(/.*v1/, '')}`)).toEqual([
      'POST /runs',
      'PUT /api/2.0/mlflow-artifacts/artifacts/7/r1/artifacts/pictures/a%20b.txt',
      'POST /runs/r1/log',
      'PATCH /runs/r1',
    ]);
    expect(calls[1]?.body).toBe('bytes');
  });

  test('one bad string of a series loses itself alone', async () => {
    const { fetch, of } = recording();
    const run = await start(fetch);
    for (let step = 0; step < 9; step++) run.strings({ sample: step === 4 ? 'refuse me' : `text ${step}` }, step);
    await run.end();
    expect(of('strings').map(({ step }) => step)).toEqual([0, 1, 2, 3, 5, 6, 7, 8]);
    expect(run.dropped).toBe(1);
  });

  test('long strings go in several requests', async () => {
    const { calls, fetch, of } = recording();
    const run = await start(fetch);
    const long = 'x'.repeat(1024 * 1024);
    for (let step = 0; step < 10; step++) run.strings({ sample: long }, step);
    await run.end();
    expect(of('strings')).toHaveLength(10);
    for (const { body } of calls) expect(JSON.stringify(body).length).toBeLessThan(8 * 1024 * 1024);
  });

  test('a path that leaves its folder, a step that is no number, and what comes after the end are told and counted', async () => {
    const { calls, fetch } = recording();
    const told: string[] = [];
    const run = await start(fetch, { onError: (error: Error) => told.push(error.message) });
    await run.artifact('../etc/passwd', 'x');
    run.log({ a: 1 }, Number.NaN);
    run.log({ a: undefined as unknown as number });
    await run.end();
    run.log({ late: 1 });
    await run.artifact('late.txt', 'x');
    expect(run.dropped).toBe(5);
    expect(told.join('\n')).toMatch(/cannot be the path[^]*finite number[^]*not undefined[^]*has ended[^]*has ended/);
    expect(calls.filter(({ method }) => method === 'PUT')).toEqual([]);
  });
});
