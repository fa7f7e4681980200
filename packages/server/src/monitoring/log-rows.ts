import type { StoredSource } from './types.ts';

/** One instance as it is logged. */
export interface LogRow {
  /** The intake session that took it, and its place among the rows that this session took for the endpoint, from 1. */
  session: string;
  ordinal: number;
  predictionId: string;
  requestId: string;
  instanceIndex: number;
  /** Event time and time of receipt, milliseconds since the epoch. */
  ts: number;
  receivedAt: number;
  endpoint: string;
  model: string;
  version: number;
  source: StoredSource;
  weight: number;
  samplingFraction: number;
  latencyMs: number;
  /** A JSON object, feature by name. */
  features: string;
  /** As text, and as a number where it is one. */
  prediction: string | null;
  predictionNumber: number | null;
  score: number | null;
}

/** What rows of the log share: one a request's endpoint and version. */
export type LogContext = Pick<LogRow, 'session' | 'endpoint' | 'model' | 'version' | 'source' | 'samplingFraction' | 'weight'>;

/**
 * Rows of the log by column, ready to cross to another thread: what repeats is there once, numbers are one array and all texts one run of
 * bytes. A row as an object with strings would cost its maker, the garbage collector and the way over several times as much.
 */
export interface LogRows {
  rows: number;
  contexts: LogContext[];
  /** Eight numbers a row: context, ordinal, instance index, ts, receivedAt, latency, prediction as a number, score (NaN for null). */
  numbers: Float64Array<ArrayBuffer>;
  /** UTF-8, one text after the other, four a row: request id, prediction id (absent where it is `request:index`), features, prediction. */
  texts: Uint8Array<ArrayBuffer>;
  /** The bytes of each text; ABSENT for null. */
  lengths: Int32Array<ArrayBuffer>;
}

export const LOG_TEXTS = 4;
export const LOG_NUMBERS = 8;
export const ABSENT = -1;

const TENS = [1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12] as const;

/** Gathers rows; `take` gives them away and starts anew. */
export class LogRowsBuilder {
  #rows = 0;
  #contexts: LogContext[] = [];
  #numbers: Float64Array<ArrayBuffer>;
  #lengths: Int32Array<ArrayBuffer>;
  #texts: Buffer<ArrayBuffer>;
  /** The end of the texts, where the present one began, where the present row did, and how many there are. */
  #at = 0;
  #from = 0;
  #start = 0;
  #count = 0;

  /** Room for so many rows and bytes at first; it grows. */
  constructor(rows = 256, bytes = 32 * 1024) {
    this.#numbers = new Float64Array(rows * LOG_NUMBERS);
    this.#lengths = new Int32Array(rows * LOG_TEXTS);
    this.#texts = Buffer.allocUnsafeSlow(bytes);
  }

  get rows(): number {
    return this.#rows;
  }
  get bytes(): number {
    return this.#start;
  }

