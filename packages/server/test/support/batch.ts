import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchSpec, type Signature } from '@binnacle/contract';
import { createDuckDbBatchInput, openDuckDb } from '../../src/adapters/duckdb/index.ts';
import { createOnnxRuntime } from '../../src/adapters/onnx/index.ts';
import { openSqlite, storeProxy } from '../../src/adapters/sql/index.ts';
import { type BatchDeps, type BatchStore, createBatchService } from '../../src/batch/index.ts';
import { EventBus, silentLogger } from '../../src/kernel/index.ts';
import { createServingService, type EndpointStore, type PredictionBatch } from '../../src/serving/index.ts';
import { createPathAccess } from '../../src/tables/index.ts';
import { FakeRegistry } from './serving.ts';

export const folder = (name = 'batch'): string => mkdtempSync(join(tmpdir(), `binnacle-${name}-`));

/** A signature of columns by name. */
export const columns = (...names: string[]): Signature => ({
  inputs: names.map((spec) => ({ name: spec.split(':')[0] as string, type: spec.split(':')[1] ?? 'double', required: true })),
  outputs: [],
});

/** Batch with everything real but the registry. */
export async function batchKit(options: Partial<BatchDeps> & { dir?: string; roots?: string[]; wrapStore?: (store: BatchStore) => BatchStore } = {}) {
  const dir = options.dir ?? folder();
  const events = new EventBus(silentLogger);
  const ended: { jobId: string; state: string }[] = [];
  events.on('batch.finished', (event) => void ended.push(event));
  const engine = await openSqlite({ file: join(dir, 'meta.db'), synchronous: 'NORMAL', onEvent: (event) => events.emit(event.type, event.payload as never) });
  const proxy = storeProxy<BatchStore>(engine, 'batch');
  const store = options.wrapStore?.(proxy) ?? proxy;
  const registry = new FakeRegistry(events);
  const serving = createServingService({
    store: storeProxy<EndpointStore>(engine, 'serving'),
    models: registry,
    runtime: createOnnxRuntime(),
    events,
    logger: silentLogger,
  });
  const recorded: PredictionBatch[] = [];
  const batch = createBatchService({
    store,
    input: createDuckDbBatchInput(),
    models: registry,
    serving,
    sink: { record: (sample) => recorded.push(sample), recordCount() {}, recordFailure() {} },
    logger: silentLogger,
    workRoot: join(dir, 'work'),
    workers: 2,
    threads: 2,
    access: createPathAccess({ roots: options.roots }),
    ...options,
  });
  mkdirSync(join(dir, 'data'), { recursive: true });
  return {
    dir,
    store,
    registry,
    recorded,
    ended,
    batch,
    serving,
    path: (...names: string[]) => join(dir, 'data', ...names),
    file(name: string, content: string): string {
      const path = join(dir, 'data', name);
      writeFileSync(path, content);
      return path;
    },
    create: (spec: Partial<BatchSpec> & { model: string; input: string; output: string }) => batch.create(BatchSpec.parse(spec)),
    /** Runs a job to its end. */
    async run(spec: Partial<BatchSpec> & { model: string; input: string; output: string }) {
      const job = await batch.create(BatchSpec.parse(spec));
      return batch.finished(job.id);
    },
    async close() {
      await batch.close();
      await engine.close();
    },
  };
}
export type BatchKit = Awaited<ReturnType<typeof batchKit>>;

/** Rows of a query, as JSON values. */
export async function query(sql: string): Promise<Record<string, unknown>[]> {
  const db = await openDuckDb();
  const connection = await db.connect();
  try {
    return (await (await connection.run(sql)).getRowObjectsJson()) as Record<string, unknown>[];
  } finally {
    connection.closeSync();
    db.close();
  }
}
