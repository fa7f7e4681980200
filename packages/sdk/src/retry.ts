const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Repeats `work` at growing distances until it resolves to 'done' or the deadline is near; a number is the seconds that the server asked to wait.
 * Resolves to whether it was done.
 */
export async function until(deadline: number, work: () => Promise<'done' | number>): Promise<boolean> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    const answer = await work();
    if (answer === 'done') return true;
    const pause = Math.max(wait, answer * 1000);
    if (Date.now() + pause >= deadline) return false;
    await sleep(pause);
  }
}

/** The seconds that an error's server asked to wait; 0 when it did not. */
export const retryAfterOf = (error: unknown): number => (error as { retryAfter?: number } | undefined)?.retryAfter ?? 0;
