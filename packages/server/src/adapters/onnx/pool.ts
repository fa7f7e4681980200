import { type Logger, messageOf, unavailable } from '../../kernel/index.ts';
import type { RunCall, RunMarks, Tensor } from '../../serving/index.ts';
import type { Opened } from './open.ts';

/** A session somewhere else: in a thread or in a process of its own. It runs one request (or merged group) at a time. */
export interface SessionHost {
  readonly opened: Promise<Opened>;
  readonly alive: boolean;
  /** Microseconds spent in the runtime so far. */
  readonly busyMicros: number;
  readonly memoryBytes?: number | undefined;
  run(inputs: readonly Tensor[], outputs: string[], call?: RunCall, marks?: RunMarks): Promise<Tensor[]>;
  close(): Promise<void>;
}

/** Starts a host. It calls `onLost` when it ends unasked: with the reason, or without when it was ended on purpose. */
export type StartHost = (onLost: (why: string | undefined) => void) => SessionHost;

export interface PoolOptions {
  label: string;
  start: StartHost;
  size: number;
  logger: Logger;
  /** Wait before the second start after a crash; doubled by each further one. */
  restartMs?: number;
}

const RESTART_MS = 1000;
const LONGEST_RESTART_MS = 60_000;
/** Who has lived this long starts again at once. */
const STEADY_MS = 60_000;

/** Several hosts of one model. One that is lost is replaced: at once, then after ever longer waits; what it did meanwhile is said in `problem`, or while others answer in `shortage`. */
export class SessionPool {
  readonly #options: PoolOptions;
  readonly #free: SessionHost[] = [];
  readonly #all = new Set<SessionHost>();
  readonly #waiting: PromiseWithResolvers<SessionHost>[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #starting = new Set<Promise<unknown>>();
  #closed = false;
  #busyOfLost = 0;
  #wait = 0;
  #lastLoss = Number.NEGATIVE_INFINITY;
  /** Why fewer run than should. */
  #lack: string | undefined;
  readonly size: number;

  private constructor(options: PoolOptions) {
    this.#options = options;
    this.size = options.size;
  }

  /** Opens them all; `first` is one that runs already. Throws what the first failure says. */
  static async open(options: PoolOptions, first?: SessionHost): Promise<SessionPool> {
    const pool = new SessionPool(options);
    if (first !== undefined) pool.#adopt(first);
    try {
      await Promise.all(Array.from({ length: options.size - (first === undefined ? 0 : 1) }, () => pool.#start()));
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /** What the first of them measured. */
  get opened(): Promise<Opened> {
    const [first] = this.#all;
    return first?.opened ?? Promise.reject(unavailable('model_closed', 'The model has been closed.'));
  }

  async #start(): Promise<void> {
    const host: SessionHost = this.#options.start((why) => this.#lost(host, why));
    try {
      await host.opened;
    } catch (error) {
      await host.close();
      throw error;
    }
    if (this.#closed) await host.close();
    else this.#adopt(host);
  }

  #adopt(host: SessionHost): void {
    this.#all.add(host);
    if (this.#all.size === this.size) this.#lack = undefined;
    this.#release(host);
  }

  #release(host: SessionHost): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(host);
    else next.resolve(host);
  }

  #lost(host: SessionHost, why: string | undefined): void {
    this.#all.delete(host);
    this.#busyOfLost += host.busyMicros;
    const at = this.#free.indexOf(host);
    if (at >= 0) this.#free.splice(at, 1);
    if (this.#closed) return;
    if (why === undefined) return this.#restart(0);
    const now = performance.now();
    this.#wait = now - this.#lastLoss > STEADY_MS ? 0 : Math.min(LONGEST_RESTART_MS, Math.max(this.#options.restartMs ?? RESTART_MS, this.#wait * 2));
    this.#lastLoss = now;
    this.#complain(why);
    this.#restart(this.#wait);
  }

  #complain(why: string): void {
    this.#lack = `${why}; it is being started again`;
    this.#options.logger.error({ model: this.#options.label, reason: why, restartMs: this.#wait }, 'a model was lost and is being started again');
  }

  #restart(wait: number): void {
    if (wait > 0 && this.#all.size === 0) this.#refuseWaiting();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const start = this.#start().catch((error: unknown) => {
        if (this.#closed) return;
        this.#wait = Math.min(LONGEST_RESTART_MS, Math.max(this.#options.restartMs ?? RESTART_MS, this.#wait * 2));
        this.#complain(messageOf(error));
        this.#restart(this.#wait);
      });
      this.#starting.add(start);
      void start.then(() => this.#starting.delete(start));
    }, wait);
    this.#timers.add(timer);
  }

  #away(): Error {
    return unavailable('runtime_lost', `Model '${this.#options.label}' cannot answer now: ${this.#lack ?? 'it is being started again'}.`, {
      retryAfterSeconds: Math.max(1, Math.ceil(this.#wait / 1000)),
    });
  }

  #refuseWaiting(): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#away());
  }

  /** Why none of them runs. */
  get problem(): string | undefined {
    return this.#all.size === 0 ? this.#lack : undefined;
  }
  /** Why some of them do not run, while others do. */
  get shortage(): string | undefined {
    if (this.#all.size === 0 || this.#lack === undefined) return undefined;
    return `${this.size - this.#all.size} of ${this.size} instances cannot answer: ${this.#lack}`;
  }
  get busyMicros(): number {
    return [...this.#all].reduce((sum, host) => sum + host.busyMicros, this.#busyOfLost);
  }
  /** Resident bytes of hosts that are processes. */
  get memoryBytes(): number | undefined {
    const each = [...this.#all].map((host) => host.memoryBytes);
    return each.some((bytes) => bytes === undefined) || each.length === 0 ? undefined : each.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0);
  }
  get hosts(): readonly SessionHost[] {
    return [...this.#all];
  }

  async run(inputs: Tensor[], outputs: string[], call?: RunCall, marks?: RunMarks): Promise<Tensor[]> {
    const host = this.#free.pop() ?? (await this.#next());
    try {
      return await host.run(inputs, outputs, call, marks);
    } finally {
      if (host.alive) this.#release(host);
    }
  }

  #next(): Promise<SessionHost> {
    if (this.#all.size === 0 && this.#wait > 0 && this.#lack !== undefined) return Promise.reject(this.#away());
    const waiting = Promise.withResolvers<SessionHost>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** The caller has drained it. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#refuseWaiting();
    await Promise.all([...[...this.#all].map((host) => host.close()), ...this.#starting]);
  }
}
