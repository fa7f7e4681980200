import type { Batching, QueuePolicy } from '@binnacle/contract';
import { type BinnacleError, exhausted } from '../../kernel/index.ts';
import type { RunCall } from '../model-runtime.port.ts';
import type { Waiting } from './waiting.ts';

/** Holes in a list before it is closed up. */
const MAX_HOLES = 256;

/** One priority: in the order of arrival, those whose time is over (where the policy delays them) behind. */
class Level {
  policy: QueuePolicy;
  list: Waiting[] = [];
  head = 0;
  late: Waiting[] = [];
  size = 0;

  constructor(policy: QueuePolicy) {
    this.policy = policy;
  }

  close(): void {
    while (this.head < this.list.length && this.list[this.head]?.state !== 'waiting') this.head++;
    if (this.size === 0) {
      this.list = [];
      this.late = [];
      this.head = 0;
    } else if (this.list.length + this.late.length - this.head > this.size + MAX_HOLES || this.head > 4096) {
      this.list = this.list.filter(({ state }) => state === 'waiting');
      this.late = this.late.filter(({ state }) => state === 'waiting');
      this.head = 0;
    }
  }
}

export type QueueOptions = Pick<Batching, 'priorityLevels' | 'defaultPriority' | 'defaultQueuePolicy' | 'priorityQueuePolicies'>;

/** Requests that wait, by priority and then by arrival, with the limits and time-outs of their level (Triton's ModelQueuePolicy). */
export class RequestQueue {
  #levels: Level[] = [];
  #levelOf = new WeakMap<Waiting, Level>();
  #default = 0;
  size = 0;
  /** The first moment at which somebody's time is over; Infinity: nobody's. It may be too early, never too late. */
  nextDeadline = Number.POSITIVE_INFINITY;

  constructor(options: QueueOptions) {
    this.#levels = levelsOf(options);
    this.#default = defaultOf(options);
  }

