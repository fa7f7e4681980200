import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BinnacleError, invalid, type Logger, unsupported } from '../kernel/index.ts';
import type { ModelSource, PredictionSink, ServingService } from '../serving/index.ts';
import { fingerprintOf, locateTable } from '../tables/index.ts';
import type { BatchInput, BatchInputEngine, FeatureColumn, RowRange } from './batch-input.port.ts';
import type { BatchStore } from './batch-store.port.ts';
import { type BadRow, type BatchModel, type ChunkContext, type ChunkResult, runChunk } from './chunk-run.ts';
import { planFeatures } from './features.ts';
import { recordSample, samplePositions } from './monitor-sample.ts';
import { manifestOf, OutputFolder, outputError, syncFolder, taken } from './output-folder.ts';
import type { ProgressMeter } from './progress.ts';
import { RunSizer } from './run-sizer.ts';
import { Slots } from './slots.ts';
import type { ChunkRecord, JobRecord } from './types.ts';

export interface RunnerDeps {
  store: BatchStore;
  input: BatchInputEngine;
  models: ModelSource;
  serving: Pick<ServingService, 'openVersion'>;
  sink: PredictionSink;
  logger: Logger;
  /** A folder for working copies; each job has one of its own in it. */
  workRoot: string;
  /** Worker threads of a job that does not say how many. */
  workers: number;
  /** Cores that the table engine may use. */
  threads: number;
}

export class Cancelled extends Error {}

/** What the ledger says of a chunk that no row is left of: it has no file. */
const NO_PART = { rows: 0, bytes: 0 };

/** Runs one attempt of a job from its first missing chunk to `_SUCCESS`. It knows nothing of the queue that handed it over. */
export async function runJob(job: JobRecord, deps: RunnerDeps, meter: ProgressMeter, signal: AbortSignal): Promise<string> {
  const { spec } = job;
  const location = await locateTable(spec.input, spec.inputFormat);
  if (fingerprintOf(location) !== job.fingerprint.input)
    throw invalid('batch_input_changed', 'The input has changed since the job was made. Start a new job into another folder, or with overwrite.');
  const folder = new OutputFolder(job.output, spec.singleFile, job.fingerprint.outputFormat as OutputFolder['format']);
  const workers = spec.workers ?? deps.workers;
  // A crash may have come between the job's row and its folder, which is then an earlier job's still.
  const { manifest } = await folder.look();
  if (job.attempt > 1 && hasLost(job, manifest)) throw taken(folder.dir, job.id, manifest);
  await folder.take(manifestOf(job), spec.overwrite);
  await folder.tidy();
  await deps.store.noteMessage(
    job.id,
    job.attempt,
    location.format === 'parquet' ? 'loading the model' : 'loading the model, and copying the input into Parquet',
  );
  const pkg = await deps.models.resolve(job.model, { version: job.version });
  const [model, input] = await both(
    deps.serving.openVersion(pkg, { tier: 'worker', instances: workers, threads: 1 }),
    deps.input.open({
      ...location,
      where: spec.where,
      select: spec.select,
      writable: [folder.dir],
      workDir: join(deps.workRoot, job.id),
      threads: deps.threads,
    }),
  );
  try {
    return await new Attempt(job, deps, meter, signal, folder, input, model, workers).run();
  } finally {
    await Promise.all([input.close(), model.close()]);
  }
}

/** Whether the output is another job's by now, or what this one had done is gone. */
export const hasLost = (job: Pick<JobRecord, 'id' | 'rowsTotal'>, manifest: { jobId: string } | null): boolean =>
  manifest?.jobId !== job.id && (manifest !== null || job.rowsTotal !== null);

/** Opens two things beside each other; when one fails, the other is closed again. */
async function both<A extends { close(): Promise<void> }, B extends { close(): Promise<void> }>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value];
  if (a.status === 'fulfilled') await a.value.close();
  if (b.status === 'fulfilled') await b.value.close();
  throw a.status === 'rejected' ? a.reason : (b as PromiseRejectedResult).reason;
}

