import { setTimeout as sleep } from 'node:timers/promises';
import { BinnacleError, conflict, unavailable } from '../../../kernel/index.ts';

/** A connection of its own, by whose locks a process says that it uses a database; the server lets go of them when the process dies. */
export interface PresenceSession {
  /** False when somebody is there who excludes it: anybody, for one that wants to be alone; one that is alone, for all others. */
  enter(alone: boolean): Promise<boolean>;
  /** Takes what only one process may have, unless another has it. Taken again by the one that has it, it stays with it. */
  lease(name: string): Promise<boolean>;
  /** Settles when the connection is gone. */
  ended: Promise<void>;
  close(): Promise<void>;
}

export interface Presence {
  /** Whether this process is the one that has it, now. Throws `unavailable` while the connection is gone. */
  lease(name: string): Promise<boolean>;
  /** Why nothing may be written now: the connection broke, and when it was made again somebody had the database alone. */
  readonly refusal: BinnacleError | undefined;
  /** Of one that entered alone: throws `unavailable` unless it has been alone all the time since. */
  stillAlone(): Promise<void>;
  close(): Promise<void>;
}

/** A process that was killed is there until the server has noticed. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 250;
/** Between two tries to be there again, after the connection broke. */
const RETURN_MS = 2000;
const MOVED = 'database_being_moved';

/** Enters, and comes back whenever the connection breaks, until it is closed. */
export async function enter(open: () => Promise<PresenceSession>, how: 'beside others' | 'alone', place: string): Promise<Presence> {
  let session: PresenceSession | undefined = await admitted(open, how === 'alone', place);
  const closing = new AbortController();
  const leases = new Set<string>();
  let refusal: BinnacleError | undefined;
  let broken = false;
  const follow = async () => {
    while (!closing.signal.aborted) {
      await session?.ended;
      session = undefined;
      broken = true;
      if (closing.signal.aborted) return;
      session = await admitted(open, how === 'alone', place, 0).catch((error: unknown) => {
        if (error instanceof BinnacleError && error.code === MOVED) refusal = unavailable(MOVED, error.message, { retryAfterSeconds: 30 });
        return undefined;
      });
      if (session !== undefined) refusal = undefined;
      // What it had it keeps, unless another has it by now.
      for (const name of leases) await session?.lease(name).catch(() => false);
      if (session === undefined) await sleep(RETURN_MS, undefined, { ref: false, signal: closing.signal }).catch(() => {});
    }
    await session?.close().catch(() => {});
  };
  void follow();
  return {
    async lease(name) {
      const got = await session?.lease(name).catch(() => undefined);
      if (got === true) leases.add(name);
      if (got === false) leases.delete(name);
      if (got !== undefined) return got;
      throw unavailable('database_unreachable', `The connection to ${place} is gone and being made again. Try again.`, { retryAfterSeconds: 2 });
    },
    get refusal() {
      return refusal;
    },
    async stillAlone() {
      // Asked on the connection itself: it may be gone without our having heard.
      if (!broken && (await session?.enter(true).catch(() => false)) === true) return;
      throw unavailable(
        'migration_disturbed',
        `The connection that kept others away from ${place} broke, and somebody may have written there meanwhile. See that no server uses it, and run this again: it goes on, and compares all anew.`,
      );
    },
    async close() {
      closing.abort();
      await session?.close().catch(() => {});
    },
  };
}

async function admitted(open: () => Promise<PresenceSession>, alone: boolean, place: string, patienceMs = PATIENCE_MS): Promise<PresenceSession> {
  const session = await open();
  try {
    for (const end = Date.now() + patienceMs; !(await session.enter(alone)); await sleep(RETRY_MS)) if (Date.now() >= end) throw inTheWay(alone, place);
    return session;
  } catch (error) {
    await session.close().catch(() => {});
    throw error;
  }
}

const inTheWay = (alone: boolean, place: string): BinnacleError =>
  alone
    ? conflict(
        'database_in_use',
        `A Binnacle is working on ${place}. Stop every server and command that uses it, and run this again: what they write meanwhile would be lost.`,
      )
    : conflict(MOVED, `The database ${place} is being moved by binnacle migrate. Wait for its end; it says how to start on the new one.`);
