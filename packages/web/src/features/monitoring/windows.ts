import type { Alarm, DriftCell, DriftReport } from '@binnacle/contract';

export type Figure = 'js' | 'ks' | 'w1n' | 'psi';
export const FIGURES: Record<Figure, string> = { js: 'JS distance', ks: 'KS', w1n: 'Wasserstein (normed)', psi: 'PSI' };

/**
 * How dark a cell is, 0 to 4, against what would count as drift: 0 to 2 lie below the bound, 3 above it, 4 above
 * twice the bound; null where nothing was measured.
 */
export function heatLevel(value: number | null, bound: number): 0 | 1 | 2 | 3 | 4 | null {
  if (value === null || !Number.isFinite(value)) return null;
  const ratio = value / (bound || 1);
  return ratio < 1 / 3 ? 0 : ratio < 2 / 3 ? 1 : ratio < 1 ? 2 : ratio < 2 ? 3 : 4;
}

/** The bound of a figure in a cell: for JS the larger of threshold and noise floor, as the alarm takes it. */
export function boundOf(cell: DriftCell, figure: Figure, thresholds: Record<Figure, number>): number {
  return figure === 'js' ? Math.max(cell.threshold ?? thresholds.js, cell.noiseFloor ?? 0) : thresholds[figure];
}

/** "7 May – 13 May 2001" for a week, "7 May 2001" for a day, with hours below. All UTC, as windows are cut. */
export function windowLabel(start: number, end: number): string {
  const day = (ms: number, year: boolean) =>
    new Date(ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', ...(year ? { year: 'numeric' } : {}), timeZone: 'UTC' });
  const length = end - start;
  if (length < 86_400_000) {
    const hour = (ms: number) => new Date(ms).toISOString().slice(11, 16);
    return `${day(start, true)} ${hour(start)}–${hour(end)} UTC`;
  }
  return length < 2 * 86_400_000 ? day(start, true) : `${day(start, false)} – ${day(end - 1, true)}`;
}

/** Alarms as marked spans of a time axis, from their first window to the end of their last. */
export function alarmBands(alarms: Alarm[], windowSeconds: number): { from: number; to: number; label: string }[] {
  return alarms.map((a) => ({ from: a.firstWindow, to: a.lastWindow + windowSeconds * 1000, label: `${a.state} alarm: ${a.message}` }));
}

/** Features with the strongest drift first; excluded ones last. */
export function orderFeatures(report: DriftReport): DriftReport['features'] {
  const worst = (f: DriftReport['features'][number]) => Math.max(-1, ...f.cells.map((c) => c.js ?? -1));
  return [...report.features].sort(
    (a, b) =>
      Number(a.excluded) - Number(b.excluded) ||
      Number(b.kind === 'prediction') - Number(a.kind === 'prediction') ||
      worst(b) - worst(a) ||
      a.name.localeCompare(b.name),
  );
}

/**
 * The span that holds most of the traffic when long silence lies between pieces of it: a replayed history and one
 * request of today would otherwise be two dots at the ends of an empty axis. Null when there is no such silence.
 * Pieces are parted by at least a third of the whole range without a prediction.
 */
export function busiestSpan(buckets: { start: number; predictions: number }[], bucketSeconds: number): { from: number; to: number; share: number } | null {
  const busy = buckets.filter((b) => b.predictions > 0);
  const first = busy[0];
  const last = busy[busy.length - 1];
  if (first === undefined || last === undefined) return null;
  const width = bucketSeconds * 1000;
  const silence = (last.start + width - first.start) / 3;
  const pieces: { from: number; to: number; predictions: number }[] = [];
  for (const bucket of busy) {
    const piece = pieces[pieces.length - 1];
    if (piece === undefined || bucket.start - piece.to > Math.max(silence, 2 * width))
      pieces.push({ from: bucket.start, to: bucket.start + width, predictions: bucket.predictions });
    else {
      piece.to = bucket.start + width;
      piece.predictions += bucket.predictions;
    }
  }
  if (pieces.length < 2) return null;
  const total = pieces.reduce((n, p) => n + p.predictions, 0);
  const best = pieces.reduce((a, b) => (b.predictions > a.predictions ? b : a));
  return { from: best.from, to: best.to, share: best.predictions / total };
}

/** More windows than these a server does not judge at once; two less than its bound, for the ends that it rounds. */
export const MOST_WINDOWS = 998;

/** A range that the server takes: its newest windows when it has too many. */
export function clampRange(from: number, to: number, windowSeconds: number): { from: number; to: number; cut: boolean } {
  const first = to - MOST_WINDOWS * windowSeconds * 1000;
  return { from: Math.max(from, first), to, cut: first > from };
}

/** From the first event to the end of the window of the last, so that the range stays the same while events of one window come in. */
export function wholeHistory(first: number | null, last: number | null, windowSeconds: number): { from: number; to: number; cut: boolean } | null {
  if (first === null || last === null) return null;
  const width = windowSeconds * 1000;
  return clampRange(first, (Math.floor(last / width) + 1) * width, windowSeconds);
}

/** Without the empty buckets before the first and after the last traffic. */
export function trimSilence<T extends { requests: number; predictions: number; errors: number }>(buckets: T[]): T[] {
  const busy = (b: T) => b.requests > 0 || b.predictions > 0 || b.errors > 0;
  const first = buckets.findIndex(busy);
  return first < 0 ? buckets : buckets.slice(Math.max(0, first - 1), buckets.findLastIndex(busy) + 2);
}
