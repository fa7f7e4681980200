import { expect, test } from 'vitest';
import { inTurns } from './in-turns.ts';

test('no more than the given number run at once, all are tried, and the failed ones come back', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  const failed = await inTurns([...Array(20).keys()], 4, async (n) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
    if (n % 7 === 3) throw new Error(`no ${n}`);
    done.push(n);
  });
  expect(most).toBe(4);
  expect(failed.map(({ item }) => item)).toEqual([3, 10, 17]);
  expect(done).toHaveLength(17);
});
test('nothing to do is done at once', async () => {
  expect(await inTurns([], 4, async () => {})).toEqual([]);
});
