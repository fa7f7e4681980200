import { sameTail } from '../rows.ts';
import type { RequestQueue } from './request-queue.ts';
import type { Waiting } from './waiting.ts';

export interface FormingOptions {
  /** Rows of one run at most. */
  maxRows: number;
  /** Requests of one run at most. */
  maxRequests: number;
  /** Ascending; empty: any size is as good. */
  preferredRows: readonly number[];
  /** How long a request waits for others, milliseconds. */
  delayMs: number;
  /** Runs that could begin now; rows are shared out among them, in parts of at least `worthRows`. */
  places: number;
  worthRows: number;
}

/** Requests that are looked at for one batch: the search for fitting ones behind unfitting ones must end. */
const MAX_LOOK = 4096;
/** A batch leaves so long before a request in it would have waited too long, milliseconds: what a timer may be late. */
const TIMER_SLACK_MS = 2;

/** The next batch: the first request of the queue and those that can run with it; or the moment until which it may wait for more. */
export function formBatch(queue: RequestQueue, now: number, options: FormingOptions): Waiting[] | number {
  const { maxRows, maxRequests, preferredRows, places, worthRows } = options;
  const group: Waiting[] = [];
  const largest = preferredRows.length === 0 ? maxRows : Math.min(maxRows, preferredRows.at(-1) as number);
  let rows = 0;
  let preferred = 0;
  let full = false;
  let looked = 0;
  let leaveAt = Number.POSITIVE_INFINITY;
  queue.scan((waiting) => {
    const head = group[0];
    if (head !== undefined) {
      if (head.rows === 0 || ++looked > MAX_LOOK) return false;
      if (waiting.rows === 0 || !sameOutputs(waiting.outputs, head.outputs) || !sameTail(waiting.inputs, head.inputs)) return true;
      if (rows + waiting.rows > maxRows || group.length >= maxRequests) {
        full = true;
        return false;
      }
    }
    group.push(waiting);
    rows += waiting.rows;
    leaveAt = Math.min(leaveAt, waiting.since + options.delayMs, waiting.deadline - TIMER_SLACK_MS);
    if (preferredRows.includes(rows)) preferred = group.length;
    full = rows >= largest;
    // Behind the largest preferred size nothing better can come.
    return !full;
  });
  if (group[0]?.rows === 0) return group;
  if (!full && now < leaveAt) return leaveAt;
  if (preferredRows.length > 0) return preferred > 0 ? group.slice(0, preferred) : group;
  return places > 1 && Number.isFinite(places) ? share(group, Math.max(worthRows, Math.ceil(rows / places))) : group;
}

/** The first requests, up to so many rows. */
function share(group: Waiting[], most: number): Waiting[] {
  let rows = 0;
  for (const [i, waiting] of group.entries()) {
    if (i > 0 && rows + waiting.rows > most) return group.slice(0, i);
    rows += waiting.rows;
  }
  return group;
}

function sameOutputs(a: string[], b: string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
