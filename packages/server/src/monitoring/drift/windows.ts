/** Bucket lengths that are stored, milliseconds: five minutes, an hour, a day. */
export const LEVELS = [300_000, 3_600_000, 86_400_000] as const;
export type Level = (typeof LEVELS)[number];

const WEEK = 604_800_000;
/** 1970-01-05, the first Monday of the epoch, UTC. */
const MONDAY = 345_600_000;

/** The start of the window that holds `at`. Windows of whole weeks start on Mondays, all others are counted from the epoch; UTC throughout. */
export function windowStart(at: number, windowMs: number): number {
  const origin = windowMs % WEEK === 0 ? MONDAY : 0;
  return Math.floor((at - origin) / windowMs) * windowMs + origin;
}

/** The longest stored bucket that windows of this length are made of. */
export const levelFor = (windowMs: number): Level => LEVELS.findLast((level) => windowMs % level === 0) ?? LEVELS[0];

/** A bucket length for a chart of this span: at most about 200 points. */
export function chartBucket(spanMs: number): number {
  const steps = [300, 900, 3600, 10_800, 21_600, 86_400, 604_800, 2_419_200];
  return steps.find((seconds) => spanMs / 1000 / seconds <= 200) ?? 2_419_200;
}

/**
 * When a window's data may be judged: event time has passed its end; or, where event time follows the clock (no replay), its end is past
 * and nothing has come for a while.
 */
export function isComplete(end: number, windowMs: number, progress: { watermark: number; lastReceivedAt: number }, now: number): boolean {
  if (progress.watermark >= end) return true;
  const replayed = progress.lastReceivedAt - progress.watermark > windowMs;
  const grace = Math.min(3_600_000, Math.max(300_000, windowMs / 10));
  return !replayed && now >= end + grace && now - progress.lastReceivedAt >= grace;
}
