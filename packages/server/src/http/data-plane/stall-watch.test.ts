import { afterEach, expect, it, vi } from 'vitest';
import { watchStalls } from './stall-watch.ts';

afterEach(() => vi.useRealTimers());

it('what moves but is too slow as a whole is given up, and what has no such limit is not', () => {
  vi.useFakeTimers();
  const begun = Date.now();
  const ended: string[] = [];
  const entry = (name: string, until?: number) => ({ last: begun, stallMs: 3000, ...(until === undefined ? {} : { until }), stalled: () => ended.push(name) });
  const [slow, free] = [entry('slow', begun + 5000), entry('free')];
  const unwatch = [slow, free].map((one) =>
    watchStalls({
      ...one,
      get last() {
        return Date.now();
      },
    }),
  );
  vi.advanceTimersByTime(4500);
  expect(ended).toEqual([]);
  vi.advanceTimersByTime(2000);
  for (const end of unwatch) end();
  expect(ended).toEqual(['slow']);
});
