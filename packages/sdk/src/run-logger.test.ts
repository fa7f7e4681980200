import { expect, test } from 'vitest';
import { startRun } from './run-logger.ts';

/** A server that remembers what it was sent and fails as told. */
function server(failures: { times: number; status: number }) {
  const seen: { path: string; method: string; body: { metrics?: { value: unknown; step: number }[]; status?: string } }[] = [];
  const fetch = (async (url: string, init: RequestInit) => {
    const path = new URL(url).pathname;
    if (path.endsWith('/log') && failures.times-- > 0)
      return failures.status === 0 ? Promise.reject(new TypeError('fetch failed')) : Response.json({ detail: 'no' }, { status: failures.status });
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

test('the buffer is bounded', async () => {
  const { fetch } = server({ times: 1000, status: 0 });
  const run = await startRun({ baseUrl: 'http://b', fetch, maxBuffered: 10, onError: () => {} });
  for (let i = 0; i < 25; i++) run.log({ a: i });
  expect(run.dropped).toBe(15);
  await run.end('KILLED');
});
