import { type BinnacleError, invalid, unavailable } from '../../kernel/index.ts';
import type { RunCall, SequenceCall } from '../model-runtime.port.ts';
import type { Tensor } from '../tensor.ts';

/** A request's turn: its sequence is this one's alone until it is over. */
interface Turn {
  run(sequence: Sequence): Promise<Tensor[]>;
  resolve(outputs: Tensor[]): void;
  reject(error: unknown): void;
  unlisten(): void;
}

/** A sequence under way. */
export interface Sequence {
  readonly key: string;
  /** What its last run left; undefined before the first. */
  state: Map<string, Tensor> | undefined;
  /** It has one of the slots; without one its requests wait. */
  slot: boolean;
  running: boolean;
  /** Its last request has come. */
  ended: boolean;
  usedAt: number;
  /** While it waits for a slot: when its requests have waited too long. */
  deadline: number;
  readonly turns: Turn[];
}

export interface SequencesOptions {
  model: string;
  /** Sequences that have their turns at the same time; the others wait until one of these ends. */
  slots: number;
  /** A sequence without a request for so long is over, milliseconds. */
  idleMs: number;
}

const keyOf = ({ id }: SequenceCall): string => (typeof id === 'bigint' ? `#${id}` : `'${id}`);
const cancelled = (): BinnacleError => unavailable('cancelled', 'The request was cancelled.');
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The sequences of one model: each one's requests run in the order in which they came, one at a time; a request that starts none, and belongs to none, is refused.
 * Texts are Triton's.
 */
export class Sequences {
  readonly #options: SequencesOptions;
  /** Those that take further requests, by id. */
  readonly #open = new Map<string, Sequence>();
  /** Those that have a slot. */
  readonly #active = new Set<Sequence>();
  readonly #backlog: Sequence[] = [];
  #timer: { at: number; handle: NodeJS.Timeout } | undefined;

  constructor(options: SequencesOptions) {
    this.#options = options;
  }

  /** Sequences with a slot, and those that wait for one. */
  get counts(): { active: number; waiting: number } {
    return { active: this.#active.size, waiting: this.#backlog.length };
  }

  /** Runs a request in its turn. Throws (or rejects with) `invalid` for one outside of any sequence, `unavailable` when it waited too long or was cancelled. */
  submit(call: RunCall | undefined, run: (sequence: Sequence) => Promise<Tensor[]>): Promise<Tensor[]> {
    const { sequence: of, signal, timeoutMicros } = call ?? {};
    if (of === undefined)
      throw invalid('sequence_id_missing', `inference request to model '${this.#options.model}' must specify a non-zero or non-empty correlation ID`);
    const key = keyOf(of);
    let sequence = this.#open.get(key);
    if (sequence === undefined) {
      if (!of.start)
        throw invalid(
          'sequence_not_started',
          `inference request for sequence ${of.id} to model '${this.#options.model}' must specify the START flag on the first request of the sequence`,
        );
      sequence = { key, state: undefined, slot: false, running: false, ended: false, usedAt: 0, deadline: Number.POSITIVE_INFINITY, turns: [] };
      this.#open.set(key, sequence);
    }
    const now = performance.now();
    sequence.usedAt = now;
    if (of.end) {
      // The next of this id must start anew; what came before has its turn.
      sequence.ended = true;
      this.#open.delete(key);
    }
    const mine = sequence;
    return new Promise((resolve, reject) => {
      const turn: Turn = { run, resolve, reject, unlisten: () => {} };
      mine.turns.push(turn);
      if (signal !== undefined) this.#listen(mine, turn, signal);
      if (!mine.slot && !this.#backlog.includes(mine)) this.#backlog.push(mine);
      if (!mine.slot && timeoutMicros !== undefined && timeoutMicros > 0) mine.deadline = Math.min(mine.deadline, now + timeoutMicros / 1000);
      this.#advance(mine);
    });
  }

  #listen(sequence: Sequence, turn: Turn, signal: AbortSignal): void {
    const leave = (): void => {
      const at = sequence.turns.indexOf(turn);
      if (at < 0) return;
      sequence.turns.splice(at, 1);
      turn.reject(cancelled());
      // Nobody wants it any more: it must not be given a slot when its time comes.
      if (!sequence.slot && sequence.turns.length === 0) this.#forget(sequence);
      this.#advance(sequence);
    };
    // The turn is entered below, in the same turn of the event loop: it may leave at once.
    if (signal.aborted) queueMicrotask(leave);
    signal.addEventListener('abort', leave, { once: true });
    turn.unlisten = () => signal.removeEventListener('abort', leave);
  }

  /** Lets a sequence have its next turn, and gives out the slots that are free then. */
  #advance(sequence: Sequence): void {
    this.#next(sequence);
    this.#fill();
    this.#wake();
  }