  /** A row begins: then come its four texts (`text`, or pieces and `end`), then `add`. What was put for a row that was never added is forgotten. */
  begin(): void {
    this.#count = this.#rows * LOG_TEXTS;
    this.#at = this.#from = this.#start;
    if (this.#count === this.#lengths.length) this.#moreRows();
  }

  /** The row's numbers; with them it is complete. */
  add(
    context: LogContext,
    ordinal: number,
    instanceIndex: number,
    ts: number,
    receivedAt: number,
    latencyMs: number,
    predictionNumber: number | null,
    score: number | null,
  ): void {
    const last = this.#contexts.at(-1);
    if (last === undefined || !sameContext(last, context)) {
      const { session, endpoint, model, version, source, samplingFraction, weight } = context;
      this.#contexts.push({ session, endpoint, model, version, source, samplingFraction, weight });
    }
    const numbers = this.#numbers;
    const at = this.#rows++ * LOG_NUMBERS;
    numbers[at] = this.#contexts.length - 1;
    numbers[at + 1] = ordinal;
    numbers[at + 2] = instanceIndex;
    numbers[at + 3] = Math.trunc(ts);
    numbers[at + 4] = Math.trunc(receivedAt);
    numbers[at + 5] = latencyMs;
    numbers[at + 6] = predictionNumber ?? Number.NaN;
    numbers[at + 7] = score ?? Number.NaN;
    this.#start = this.#at;
  }

  text(text: string | null): void {
    if (text !== null) this.put(text);
    this.end(text === null);
  }

  /** Ends the text that was put in pieces. */
  end(absent = false): void {
    this.#lengths[this.#count++] = absent ? ABSENT : this.#at - this.#from;
    this.#from = this.#at;
  }

  /** A piece of a text. */
  put(piece: string): void {
    const { length } = piece;
    if (this.#at + length * 3 > this.#texts.length) this.#moreBytes(length * 3);
    const bytes = this.#texts;
    let at = this.#at;
    // Ids and names are short and ASCII: a call into C++ would cost more than they do.
    if (length <= 64) {
      let i = 0;
      for (; i < length; i++) {
        const code = piece.charCodeAt(i);
        if (code > 127) break;
        bytes[at + i] = code;
      }
      if (i === length) {
        this.#at = at + length;
        return;
      }
    }
    at += bytes.write(piece, at);
    this.#at = at;
  }

  /**
   * A value as JSON: NaN as null, infinities as text.
   * @param short The number may be a float32 (a single one may come without its typed array): what is one exactly is written with the eight or nine digits that read back as it.
   */
  value(value: unknown, short: boolean): void {
    if (typeof value === 'number') {
      if (short && Math.fround(value) === value) this.#float(value);
      else if (Number.isFinite(value)) this.put(String(value));
      else this.put(Number.isNaN(value) ? 'null' : `"${value}"`);
    } else if (typeof value === 'string') this.put(JSON.stringify(value));
    else this.put(value === null || value === undefined ? 'null' : String(value));
  }

  /** Rounding by a power of ten and writing the digits is many times as fast as `toPrecision`. */
  #float(value: number): void {
    const size = Math.abs(value);
    if (!(size >= 1e-3 && size < 1e7) || Number.isInteger(value)) {
      const short = Number.isInteger(value) ? value : Number(value.toPrecision(8));
      this.put(String(Math.fround(short) === value ? short : Number(value.toPrecision(9))));
      return;
    }
    // As many places after the point as leave eight digits before it.
    let places = 10;
    for (let bound = 1e-2; size >= bound; bound *= 10) places--;
    const power = TENS[places] as number;
    let digits = Math.round(size * power);
    if (Math.fround(digits / power) !== size) {
      // A ninth digit: some floats need it.
      digits = Math.round(size * power * 10);
      places++;
    }
    for (let tenth = (digits / 10) | 0; tenth * 10 === digits && places > 0; tenth = (digits / 10) | 0) {
      digits = tenth;
      places--;
    }
    if (this.#at + 24 > this.#texts.length) this.#moreBytes(24);
    const bytes = this.#texts;
    let at = this.#at;
    if (value < 0) bytes[at++] = 45;
    // Backwards from the end: the places, the point, at least one digit before it.
    let before = 1;
    for (let bound = TENS[places + 1] as number; digits >= bound; bound *= 10) before++;
    const end = at + before + (places > 0 ? places + 1 : 0);
    let back = end;
    for (let left = places; left > 0; left--) {
      const next = (digits / 10) | 0;
      bytes[--back] = 48 + digits - next * 10;
      digits = next;
    }
    if (places > 0) bytes[--back] = 46;
    for (let left = before; left > 0; left--) {
      const next = (digits / 10) | 0;
      bytes[--back] = 48 + digits - next * 10;
      digits = next;
    }
    this.#at = end;
  }

  #moreRows(): void {
    const numbers = new Float64Array(this.#numbers.length * 2);
    numbers.set(this.#numbers);
    const lengths = new Int32Array(this.#lengths.length * 2);
    lengths.set(this.#lengths);
    this.#numbers = numbers;
    this.#lengths = lengths;
  }

  #moreBytes(needed: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(this.#texts.length * 2, this.#at + needed));
    this.#texts.copy(bytes, 0, 0, this.#at);
    this.#texts = bytes;
  }

  take(): LogRows {
    const taken: LogRows = {
      rows: this.#rows,
      contexts: this.#contexts,
      numbers: this.#numbers.subarray(0, this.#rows * LOG_NUMBERS),
      texts: this.#texts.subarray(0, this.#start),
      lengths: this.#lengths.subarray(0, this.#rows * LOG_TEXTS),
    };
    // As much room as was needed, so that a steady load grows nothing.
    const fresh = new LogRowsBuilder(Math.max(256, Math.min(this.#rows, 8192)), Math.max(32 * 1024, Math.min(this.#at, 4 * 1024 * 1024)));
    this.#numbers = fresh.#numbers;
    this.#lengths = fresh.#lengths;
    this.#texts = fresh.#texts;
    this.#contexts = [];
    this.#rows = this.#at = this.#from = this.#start = this.#count = 0;
    return taken;
  }
}

const sameContext = (a: LogContext, b: LogContext): boolean =>
  a.endpoint === b.endpoint &&
  a.version === b.version &&
  a.weight === b.weight &&
  a.source === b.source &&
  a.model === b.model &&
  a.session === b.session &&
  a.samplingFraction === b.samplingFraction;

/** The bytes of every buffer, to be handed over rather than copied. */
export const buffersOf = ({ numbers, texts, lengths }: LogRows): ArrayBuffer[] => [numbers.buffer, texts.buffer, lengths.buffer];

export function packRows(rows: readonly LogRow[]): LogRows {
  const builder = new LogRowsBuilder(Math.max(1, rows.length));
  for (const row of rows) {
    builder.begin();
    builder.text(row.requestId);
    builder.text(row.predictionId === `${row.requestId}:${row.instanceIndex}` ? null : row.predictionId);
    builder.text(row.features);
    builder.text(row.prediction);
    builder.add(row, row.ordinal, row.instanceIndex, row.ts, row.receivedAt, row.latencyMs, row.predictionNumber, row.score);
  }
  return builder.take();
}

/** Rows as objects again. */
export function unpackRows({ rows, contexts, numbers, texts, lengths }: LogRows): LogRow[] {
  const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
  const bytes = Buffer.from(texts.buffer, texts.byteOffset, texts.byteLength);
  let at = 0;
  let from = 0;
  const next = (): string | null => {
    const length = lengths[at++] ?? ABSENT;
    if (length === ABSENT) return null;
    from += length;
    return bytes.toString('utf8', from - length, from);
  };
  return Array.from({ length: rows }, (_, i) => {
    const [requestId, predictionId, features, prediction] = [next() ?? '', next(), next() ?? '{}', next()];
    const [context, ordinal, instanceIndex, ts, receivedAt, latencyMs, predictionNumber, score] = numbers.subarray(
      i * LOG_NUMBERS,
      (i + 1) * LOG_NUMBERS,
    ) as unknown as [number, number, number, number, number, number, number, number];
    return {
      ...(contexts[context] as LogContext),
      predictionId: predictionId ?? `${requestId}:${instanceIndex}`,
      requestId,
      ordinal,
      instanceIndex,
      ts,
      receivedAt,
      latencyMs,
      features,
      prediction,
      predictionNumber: orNull(predictionNumber),
      score: orNull(score),
    };
  });
}
