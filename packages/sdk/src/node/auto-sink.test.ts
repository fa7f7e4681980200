import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startRun } from './start-run.ts';

type Batch = { metrics: { key: string }[] };
/** A server that refuses, all or nothing, batches with a key that begins with `bad`. With `lost`, that request of them gets no answer. */
const picky = (lost = -1) => {
  let requests = 0;
  return (async (url: string, init: RequestInit) => {
    if (url.endsWith('/log')) {
      if (requests++ === lost) throw new TypeError('fetch failed');
      const { metrics } = JSON.parse(String(init.body)) as Batch;
      if (metrics.some(({ key }) => key.startsWith('bad'))) return Response.json({ code: 'refused', detail: 'refused' }, { status: 400 });
    }
    return Response.json({ status: 'RUNNING', artifactUri: 'mlflow-artifacts:/0/r/artifacts' });
  }) as unknown as typeof globalThis.fetch;
};
async function autoRun(fetch: typeof globalThis.fetch) {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-auto-'));
  const told: string[] = [];
  const run = await startRun({
    mode: 'auto',
    baseUrl: 'http://b',
    offline: folder,
    fetch,
    hardware: false,
    source: false,
    flushIntervalMs: 60_000,
    onError: (error) => told.push(String(error)),
  });
  return { run, told, folder };
}

test('what the server refuses is counted, however much it is', async () => {
  const { run } = await autoRun(picky());
  run.log({ good: 1, ...Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`bad${i}`, i])) }, 0);
  run.log({ bad0: 1 }, 1);
  await run.end();
  expect(run.dropped).toBe(251);
});

test('what is refused again after a lost connection counts once', async () => {
  const { run } = await autoRun(picky(4));
  run.log({ a: 1, 'bad one': 2, b: 3, c: 4 });
  await run.flush();
  await run.end();
  expect(run.dropped).toBe(1);
});

test('a run that was ended has nothing to send, and flushing it is no fault', async () => {
  const { run, told, folder } = await autoRun(picky());
  run.log({ good: 1 });
  await run.end();
  expect(readdirSync(folder)).toEqual([]);
  await run.flush();
  expect(told).toEqual([]);
});
