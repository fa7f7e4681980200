/** Milliseconds without a byte after which a client is given up. */
export const STALL_MS = 30_000;

/** Bytes a second that a body has to come at on average, beside the time that it may stall: a trickle holds memory, and a place. */
const SLOWEST = 64 * 1024;

/** Milliseconds that so many bytes may take. */
export const slowestMs = (bytes: number): number => (bytes / SLOWEST) * 1000;

/** Something that has to go on: whoever moves it writes `last`. */
export interface Watched {
  /** `Date.now()` when it last moved. */
  last: number;
  stallMs: number;
  /** `Date.now()` by which it has to be through though it moves; absent: whenever. */
  until?: number | undefined;
  stalled(): void;
}

/** One watch over everything on its way, instead of a timer each. */
const watched = new Set<Watched>();
let timer: NodeJS.Timeout | undefined;

/** Calls `stalled` (again and again, until it is no longer watched) once `last` is older than `stallMs`, or `until` is past. Returns how to end the watch. */
export function watchStalls(entry: Watched): () => void {
  watched.add(entry);
  timer ??= setInterval(() => {
    const now = Date.now();
    for (const one of watched) if (now - one.last > one.stallMs || (one.until !== undefined && now > one.until)) one.stalled();
    if (watched.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  }, 1000).unref();
  return () => watched.delete(entry);
}