  /** Gives out free slots, oldest first. One that frees its slot at once makes room for the next in this loop: any number of them costs no stack. */
  #fill(): void {
    while (this.#active.size < this.#options.slots) {
      const next = this.#backlog.shift();
      if (next === undefined) return;
      next.slot = true;
      next.deadline = Number.POSITIVE_INFINITY;
      this.#active.add(next);
      this.#next(next);
    }
  }

  #next(sequence: Sequence): void {
    if (!sequence.slot || sequence.running) return;
    const turn = sequence.turns.shift();
    if (turn === undefined) {
      if (sequence.ended) this.#free(sequence);
      return;
    }
    turn.unlisten();
    sequence.running = true;
    void this.#have(sequence, turn);
  }

  async #have(sequence: Sequence, turn: Turn): Promise<void> {
    try {
      turn.resolve(await turn.run(sequence));
    } catch (error) {
      turn.reject(error);
    }
    sequence.running = false;
    sequence.usedAt = performance.now();
    this.#advance(sequence);
  }

  /** The slot is for the caller to give to another. */
  #free(sequence: Sequence): void {
    if (!this.#active.delete(sequence)) return;
    sequence.slot = false;
    sequence.state = undefined;
    if (this.#open.get(sequence.key) === sequence) this.#open.delete(sequence.key);
  }

  /** One that waits for a slot. */
  #forget(sequence: Sequence): void {
    const at = this.#backlog.indexOf(sequence);
    if (at >= 0) this.#backlog.splice(at, 1);
    if (this.#open.get(sequence.key) === sequence) this.#open.delete(sequence.key);
  }

  /** A timer for the first that will have been idle, or have waited, too long. */
  #wake(): void {
    let at = Number.POSITIVE_INFINITY;
    for (const sequence of this.#active) if (!sequence.running) at = Math.min(at, sequence.usedAt + this.#options.idleMs);
    for (const sequence of this.#backlog) at = Math.min(at, sequence.deadline);
    if (this.#timer !== undefined && this.#timer.at <= at) return;
    clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
    if (at === Number.POSITIVE_INFINITY) return;
    const handle = setTimeout(
      () => {
        this.#timer = undefined;
        this.#reap();
      },
      Math.min(LONGEST_TIMER_MS, Math.max(1, Math.ceil(at - performance.now()))),
    ).unref();
    this.#timer = { at, handle };
  }

  #reap(): void {
    const now = performance.now();
    const late = this.#backlog.filter(({ deadline }) => deadline <= now);
    for (const sequence of late) {
      this.#forget(sequence);
      for (const turn of sequence.turns.splice(0)) {
        turn.unlisten();
        turn.reject(unavailable('queue_timeout', 'timeout of the corresponding sequence has been expired'));
      }
    }
    const isIdle = ({ running, turns, usedAt }: Sequence): boolean => !running && turns.length === 0 && usedAt + this.#options.idleMs <= now;
    for (const sequence of Array.from(this.#active).filter(isIdle)) this.#free(sequence);
    this.#fill();
    this.#wake();
  }

  close(): void {
    clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
    this.#open.clear();
    this.#active.clear();
  }
}
