import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Activity } from './activity.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

it('a server with something to do may be busy, for as long as a run may take after its last answer', () => {
  const activity = new Activity(1000);
  expect(activity.mayBeBusy).toBe(false);
  vi.advanceTimersByTime(5000);
  activity.begin();
  vi.advanceTimersByTime(1000);
  activity.begin();
  expect(activity.mayBeBusy).toBe(true);
  vi.advanceTimersByTime(1);
  expect(activity.mayBeBusy).toBe(false);
  activity.end(true);
  expect(activity.mayBeBusy).toBe(true);
  vi.advanceTimersByTime(1001);
  // Given up, not answered: others still wait.
  activity.begin();
  activity.end(false);
  expect(activity.mayBeBusy).toBe(false);
  activity.end(false);
  activity.begin();
  expect(activity.mayBeBusy).toBe(true);
});
