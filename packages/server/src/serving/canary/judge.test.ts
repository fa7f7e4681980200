import { describe, expect, it } from 'vitest';
import { type Evidence, judge } from './judge.ts';

const seen = (requests: number, errors: number, latencies: number[] = Array.from({ length: requests - errors }, () => 1)): Evidence => {
  const sorted = [...latencies].sort((a, b) => a - b);
  return { requests, errors, p99Ms: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? null, slowerThan: (ms) => sorted.filter((one) => one > ms).length };
};
const champion = seen(10_000, 100);

describe('errors', () => {
  const guard = { errorRate: 0.02 };
  it('condemns a canary that fails clearly more often', () => {
    expect(judge(seen(200, 20), champion, undefined, guard)).toEqual({
      state: 'bad',
      reasons: ['10 % of its 200 requests failed, against 1 % (allowed: 2 % more)'],
    });
  });
  it('lets pass what fails as often as the others, or hardly more', () => {
    expect(judge(seen(1000, 10), champion, undefined, guard)).toEqual({ state: 'good' });
    expect(judge(seen(1000, 29), champion, undefined, guard)).toEqual({ state: 'good' });
  });
  it('waits for enough requests, unless it is beyond doubt', () => {
    expect(judge(seen(10, 1), champion, undefined, guard)).toEqual({ state: 'waiting', requests: 10, needed: 100 });
    expect(judge(seen(10, 10), champion, undefined, guard)).toMatchObject({ state: 'bad' });
    expect(judge(seen(0, 0), champion, undefined, guard)).toMatchObject({ state: 'waiting' });
    expect(judge(seen(10, 0), champion, undefined, { ...guard, minRequests: 10 })).toEqual({ state: 'good' });
  });
  it('does not blame it for what the others fail at, too', () => {
    expect(judge(seen(200, 100), seen(10_000, 5000), undefined, guard)).toEqual({ state: 'good' });
  });
});

describe('latency', () => {
  const guard = { latencyP99: 2 };
  it('condemns a canary whose tail is longer', () => {
    const slow = seen(1000, 0, [...Array.from({ length: 950 }, () => 1), ...Array.from({ length: 50 }, () => 9)]);
    expect(judge(slow, champion, undefined, guard)).toEqual({ state: 'bad', reasons: ['its p99 is 9 ms, more than 2 times 1 ms'] });
  });
  it('does not count a few slow answers of few', () => {
    const unlucky = seen(100, 0, [...Array.from({ length: 98 }, () => 1), 50, 50]);
    expect(judge(unlucky, champion, undefined, guard)).toEqual({ state: 'good' });
  });
});

describe('drift', () => {
  const guard = { driftDistance: 0.2 };
  it('condemns a distance above the bound and above the noise', () => {
    expect(judge(seen(500, 0), champion, { output: 'score', distance: 0.4, noise: 0.1 }, guard)).toMatchObject({
      state: 'bad',
      reasons: [expect.stringContaining("'score'")],
    });
  });
  it('lets pass what is below either', () => {
    expect(judge(seen(500, 0), champion, { output: 'score', distance: 0.15, noise: 0.1 }, guard)).toEqual({ state: 'good' });
    expect(judge(seen(500, 0), champion, { output: 'score', distance: 0.3, noise: 0.35 }, guard)).toEqual({ state: 'good' });
    expect(judge(seen(500, 0), champion, undefined, guard)).toEqual({ state: 'good' });
  });
});
