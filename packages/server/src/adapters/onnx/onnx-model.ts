import type { TensorSpec } from '@binnacle/contract';
import { invalid } from '../../kernel/index.ts';
import { isText, type LoadedModel, type RunCall, type RunMarks, type Tensor } from '../../serving/index.ts';
import type { Session } from './binding.ts';
import type { Opened } from './open.ts';
import type { SessionPool } from './pool.ts';

/** The binding hands strings over as C strings of UTF-8, which end at the first NUL: refused here rather than cut or replaced in silence. */
function checkStrings(inputs: readonly Tensor[], label: string): void {
  for (const { name, datatype, data } of inputs) {
    if (datatype !== 'BYTES') continue;
    const strings = data as string[];
    const at = strings.findIndex((value) => value.includes('\0') || !isText(value));
    if (at < 0) continue;
    const where = `input '${name}' for model '${label}': string ${at}`;
    if (!isText(strings[at] as string))
      throw invalid('string_not_utf8', `${where} is not UTF-8, and the runtime keeps strings as UTF-8. Encode the bytes (base64, say).`);
    throw invalid('string_with_nul', `${where} holds a NUL character, at which the runtime would cut it off. Remove it, or encode the bytes.`);
  }
}

/** What models of every tier have in common. */
abstract class OnnxModel {
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  readonly runMicros: number;
  readonly rowMicros: number;
  readonly batchable: boolean;
  protected readonly label: string;

  constructor(label: string, opened: Opened) {
    this.label = label;
    this.inputs = opened.inputs;
    this.outputs = opened.outputs;
    this.runMicros = opened.runMicros;
    this.rowMicros = opened.rowMicros;
    this.batchable = opened.batchable;
  }

  check(inputs: readonly Tensor[]): void {
    checkStrings(inputs, this.label);
  }
}

/** Sessions in threads or processes. */
export class PooledModel extends OnnxModel implements LoadedModel {
  readonly tier: 'worker' | 'process';
  readonly endsOnAbort: boolean;
  readonly slots: number;
  readonly #pool: SessionPool;
  readonly #memoryBytes: number | undefined;

  /** `memoryBytes` of one session, where that was measured. */
  constructor(label: string, opened: Opened, tier: 'worker' | 'process', pool: SessionPool, memoryBytes?: number) {
    super(label, opened);
    this.tier = tier;
    this.endsOnAbort = tier === 'process';
    this.slots = pool.size;
    this.#pool = pool;
    this.#memoryBytes = memoryBytes;
  }

  get busyMicros(): number {
    return this.#pool.busyMicros;
  }
  get memoryBytes(): number | undefined {
    return this.#pool.memoryBytes ?? (this.#memoryBytes === undefined ? undefined : this.#memoryBytes * this.slots);
  }
  get problem(): string | undefined {
    return this.#pool.problem;
  }
  get shortage(): string | undefined {
    return this.#pool.shortage;
  }

  execute(inputs: Tensor[], outputs: string[], call?: RunCall, marks?: RunMarks): Promise<Tensor[]> {
    return this.#pool.run(inputs, outputs, call, marks);
  }
  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** A single request of an inline model that would block the event loop longer goes to a worker. */
const LARGE_REQUEST_MICROS = 3000;
const LARGE_IDLE_MS = 30_000;

/** A session on the main thread, and a worker for requests that are too big for it. */
export class InlineModel extends OnnxModel implements LoadedModel {
  readonly tier = 'inline';
  /** Only large requests are ever under way, and their worker has a queue of its own. */
  readonly slots = Number.POSITIVE_INFINITY;
  readonly memoryBytes: number | undefined;
  readonly #session: Session;
  readonly #openLarge: () => Promise<SessionPool>;
  #largePool: Promise<SessionPool> | undefined;
  #largeTimer: NodeJS.Timeout | undefined;
  #largeRuns = 0;
  #closed = false;

  constructor(label: string, opened: Opened, session: Session, openLarge: () => Promise<SessionPool>, memoryBytes?: number) {
    super(label, opened);
    this.#session = session;
    this.#openLarge = openLarge;
    this.memoryBytes = memoryBytes;
  }

  execute(inputs: Tensor[], outputs: string[], _call?: RunCall, marks?: RunMarks): Tensor[] | Promise<Tensor[]> {
    if ((inputs[0]?.shape[0] ?? 0) * this.rowMicros > LARGE_REQUEST_MICROS) return this.#runLarge(inputs, outputs);
    return this.#session.run(inputs, outputs, marks);
  }

  /** A request too big for the main thread: a worker is started for it and stays for a while. */
  async #runLarge(inputs: Tensor[], outputs: string[]): Promise<Tensor[]> {
    this.#largeRuns++;
    clearTimeout(this.#largeTimer);
    try {
      this.#largePool ??= this.#openLarge();
      const pool = await this.#largePool.catch((error: unknown) => {
        this.#largePool = undefined;
        throw error;
      });
      // Without marks: what starting the worker takes is not the inputs' doing.
      return await pool.run(inputs, outputs);
    } finally {
      this.#largeRuns--;
      if (this.#largeRuns === 0 && !this.#closed) this.#largeTimer = setTimeout(() => void this.#closeLarge(), LARGE_IDLE_MS).unref();
    }
  }

  async #closeLarge(): Promise<void> {
    const pool = this.#largePool;
    this.#largePool = undefined;
    await (await pool?.catch(() => undefined))?.close();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#largeTimer);
    await this.#closeLarge();
    this.#session.release();
  }
}
