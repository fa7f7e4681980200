import { describe, expect, it } from 'vitest';
import { LiveStats } from './stats.ts';

const T = 1_700_000_000_000;

describe('live statistics', () => {
  it('know percentiles within 7 percent', () => {
    const stats = new LiveStats(T);
    for (let i = 1; i <= 1000; i++) stats.record(T, i / 10, 2);
    const total = stats.total(T + 10_000);
    expect(total).toMatchObject({ windowSeconds: 10, requests: 1000, instances: 2000, errors: 0, requestsPerSecond: 100 });
    for (const [key, exact] of [
      ['p50Ms', 50],
      ['p95Ms', 95],
      ['p99Ms', 99],
    ] as const)
      expect(Math.abs((total[key] ?? 0) / exact - 1)).toBeLessThan(0.08);
    expect(total.meanMs).toBeCloseTo(50.05, 1);
  });

  it('count errors as requests, without a latency', () => {
    const stats = new LiveStats(T);
    stats.recordError(T);
    expect(stats.total(T)).toMatchObject({ requests: 1, errors: 1, meanMs: null, p50Ms: null });
    stats.record(T, 1, 1);
    expect(stats.total(T).p99Ms).toBeCloseTo(1, 1);
  });

  it('forget what is older than half an hour, and use its slots again', () => {
    const stats = new LiveStats(T);
    stats.record(T, 1, 1);
    expect(stats.buckets(T)).toHaveLength(1);
    expect(stats.buckets(T + 1_800_000)).toHaveLength(0);
    stats.record(T + 1_800_000, 1, 1);
    expect(stats.buckets(T + 1_800_000)).toMatchObject([{ start: T + 1_800_000, requests: 1 }]);
    expect(stats.total(T + 1_800_000).requests).toBe(2);
    expect(stats.recent(T + 1_800_000, 60).requests).toBe(1);
  });

  it('take any latency', () => {
    const stats = new LiveStats(T);
    for (const ms of [0, 1e-9, 1e9, Number.NaN]) stats.record(T, ms, 1);
    expect(stats.total(T).requests).toBe(4);
  });
});