class Attempt {
  readonly #job: JobRecord;
  readonly #deps: RunnerDeps;
  readonly #meter: ProgressMeter;
  readonly #signal: AbortSignal;
  readonly #folder: OutputFolder;
  readonly #input: BatchInput;
  readonly #model: BatchModel;
  readonly #workers: number;
  readonly #features: FeatureColumn[];
  readonly #passthrough: string[];
  readonly #context: ChunkContext;
  #failed: number;
  /** No further chunk is begun. */
  #stopped = false;
  /** What is under way is of no use either. */
  #hopeless = false;

  constructor(
    job: JobRecord,
    deps: RunnerDeps,
    meter: ProgressMeter,
    signal: AbortSignal,
    folder: OutputFolder,
    input: BatchInput,
    model: BatchModel & Parameters<typeof planFeatures>[0],
    workers: number,
  ) {
    this.#job = job;
    this.#deps = deps;
    this.#meter = meter;
    this.#signal = signal;
    this.#folder = folder;
    this.#input = input;
    this.#model = model;
    this.#workers = workers;
    this.#features = planFeatures(model, input.features);
    this.#passthrough = passthroughOf(job, input);
    this.#failed = 0;
    this.#context = {
      model,
      sizer: new RunSizer(fixedRows(model, job.spec.runRows)),
      slots: new Slots(workers + 1),
      taken: new Set([...this.#passthrough, ...(job.fingerprint.withIds ? [ID_COLUMN] : [])].map((name) => name.toLowerCase())),
      layout: {},
      onBad: (rows) => this.#onBad(rows),
      check: () => {
        if (this.#hopeless || this.#signal.aborted) throw new Cancelled();
      },
    };
  }

  async run(): Promise<string> {
    const { id, attempt, spec } = this.#job;
    const { store } = this.#deps;
    const chunks = Math.max(1, Math.ceil(this.#input.rows / spec.chunkRows));
    const { rejected } = this.#input;
    const total = this.#input.selected + rejected.count;
    await store.noteInput(id, attempt, { rowsTotal: total, rowsRejected: rejected.count, chunksTotal: chunks });
    const listed = rejected.lines.length;
    const more = { message: `Only ${listed} of the ${rejected.count} lines that are no rows are listed here.`, rejected: rejected.count, listed };
    await this.#folder.writeErrors('input', listed === rejected.count ? rejected.lines : [...rejected.lines, more]);
    this.#failed = rejected.count;
    const done = await this.#done();
    for (const chunk of done.values()) this.#failed += chunk.failed;
    const [first] = rejected.lines;
    this.#checkErrors(first === undefined ? undefined : `line ${first.line} of ${first.file}: ${first.message}`);
    this.#meter.begin({ total, done: rejected.count + [...done.values()].reduce((sum, chunk) => sum + chunk.rows + chunk.failed, 0) });
    await store.noteMessage(id, attempt, '');
    const missing = Array.from({ length: chunks }, (_, chunk) => chunk).filter((chunk) => !done.has(chunk));
    await this.#runAll(missing);
    if (this.#signal.aborted) throw new Cancelled();
    return this.#finish();
  }

  /** The chunks of the ledger that are on disk; the others are forgotten. */
  async #done(): Promise<Map<number, ChunkRecord>> {
    const { id, attempt } = this.#job;
    const kept = new Map<number, ChunkRecord>();
    const gone: number[] = [];
    for (const chunk of await this.#deps.store.listChunks(id)) {
      if (chunk.bytes === 0 || (await this.#folder.exists(chunk.file, chunk.bytes))) kept.set(chunk.chunk, chunk);
      else gone.push(chunk.chunk);
    }
    if (gone.length > 0) await this.#deps.store.forgetChunks(id, attempt, gone);
    return kept;
  }

  /** Two chunks more than workers are under way, so that reading one and writing another hide behind the model. */
  async #runAll(chunks: number[]): Promise<void> {
    let next = 0;
    let failure: { error: unknown } | undefined;
    const lane = async (): Promise<void> => {
      while (next < chunks.length && !this.#stopped && !this.#signal.aborted) {
        const chunk = chunks[next++] as number;
        try {
          await this.#runOne(chunk);
        } catch (error) {
          this.#stopped = true;
          if (!(error instanceof Cancelled)) failure ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(chunks.length, this.#workers + 2) }, lane));
    if (failure !== undefined) throw failure.error;
  }

  async #runOne(chunk: number): Promise<void> {
    const { id, attempt, spec } = this.#job;
    const from = chunk * spec.chunkRows;
    const range = { from, to: Math.min(this.#input.rows, from + spec.chunkRows) };
    const started = Date.now();
    const before = this.#model.busyMicros;
    const rows = await this.#input.read(range, this.#features, spec.timestampColumn);
    this.#context.check();
    const result = await runChunk(rows, this.#context).catch(async (error: unknown) => {
      if (error instanceof TooManyErrors) await this.#writeErrors(chunk, error.rows).catch(() => undefined);
      throw error;
    });
    const file = this.#folder.partName(chunk);
    await this.#writeErrors(chunk, result.bad);
    const written = result.index.length === 0 ? NO_PART : await this.#writePart(range, file, result);
    const inferenceMs = before === undefined ? 0 : ((this.#model.busyMicros as number) - before) / 1000;
    this.#meter.add(result.index.length + result.bad.length, this.#model.busyMicros);
    // Chunks overlap, so each is charged with what the runtime did since the last one was.
    await this.#deps.store.chunkDone(
      id,
      attempt,
      { chunk, file, rows: written.rows, failed: result.bad.length, bytes: written.bytes, inferenceMs: this.#meter.takeInference(inferenceMs) },
      this.#meter.activeMs,
    );
    if (spec.monitor) recordSample(this.#deps.sink, this.#job, result, started);
  }

  async #writePart(range: RowRange, file: string, { index, outputs }: Pick<ChunkResult, 'index' | 'outputs'>): Promise<{ rows: number; bytes: number }> {
    const written = await this.#input.write({
      range,
      passthrough: this.#passthrough,
      index,
      outputs: outputs.columns,
      ...(this.#job.fingerprint.withIds ? { id: { name: ID_COLUMN, prefix: `${this.#job.id}:`, at: samplePositions(index.length) } } : {}),
      file: this.#folder.temporary(file),
      format: this.#folder.format,
    });
    await this.#folder.publish(file);
    return written;
  }

  #writeErrors(chunk: number, bad: readonly BadRow[]): Promise<void> {
    return this.#folder.writeErrors(
      chunk,
      bad.map(({ row, message }) => ({ row, ...this.#place(row), message })),
    );
  }

  #place(row: number): { file: string; file_row: number } {
    const { file, row: own } = this.#input.locate(row);
    return { file, file_row: own };
  }

  #onBad(rows: BadRow[]): void {
    if (rows.length === 0) return;
    this.#failed += rows.length;
    const [first] = rows;
    if (first === undefined) return;
    const { file, file_row } = this.#place(first.row);
    this.#checkErrors(`row ${file_row} (from 0) of ${file}: ${first.message}`, rows);
  }

  #checkErrors(example: string | undefined, rows: BadRow[] = []): void {
    const { maxErrorRate } = this.#job.spec;
    const total = this.#input.selected + this.#input.rejected.count;
    if (this.#failed <= maxErrorRate * total) return;
    this.#hopeless = true;
    throw new TooManyErrors(
      `${this.#failed} of ${total} rows cannot be predicted, which is more than maxErrorRate = ${maxErrorRate} allows. The first: ${example}. Mend the input, or raise maxErrorRate: bad rows then go to the errors files (_errors/).`,
      rows,
    );
  }

  /** No row is left of the whole input: a reader still needs to see the columns. */
  async #writeEmptyPart(): Promise<void> {
    const range = { from: 0, to: 0 };
    const result = await runChunk(await this.#input.read(range, this.#features, this.#job.spec.timestampColumn), this.#context);
    const file = this.#folder.partName(0);
    const { bytes } = await this.#writePart(range, file, result);
    const { id, attempt } = this.#job;
    const [first] = (await this.#deps.store.listChunks(id)).filter(({ chunk }) => chunk === 0);
    await this.#deps.store.chunkDone(id, attempt, { chunk: 0, file, rows: 0, failed: first?.failed ?? 0, bytes, inferenceMs: 0 }, this.#meter.activeMs);
  }

  async #finish(): Promise<string> {
    const { id, attempt, spec } = this.#job;
    const folder = this.#folder;
    let ledger = await this.#deps.store.listChunks(id);
    if (ledger.every(({ bytes }) => bytes === 0)) {
      await this.#writeEmptyPart();
      ledger = await this.#deps.store.listChunks(id);
    }
    const parts = ledger.filter(({ bytes }) => bytes > 0).sort((a, b) => a.chunk - b.chunk);
    if (folder.single !== null) {
      await this.#deps.store.noteMessage(id, attempt, 'merging the parts');
      const aside = `merged.${folder.format}`;
      await this.#input.merge(
        parts.map(({ file }) => folder.path(file)),
        folder.temporary(aside),
        folder.format,
      );
      if (this.#signal.aborted) throw new Cancelled();
      await renameInto(folder.temporary(aside), folder.single);
    }
    const rows = ledger.reduce((sum, chunk) => sum + chunk.rows, 0);
    await folder.succeed({
      job: id,
      model: this.#job.model,
      version: this.#job.version,
      rows,
      failed: this.#failed,
      parts: folder.single === null ? parts.length : 1,
    });
    // The merged file holds everything from here on.
    if (folder.single !== null) await folder.removeParts();
    return `${rows} rows written to ${spec.output}${this.#failed > 0 ? `, ${this.#failed} bad rows in the errors files` : ''}`;
  }
}

export const ID_COLUMN = 'prediction_id';

class TooManyErrors extends BinnacleError {
  readonly rows: BadRow[];
  constructor(message: string, rows: BadRow[]) {
    super('invalid', 'batch_too_many_errors', message);
    this.rows = rows;
  }
}

/** Input columns that the output repeats. Throws `invalid` for one that is not there. */
export function passthroughOf(job: Pick<JobRecord, 'spec'>, input: Pick<BatchInput, 'columns'>): string[] {
  const names = input.columns.map(({ name }) => name);
  const missing = (job.spec.columns ?? []).filter((name) => !names.includes(name));
  if (missing.length > 0)
    throw invalid(
      'missing_column',
      `The input lacks the column${missing.length > 1 ? 's' : ''} ${missing.map((name) => `'${name}'`).join(', ')} that the output is to repeat; it has ${names.join(', ')}.`,
      { details: { missing } },
    );
  return (job.spec.columns ?? names).filter((name) => name !== ID_COLUMN);
}

/** A graph with a fixed first dimension takes so many rows and no others. */
function fixedRows(model: BatchModel, wanted: number | undefined): number | undefined {
  const fixed = model.inputs.map(({ shape }) => shape[0]).find((rows) => rows !== undefined && rows > 0);
  if (fixed !== undefined && fixed > 1)
    throw unsupported(
      'batch_fixed_rows',
      `The model takes exactly ${fixed} rows a run, which batch prediction cannot give it. Export it with a free first dimension.`,
    );
  return fixed ?? wanted;
}

async function renameInto(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: unknown) => Promise.reject(outputError(error, to)));
  await syncFolder(dirname(to));
}
