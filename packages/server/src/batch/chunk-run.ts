import { BinnacleError } from '../kernel/index.ts';
import type { Tensor } from '../serving/index.ts';
import type { Column, Table } from '../tables/index.ts';
import type { FeatureRows } from './batch-input.port.ts';
import { OutputCollector, type OutputLayout } from './outputs.ts';
import { pick } from './pick.ts';
import type { RunSizer } from './run-sizer.ts';
import type { Slots } from './slots.ts';

/** What a chunk needs of a loaded model. */
export interface BatchModel {
  readonly inputs: { name: string; datatype: string; shape: number[] }[];
  readonly outputs: { name: string; datatype: string; shape: number[] }[];
  toTensors(table: Table): Tensor[];
  run(inputs: Tensor[]): Promise<Tensor[]>;
  /** Microseconds spent inside the runtime so far, over all its threads; absent when it cannot tell. */
  readonly busyMicros?: number | undefined;
}

export interface BadRow {
  /** Number of the row in the input. */
  row: number;
  message: string;
}

export interface ChunkResult {
  /** Numbers of the rows that have predictions, ascending. */
  index: BigInt64Array;
  outputs: OutputCollector;
  bad: BadRow[];
  /** Features of the rows that have predictions. */
  features: Column[];
  eventTime: Float64Array | undefined;
}

export interface ChunkContext {
  model: BatchModel;
  sizer: RunSizer;
  /** Limits the runs under way. */
  slots: Slots;
  /** Names of the columns passed through, lower case. */
  taken: ReadonlySet<string>;
  layout: OutputLayout;
  /** Told of bad rows as they are found; throws when there are too many. */
  onBad(rows: BadRow[]): void;
  /** Throws when the job is to stop. */
  check(): void;
}

/** Runs the model over a chunk's rows. A run that the model rejects is halved until the rows that it rejects stand alone. */
export async function runChunk(rows: FeatureRows, context: ChunkContext): Promise<ChunkResult> {
  const bad: BadRow[] = rows.bad.map(({ at, message }) => ({ row: Number(rows.index[at]), message }));
  context.onBad(bad);
  let kept = rows.bad.length === 0 ? rows : without(rows, new Set(rows.bad.map(({ at }) => at)));
  const outputs = new OutputCollector(kept.index.length, context.taken, context.layout);
  const rejected = new Map<number, string>();
  const runs: Promise<void>[] = [];
  for (let from = 0; from < kept.index.length; ) {
    await context.slots.acquire();
    const to = Math.min(kept.index.length, from + context.sizer.next());
    const start = from;
    runs.push(runRange(kept, start, to, outputs, context, rejected).finally(() => context.slots.release()));
    // A failure must not leave the others unhandled.
    runs.at(-1)?.catch(() => undefined);
    from = to;
  }
  await Promise.all(runs);
  outputs.declare(context.model.outputs);
  if (rejected.size > 0) {
    for (const [at, message] of rejected) bad.push({ row: Number(kept.index[at]), message });
    bad.sort((a, b) => a.row - b.row);
    outputs.drop(rejected);
    kept = without(kept, rejected);
  }
  return { index: kept.index, outputs, bad, features: kept.columns, eventTime: kept.eventTime };
}

async function runRange(
  rows: FeatureRows,
  from: number,
  to: number,
  outputs: OutputCollector,
  context: ChunkContext,
  rejected: Map<number, string>,
): Promise<void> {
  context.check();
  try {
    const tensors = context.model.toTensors({
      rows: to - from,
      columns: rows.columns.map(({ name, values }) => ({ name, values: Array.isArray(values) ? values.slice(from, to) : values.subarray(from, to) })),
    });
    const started = performance.now();
    const result = await context.model.run(tensors);
    context.sizer.note(to - from, performance.now() - started);
    outputs.add(result, from, to - from);
  } catch (error) {
    if (!(error instanceof BinnacleError) || error.kind !== 'invalid') throw error;
    if (to - from === 1) {
      rejected.set(from, error.message);
      context.onBad([{ row: Number(rows.index[from]), message: error.message }]);
      return;
    }
    const middle = from + Math.floor((to - from) / 2);
    await runRange(rows, from, middle, outputs, context, rejected);
    await runRange(rows, middle, to, outputs, context, rejected);
  }
}

/** The rows but those at some positions. */
function without(rows: FeatureRows, dropped: { has(at: number): boolean; readonly size: number }): FeatureRows {
  const keep: number[] = [];
  for (let at = 0; at < rows.index.length; at++) if (!dropped.has(at)) keep.push(at);
  return {
    index: pick(rows.index, keep),
    columns: rows.columns.map(({ name, values }) => ({ name, values: pick(values, keep) })),
    bad: [],
    ...(rows.eventTime === undefined ? {} : { eventTime: pick(rows.eventTime, keep) }),
  };
}
