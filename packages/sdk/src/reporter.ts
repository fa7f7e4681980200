/** A run with thousands of refused keys must not fill a terminal. */
const MOST_WARNINGS = 20;

/** Tells of what went wrong; never throws. */
export interface Reporter {
  /** `reason`: told once on the console; `what` follows "run …", `then` says what becomes of it. */
  (reason: string, error: unknown, what: string, then: string): void;
}

/** Tells once about each reason on the console, or every time the one who asked to be told. */
export function reporter(runId: string, onError: ((error: unknown) => void) | undefined): Reporter {
  const warned = new Set<string>();
  return (reason, error, what, then) => {
    if (onError !== undefined) {
      try {
        onError(error);
      } catch {
        // A logger never throws into a training, and neither does what it calls.
      }
      return;
    }
    if (warned.has(reason) || warned.size >= MOST_WARNINGS) return;
    warned.add(reason);
    globalThis.console?.warn(
      `binnacle: run ${runId}${what.startsWith(':') ? '' : ' '}${what} (${error instanceof Error ? error.message : String(error)}); ${then}`,
    );
  };
}
