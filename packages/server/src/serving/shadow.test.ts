import { expect, it } from 'vitest';
import { MAX_SHADOW_BYTES, ShadowQueue } from './shadow.ts';

it('drops and counts copies whose inputs would hold too much memory, and has room again once some have run', async () => {
  const queue = new ShadowQueue();
  const half = MAX_SHADOW_BYTES / 2;
  let ran = 0;
  const held = Promise.withResolvers<void>();
  const task = async () => {
    await held.promise;
    ran++;
  };
  const both = [queue.push(task, half), queue.push(task, half)];
  await queue.push(task, 1);
  expect([ran, queue.dropped]).toEqual([0, 1]);
  held.resolve();
  await Promise.all(both);
  await queue.push(task, half);
  expect([ran, queue.dropped]).toEqual([3, 1]);
});
