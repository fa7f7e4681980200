import type { SerializedError } from '../../kernel/index.ts';
import type { LogRow, LogSegment, SegmentManifest } from '../../monitoring/prediction-log.port.ts';

export interface WorkerOptions {
  dir: string;
  sealAfterMs?: number;
  sealRows?: number;
  memoryLimit?: string;
}
/** A call to the log in its thread, or the answer to a call that the thread made to the manifest. */
export type ToWorker = { call: number; method: string; args: unknown[] } | { answer: number; value?: unknown; error?: SerializedError };
/** The answer to a call, or a call to the manifest, which lives in the main thread. */
export type FromWorker =
  | { answer: number; value?: unknown; error?: SerializedError }
  | { call: number; method: keyof SegmentManifest; args: [] | [LogSegment[], string[]] };

/**
 * Rows by column: what repeats is sent once, numbers as one array, and all texts as a single one, since each string that crosses to
 * another thread costs more than a microsecond and a long one little more than a short one.
 */
export interface PackedRows {
  rows: number;
  contexts: Pick<LogRow, 'session' | 'endpoint' | 'model' | 'version' | 'source' | 'samplingFraction' | 'weight'>[];
  /** Eight numbers a row: context, ordinal, instance index, ts, receivedAt, latency, prediction as a number, score (NaN for null). */
  numbers: Float64Array<ArrayBuffer>;
  /** Four a row, one after the other: request id, prediction id (absent where it is `request:index`), features, prediction. In parts, since a string cannot be endless. */
  texts: string[];
  /** The length of each text; ABSENT for null. */
  lengths: Int32Array<ArrayBuffer>;
}
const TEXTS = 4;
const ABSENT = -1;
/** Characters after which a new part begins. */
const PART = 2 ** 24;
const WIDTH = 8;

export function packRows(rows: LogRow[]): PackedRows {
  const packed: PackedRows = {
    rows: rows.length,
    contexts: [],
    numbers: new Float64Array(rows.length * WIDTH),
    texts: [],
    lengths: new Int32Array(rows.length * TEXTS),
  };
  let at = 0;
  let part = '';
  const add = (text: string | null) => {
    packed.lengths[at++] = text === null ? ABSENT : text.length;
    if (text === null) return;
    if (part.length > 0 && part.length + text.length > PART) {
      packed.texts.push(part);
      part = '';
    }
    part += text;
  };
  let last: LogRow | undefined;
  for (const [i, row] of rows.entries()) {
    const { session, endpoint, model, version, source, samplingFraction, weight } = row;
    if (
      last === undefined ||
      last.session !== session ||
      last.endpoint !== endpoint ||
      last.model !== model ||
      last.version !== version ||
      last.source !== source ||
      last.samplingFraction !== samplingFraction ||
      last.weight !== weight
    ) {
      packed.contexts.push({ session, endpoint, model, version, source, samplingFraction, weight });
    }
    last = row;
    packed.numbers.set(
      [
        packed.contexts.length - 1,
        row.ordinal,
        row.instanceIndex,
        row.ts,
        row.receivedAt,
        row.latencyMs,
        row.predictionNumber ?? Number.NaN,
        row.score ?? Number.NaN,
      ],
      i * WIDTH,
    );
    add(row.requestId);
    add(row.predictionId === `${row.requestId}:${row.instanceIndex}` ? null : row.predictionId);
    add(row.features);
    add(row.prediction);
  }
  packed.texts.push(part);
  return packed;
}

export function unpackRows(packed: PackedRows): LogRow[] {
  const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
  let at = 0;
  let part = 0;
  let from = 0;
  const next = (): string | null => {
    const length = packed.lengths[at++] ?? ABSENT;
    if (length === ABSENT) return null;
    if (length > 0 && from === packed.texts[part]?.length) {
      part++;
      from = 0;
    }
    from += length;
    return packed.texts[part]?.slice(from - length, from) ?? '';
  };
  return Array.from({ length: packed.rows }, (_, i) => {
    const requestId = next() ?? '';
    const predictionId = next();
    const features = next() ?? '{}';
    const prediction = next();
    const [context, ordinal, instanceIndex, ts, receivedAt, latencyMs, predictionNumber, score] = packed.numbers.subarray(
      i * WIDTH,
      (i + 1) * WIDTH,
    ) as unknown as [number, number, number, number, number, number, number, number];
    return {
      ...(packed.contexts[context] as PackedRows['contexts'][number]),
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
