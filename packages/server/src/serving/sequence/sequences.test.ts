import { expect, it } from 'vitest';
import type { Tensor } from '../tensor.ts';
import { Sequences } from './sequences.ts';

const HOUR_MS = 3_600_000;
const call = (id: bigint, end: boolean, signal?: AbortSignal) => ({ sequence: { id, start: true, end }, signal });

/** One slot, which a sequence holds until `release` is called. */
function kit() {
  const sequences = new Sequences({ model: 'm', slots: 1, idleMs: HOUR_MS });
  const { promise, resolve } = Promise.withResolvers<Tensor[]>();
  const first = sequences.submit(call(1n, true), () => promise);
  return {
    sequences,
    async release(): Promise<void> {
      resolve([]);
      await first;
    },
  };
}

it.each([
  ['of one request', true],
  ['that would go on', false],
])('forgets cancelled sequences %s that never had a slot, however many', async (_, end) => {
  const { sequences, release } = kit();
  const gone = Array.from({ length: 6000 }, () => new AbortController());
  const dead = gone.map(({ signal }, i) => sequences.submit(call(BigInt(i + 2), end, signal), async () => []));
  const settled = Promise.allSettled(dead);
  for (const each of gone) each.abort();
  expect((await settled).every(({ status }) => status === 'rejected')).toBe(true);
  expect(sequences.counts).toEqual({ active: 1, waiting: 0 });
  const last = sequences.submit(call(2n, true), async () => []);
  expect(sequences.counts).toEqual({ active: 1, waiting: 1 });
  await release();
  expect(await last).toEqual([]);
  sequences.close();
});

it('keeps a sequence of which another request still waits', async () => {
  const { sequences, release } = kit();
  const gone = new AbortController();
  const stays = sequences.submit(call(2n, false), async () => []);
  const second = sequences.submit({ sequence: { id: 2n, start: false, end: true }, signal: gone.signal }, async () => []);
  gone.abort();
  await expect(second).rejects.toMatchObject({ code: 'cancelled' });
  expect(sequences.counts.waiting).toBe(1);
  await release();
  expect(await stays).toEqual([]);
  expect(sequences.counts).toEqual({ active: 0, waiting: 0 });
});
