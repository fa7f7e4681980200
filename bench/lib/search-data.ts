import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ALL } from './cores.ts';
import { openDatabase, type StoreCommand, storeProxy } from '../../packages/server/src/adapters/sql/index.ts';
import { createTrackingService, type TrackingStore } from '../../packages/server/src/tracking/index.ts';
import { toPointBatch } from '../../packages/server/src/tracking/point-batch.ts';
import type { Connection } from './http.ts';
import { PYTHON, ROOT, script } from './paths.ts';
import { runToEnd } from './process.ts';
import type { Context } from './types.ts';

export interface SearchData {
  runs: number;
  metrics: number;
  params: number;
}
const T0 = 1_700_000_000_000;
const two = (n: number) => String(n).padStart(2, '0');

/** A number in [0, 1), as good as independent between runs and keys, that any language computes alike; bench/python/load_mlflow.py has the same lines. */
export function value(run: number, key: number): number {
  let bits = Math.imul(run * 7919 + key * 104_729 + 13, 2_654_435_761) >>> 0;
  bits = Math.imul(bits ^ (bits >>> 15), 2_246_822_519) >>> 0;
  return ((bits ^ (bits >>> 13)) >>> 0) / 2 ** 32;
}

const API = '/api/2.0/mlflow';
export const experimentId = async (connection: Connection): Promise<string> =>
  (await connection.json<{ experiment: { experiment_id: string } }>('GET', `${API}/experiments/get-by-name?experiment_name=bench`)).experiment.experiment_id;

/** A database that was loaded whole by an earlier run, or undefined; its folder is cleared when it was loaded otherwise. */
function cached(dir: string, key: string): boolean {
  const mark = join(dir, 'loaded');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === key) return true;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  return false;
}

/** What the first layout of our database depends on: a change here means loading again. Later migrations change what was loaded as they do a user's data. */
const layout = (): string =>
  createHash('sha256')
    .update(readFileSync(join(ROOT, 'packages/server/src/adapters/sql/migrations/0002-tracking.ts')))
    .digest('hex')
    .slice(0, 16);
/** What Binnacle's database of these runs is known by. */
export const binnacleKey = (size: SearchData): string => JSON.stringify({ ...size, layout: layout() });

/** Runs in one transaction, and transactions under way: SQLite has one writer, and writes each page of an index that a transaction has touched. */
const TOGETHER = { sqlite: 2000, server: 100 };
const WRITERS = { sqlite: 1, server: 4 };

/** What makes a run, as the stores are told it. */
function commandsOf(i: number, experimentId: string, size: SearchData): StoreCommand[] {
  const runId = createHash('md5').update(`run ${i}`).digest('hex');
  const timestamp = T0 + i * 1000;
  const metrics = Array.from({ length: size.metrics }, (_, k) => ({ key: `m${two(k)}`, value: value(i, k), timestamp, step: 0 }));
  const params = Array.from({ length: size.params }, (_, k) => ({ key: `p${two(k)}`, value: `v${Math.floor(value(i, 100 + k) * 10)}` }));
  const run = { runId, experimentId, name: `run-${i}`, userId: 'bench', startTime: timestamp, tags: [], params: [] };
  const command = (method: string, ...args: unknown[]) => ({ store: 'tracking', method, args });
  return [
    command('createRun', run),
    command('logBatch', { runId, points: toPointBatch(metrics), params, tags: [] }),
    command('updateRun', runId, { status: 'FINISHED', endTime: timestamp + 500 }),
  ];
}

/** Loads the runs through the stores themselves: the same rows as through the API, in a fifth of the time. */
export async function fillBinnacle(database: { url: string | undefined; file: string }, size: SearchData): Promise<void> {
  const kind = database.url === undefined ? 'sqlite' : 'server';
  const engine = await openDatabase({ ...database, synchronous: 'NORMAL' });
  try {
    const experiment = await createTrackingService({ store: storeProxy<TrackingStore>(engine, 'tracking') }).createExperiment({ name: 'bench', tags: [] });
    let next = 0;
    const writer = async () => {
      for (let from = next; from < size.runs; from = next) {
        next += TOGETHER[kind];
        const runs = Array.from({ length: Math.min(TOGETHER[kind], size.runs - from) }, (_, i) => from + i);
        await engine.transaction(runs.flatMap((i) => commandsOf(i, experiment.id, size)));
      }
    };
    await Promise.all(Array.from({ length: WRITERS[kind] }, writer));
  } finally {
    await engine.close();
  }
}

/** Binnacle's side on SQLite. Returns the folder to start a server on. */
export async function binnacleData(context: Context, size: SearchData): Promise<string> {
  const dir = join(context.data, `search-binnacle-${size.runs}`);
  const key = binnacleKey(size);
  if (cached(dir, key)) return dir;
  context.say(`loading ${size.runs} runs into Binnacle (kept for the next time) …`);
  mkdirSync(join(dir, 'data'));
  await fillBinnacle({ url: undefined, file: join(dir, 'data', 'binnacle.db') }, size);
  writeFileSync(join(dir, 'loaded'), key);
  return dir;
}

/** What MLflow's database of these runs is known by. */
export const mlflowKey = (size: SearchData): string =>
  JSON.stringify({
    ...size,
    script: createHash('sha256')
      .update(readFileSync(script('load_mlflow.py')))
      .digest('hex')
      .slice(0, 16),
  });

/** Loads the runs straight into MLflow's tables. */
export async function fillMlflow(uri: string, artifacts: string, size: SearchData): Promise<void> {
  await runToEnd(PYTHON, ['-W', 'ignore', script('load_mlflow.py'), uri, artifacts, ...[size.runs, size.metrics, size.params].map(String)], {
    cores: ALL,
    env: { MLFLOW_DISABLE_TELEMETRY: 'true' },
  });
}

/**
 * MLflow's side on SQLite. Returns the folder: `mlflow.db` is as MLflow leaves it, `analyzed.db` the same after SQLite's ANALYZE, which
 * MLflow never runs and which an administrator may think of.
 */
export async function mlflowData(context: Context, size: SearchData): Promise<string> {
  const dir = join(context.data, `search-mlflow-${size.runs}`);
  const key = mlflowKey(size);
  if (cached(dir, key)) return dir;
  context.say(`loading ${size.runs} runs into MLflow's database (kept for the next time) …`);
  await fillMlflow(`sqlite:///${join(dir, 'mlflow.db')}`, join(dir, 'mlflow.artifacts'), size);
  copyFileSync(join(dir, 'mlflow.db'), join(dir, 'analyzed.db'));
  const database = new DatabaseSync(join(dir, 'analyzed.db'));
  database.exec('ANALYZE');
  database.close();
  writeFileSync(join(dir, 'loaded'), key);
  return dir;
}
