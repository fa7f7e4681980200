import { expect, it } from 'vitest';
import { Waiters } from './waiters.ts';

it('what has ended already answers at once and leaves no waiter, as does a look that fails', async () => {
  const waiters = new Waiters();
  expect(await waiters.until('a', async () => 'ended')).toBe('ended');
  await expect(waiters.until('a', () => Promise.reject(new Error('no such job')))).rejects.toThrow('no such job');
  expect(waiters.size).toBe(0);
});

it('everybody who waits is woken, and what ends during the look is not missed', async () => {
  const waiters = new Waiters();
  let ended = false;
  const look = async () => {
    const seen = ended ? true : undefined;
    if (!ended) {
      ended = true;
      waiters.wake('a');
    }
    return seen;
  };
  expect(await Promise.all([waiters.until('a', look), waiters.until('a', look)])).toEqual([true, true]);
  expect(waiters.size).toBe(0);
});
