import { expect, it } from 'vitest';
import { collectors } from './memory-limits.ts';

it('the collector has no more threads than there are cores beside the main one, and at least one', () => {
  expect([1, 2, 3, 4].map((cores) => collectors(cores)[0])).toEqual(['--v8-pool-size=1', '--v8-pool-size=1', '--v8-pool-size=2', '--v8-pool-size=3']);
  expect(collectors(5)).toEqual([]);
  expect(collectors(64)).toEqual([]);
});
