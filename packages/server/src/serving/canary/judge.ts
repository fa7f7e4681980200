import type { CanaryGuard } from '@binnacle/contract';

/** What a target of the traffic has done in the window that is compared. */
export interface Evidence {
  requests: number;
  errors: number;
  /** Milliseconds; null without an answer. */
  p99Ms: number | null;
  /** Answers slower than so many milliseconds. */
  slowerThan(ms: number): number;
}

/** The largest distance of an output's recent values from the others', and what chance alone would give at most (99 %). */
export interface Drift {
  output: string;
  distance: number;
  noise: number;
}

export type Verdict = { state: 'waiting'; requests: number; needed: number } | { state: 'good' } | { state: 'bad'; reasons: string[] };

export const MIN_REQUESTS = 100;
/** One-sided 99 %: a canary must not fall to chance, nor the one user who sent nonsense. */
const Z99 = 2.326;
/** What of all answers lies beyond a p99. */
const TAIL = 0.01;

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;

/** Judges a canary beside the target that has most of the traffic. A difference counts when it is above the guard's bound and no accident. */
export function judge(canary: Evidence, champion: Evidence, drift: Drift | undefined, guard: CanaryGuard): Verdict {
  const needed = guard.minRequests ?? MIN_REQUESTS;
  // Failures alone may condemn it sooner: a canary that answers nothing would never have answered enough.
  const reasons = [errorReason(canary, champion, guard, canary.requests < needed)].filter((reason) => reason !== undefined);
  if (canary.requests < needed && reasons.length === 0) return { state: 'waiting', requests: canary.requests, needed };
  if (canary.requests >= needed) reasons.push(...[latencyReason(canary, champion, guard), driftReason(drift, guard)].filter((reason) => reason !== undefined));
  return reasons.length === 0 ? { state: 'good' } : { state: 'bad', reasons };
}

function errorReason(canary: Evidence, champion: Evidence, { errorRate }: CanaryGuard, early: boolean): string | undefined {
  if (errorRate === undefined || canary.requests === 0) return undefined;
  const mine = canary.errors / canary.requests;
  const theirs = champion.requests === 0 ? 0 : champion.errors / champion.requests;
  if (mine - theirs <= errorRate) return undefined;
  // Wilson's lower bound of the canary's share (https://doi.org/10.1080/01621459.1927.10502953), which holds for few requests, too.
  const n = canary.requests;
  const square = (Z99 * Z99) / n;
  const low = (mine + square / 2 - Z99 * Math.sqrt((mine * (1 - mine)) / n + square / (4 * n))) / (1 + square);
  if (low <= theirs + (early ? errorRate : 0)) return undefined;
  return `${percent(mine)} of its ${n} requests failed, against ${percent(theirs)} (allowed: ${percent(errorRate)} more)`;
}

function latencyReason(canary: Evidence, champion: Evidence, { latencyP99 }: CanaryGuard): string | undefined {
  if (latencyP99 === undefined || canary.p99Ms === null || champion.p99Ms === null || champion.p99Ms === 0) return undefined;
  const bound = champion.p99Ms * latencyP99;
  if (canary.p99Ms <= bound) return undefined;
  // Of a hundred answers the slowest is the p99: so many beyond the bound must not be luck.
  const answered = canary.requests - canary.errors;
  const expected = answered * TAIL;
  if (canary.slowerThan(bound) <= expected + Z99 * Math.sqrt(expected * (1 - TAIL))) return undefined;
  return `its p99 is ${canary.p99Ms} ms, more than ${latencyP99} times ${champion.p99Ms} ms`;
}

function driftReason(drift: Drift | undefined, { driftDistance }: CanaryGuard): string | undefined {
  if (driftDistance === undefined || drift === undefined || drift.distance <= Math.max(driftDistance, drift.noise)) return undefined;
  return `its output '${drift.output}' is distributed otherwise: Jensen-Shannon distance ${drift.distance.toFixed(3)} (allowed: ${driftDistance})`;
}
