import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { MAX_IN_FLIGHT, Share } from './share.ts';
import { Turns, unpack, UNPACKING } from './unpack.ts';

it('only so many run at a time, a failed one gives its turn back, and all come to theirs', async () => {
  const turns = new Turns(2);
  let [running, most] = [0, 0];
  const work = async (i: number): Promise<number> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    if (i === 1) throw new Error('bad');
    return i;
  };
  const all = await Promise.allSettled([0, 1, 2, 3, 4].map((i) => turns.run(() => work(i))));
  expect(most).toBe(2);
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
});

it('a small one behind many large ones waits for a turn', async () => {
  const large = gzipSync(Buffer.alloc(4_000_000));
  const done: string[] = [];
  const one = async (name: string, bytes: Buffer): Promise<void> => {
    const share = new Share();
    await unpack(bytes, 'gzip', 4_000_000, share);
    share.give();
    done.push(name);
  };
  await Promise.all([...Array.from({ length: UNPACKING }, () => one('large', large)), one('small', gzipSync('x'))]);
  expect(done).toHaveLength(UNPACKING + 1);
  expect(done[0]).toBe('large');
});

it('of many bombs at once only what fits into the memory for all is kept', async () => {
  const bomb = gzipSync(Buffer.alloc(2_000_000));
  const others = new Share();
  expect(others.take(MAX_IN_FLIGHT - 2_000_000)).toBeUndefined();
  const shares = Array.from({ length: 3 * UNPACKING }, () => new Share());
  const all = await Promise.allSettled(shares.map((share) => unpack(bomb, 'gzip', 2_000_000, share)));
  const held = all.filter(({ status }) => status === 'fulfilled');
  for (const share of [...shares, others]) share.give();
  expect(held).toHaveLength(1);
  expect(all.filter((one) => one.status === 'rejected' && one.reason.code === 'bodies_full')).toHaveLength(3 * UNPACKING - 1);
});