  /** New rules for those who come; those who wait keep their order, their deadlines and, as far as it exists, their level. */
  configure(options: QueueOptions): void {
    const before = this.#levels;
    this.#levels = levelsOf(options);
    this.#default = defaultOf(options);
    for (const [i, old] of before.entries()) {
      const level = this.#levels[Math.min(i, this.#levels.length - 1)] as Level;
      for (const [from, to] of [
        [old.list, level.list],
        [old.late, level.late],
      ] as const)
        for (const waiting of from) {
          if (waiting.state !== 'waiting') continue;
          to.push(waiting);
          level.size++;
          if (this.#levels.length > 1) this.#levelOf.set(waiting, level);
        }
    }
  }

  /** Sets the deadline and queues it; returns the refusal when there is no room at its level. */
  add(waiting: Waiting): BinnacleError | undefined {
    const level = this.#levelFor(waiting.call);
    const { maxQueueSize, defaultTimeoutMicros, allowTimeoutOverride } = level.policy;
    if (maxQueueSize !== undefined && maxQueueSize > 0 && level.size >= maxQueueSize) return queueFull(maxQueueSize);
    let timeout = defaultTimeoutMicros ?? 0;
    const asked = waiting.call?.timeoutMicros ?? 0;
    if (asked > 0 && allowTimeoutOverride !== false && (timeout === 0 || asked < timeout)) timeout = asked;
    if (timeout > 0) {
      waiting.deadline = waiting.since + timeout / 1000;
      if (waiting.deadline < this.nextDeadline) this.nextDeadline = waiting.deadline;
    }
    level.list.push(waiting);
    level.size++;
    this.size++;
    if (this.#levels.length > 1) this.#levelOf.set(waiting, level);
    return undefined;
  }

  #levelFor(call: RunCall | undefined): Level {
    const levels = this.#levels;
    if (levels.length === 1) return levels[0] as Level;
    const asked = call?.priority ?? 0;
    return levels[(asked >= 1 && asked <= levels.length ? asked : this.#default) - 1] as Level;
  }

  /** Those who wait, first come first of the highest priority, until `visit` returns false. */
  scan(visit: (waiting: Waiting) => boolean): void {
    for (const level of this.#levels) {
      if (level.size === 0) continue;
      for (let i = level.head; i < level.list.length; i++) {
        const waiting = level.list[i] as Waiting;
        if (waiting.state === 'waiting' && !visit(waiting)) return;
      }
      for (const waiting of level.late) if (waiting.state === 'waiting' && !visit(waiting)) return;
    }
  }

  /** Leaves the queue, to be run or because nobody wants it any more. */
  leave(waiting: Waiting, state: 'taken' | 'gone'): void {
    waiting.state = state;
    const level = this.#levels.length === 1 ? (this.#levels[0] as Level) : (this.#levelOf.get(waiting) as Level);
    level.size--;
    this.size--;
    level.close();
  }

  /** Back at the head of its level: it had been taken, and must run again. */
  putBack(group: readonly Waiting[]): void {
    const back = new Set(group);
    for (const level of this.#levels) {
      // They may still lie there as holes.
      level.list = level.list.slice(level.head).filter((waiting) => !back.has(waiting));
      level.late = level.late.filter((waiting) => !back.has(waiting));
      level.head = 0;
    }
    for (const waiting of group.toReversed()) {
      const before = this.#levelOf.get(waiting);
      // While it was away `configure` may have replaced its level, and nobody looks into the old one any more.
      const level = before !== undefined && this.#levels.includes(before) ? before : this.#levelFor(waiting.call);
      if (this.#levels.length > 1) this.#levelOf.set(waiting, level);
      waiting.state = 'waiting';
      // It has been waiting its time already: from here on it is not given up.
      waiting.deadline = Number.POSITIVE_INFINITY;
      level.list.unshift(waiting);
      level.size++;
      this.size++;
    }
  }

  /** Takes out those whose time is over, and returns those that are to be refused; the others wait behind everyone of their level. */
  expire(now: number): Waiting[] {
    if (now < this.nextDeadline) return [];
    const refused: Waiting[] = [];
    this.nextDeadline = Number.POSITIVE_INFINITY;
    for (const level of this.#levels) {
      const keep: Waiting[] = [];
      for (let i = level.head; i < level.list.length; i++) {
        const waiting = level.list[i] as Waiting;
        if (waiting.state !== 'waiting') continue;
        if (waiting.deadline > now) {
          keep.push(waiting);
          this.nextDeadline = Math.min(this.nextDeadline, waiting.deadline);
        } else if (level.policy.timeoutAction === 'delay') {
          waiting.deadline = Number.POSITIVE_INFINITY;
          level.late.push(waiting);
        } else {
          waiting.state = 'gone';
          level.size--;
          this.size--;
          refused.push(waiting);
        }
      }
      level.list = keep;
      level.head = 0;
    }
    return refused;
  }
}

/** Triton's words; clients test for them. */
export const queueFull = (maxQueueSize: number): BinnacleError =>
  exhausted('queue_full', 'Exceeds maximum queue size', { retryAfterSeconds: 1, details: { maxQueueSize } });

const levelsOf = ({ priorityLevels, defaultQueuePolicy, priorityQueuePolicies }: QueueOptions): Level[] =>
  Array.from({ length: Math.max(1, priorityLevels ?? 0) }, (_, i) => new Level(priorityQueuePolicies?.[String(i + 1)] ?? defaultQueuePolicy ?? {}));

/** Without a level of its own a request gets the one named, else the middle one. */
const defaultOf = ({ priorityLevels, defaultPriority }: QueueOptions): number => {
  const levels = Math.max(1, priorityLevels ?? 0);
  return defaultPriority !== undefined && defaultPriority >= 1 && defaultPriority <= levels ? defaultPriority : Math.ceil(levels / 2);
};
