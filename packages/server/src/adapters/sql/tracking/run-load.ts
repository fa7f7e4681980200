import type { Kysely, Selectable } from 'kysely';
import type { RunColumns, RunInfo, RunRecord, RunStatus } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import type { RunsTable } from '../schema/tracking.ts';
import { stageOf } from './experiments.ts';
import { selectHotIn } from './hot.ts';
import { loadInputs } from './inputs.ts';
import { batches, KeyKind, padded } from './keys.ts';
import { restore } from './points.ts';
import { joinText } from './text-value.ts';

/** A page of runs has tens of thousands of rows: those of some die young, those of all at once are copied around by the garbage collector. */
const RUNS_AT_ONCE = 125;

export type RunRow = Selectable<RunsTable>;

export const toInfo = (row: RunRow): RunInfo => ({
  runId: row.run_id,
  experimentId: String(row.experiment_id),
  name: row.name,
  userId: row.user_id,
  status: row.status as RunStatus,
  startTime: row.start_time,
  endTime: row.end_time,
  artifactUri: row.artifact_uri,
  lifecycleStage: stageOf(row.deleted),
});

/** Runs with their data, in the order of the rows. Only picked columns are read when `columns` says so. */
export async function loadRuns(db: Kysely<Database>, rows: RunRow[], columns: RunColumns = {}): Promise<RunRecord[]> {
  const records = new Map<number, RunRecord>(
    rows.map((row) => [
      row.rid,
      { ...toInfo(row), metrics: { keys: [], values: [], steps: [], timestamps: [] }, params: [], tags: [], datasets: [], modelInputs: [], modelOutputs: [] },
    ]),
  );
  const experimentIds = [...new Set(rows.map((row) => row.experiment_id))];
  const picked = async (kind: KeyKind, names: string[] | undefined) => (names === undefined ? undefined : pickKeys(db, experimentIds, kind, names));
  const metricKeys = await picked(KeyKind.metric, columns.metrics);
  const paramKeys = await picked(KeyKind.param, columns.params);
  const tagKeys = await picked(KeyKind.tag, columns.tags);
  const names = new Map<number, string>();
  for (const rids of batches([...records.keys()], RUNS_AT_ONCE)) {
    // Asked together, so that a database server is asked once.
    const [metrics, params, tags] = await Promise.all([
      readRows<MetricRow>(db, 'latest_metrics', ['rid', 'key_id', 'value', 'infinite', 'step', 'timestamp'], rids, metricKeys),
      readRows<TextRow>(db, 'run_params', ['rid', 'key_id', 'head', 'rest'], rids, paramKeys),
      readRows<TextRow>(db, 'run_tags', ['rid', 'key_id', 'head', 'rest'], rids, tagKeys),
      loadInputs(db, records, rids),
    ]);
    await readNames(db, names, [metrics, params, tags]);
    for (const row of metrics) {
      const of = records.get(row.rid)?.metrics;
      if (of === undefined) continue;
      of.keys.push(names.get(row.key_id) as string);
      of.values.push(restore(row.value, row.infinite));
      of.steps.push(row.step);
      of.timestamps.push(row.timestamp);
    }
    for (const row of params) records.get(row.rid)?.params.push(names.get(row.key_id) as string, joinText(row.head, row.rest));
    for (const row of tags) records.get(row.rid)?.tags.push(names.get(row.key_id) as string, joinText(row.head, row.rest));
  }
  return rows.map((row) => records.get(row.rid) as RunRecord);
}

async function pickKeys(db: Kysely<Database>, experimentIds: number[], kind: KeyKind, names: string[]): Promise<number[]> {
  const ids: number[] = [];
  if (experimentIds.length === 0) return ids;
  for (const batch of batches(names)) {
    const rows = await db
      .selectFrom('run_keys')
      .select('id')
      .where('experiment_id', 'in', padded(experimentIds))
      .where('kind', '=', kind)
      .where('name', 'in', padded(batch))
      .execute();
    for (const { id } of rows) ids.push(id);
  }
  return ids;
}

/** Adds the names of key ids that are not known yet. */
async function readNames(db: Kysely<Database>, names: Map<number, string>, rows: readonly { key_id: number }[][]): Promise<void> {
  const missing = new Set<number>();
  for (const some of rows) for (const { key_id } of some) if (!names.has(key_id)) missing.add(key_id);
  for (const batch of batches([...missing])) {
    const found = await selectHotIn<{ id: number; name: string }>(
      db,
      'key-names',
      (list) =>
        db
          .selectFrom('run_keys')
          .select(['id', 'name'])
          .where('id', 'in', list as number[]),
      [],
      batch,
    );
    for (const { id, name } of found) names.set(id, name);
  }
}

interface MetricRow {
  rid: number;
  key_id: number;
  value: number | null;
  infinite: number;
  step: number;
  timestamp: number;
}
interface TextRow {
  rid: number;
  key_id: number;
  head: string;
  rest: string | null;
}

/** The rows of runs in one of their tables, of all keys or of some. */
async function readRows<Row>(
  db: Kysely<Database>,
  table: 'latest_metrics' | 'run_params' | 'run_tags',
  columns: readonly string[],
  rids: number[],
  keys: number[] | undefined,
): Promise<Row[]> {
  const select = (list: readonly (string | number)[]) =>
    db
      .selectFrom(table)
      .select(columns as never)
      .where('rid', 'in', list as number[]);
  if (keys === undefined) return selectHotIn<Row>(db, `rows ${table}`, select, [], rids);
  return keys.length === 0 ? [] : ((await select(padded(rids)).where('key_id', 'in', padded(keys)).execute()) as Row[]);
}
