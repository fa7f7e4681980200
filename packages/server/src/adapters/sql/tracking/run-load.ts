import { type Kysely, type Selectable, sql } from 'kysely';
import type { RunColumns, RunInfo, RunRecord, RunStatus } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import type { RunsTable } from '../schema/tracking.ts';
import { stageOf } from './experiments.ts';
import { loadInputs } from './inputs.ts';
import { batches, KeyKind, padded } from './keys.ts';
import { restore } from './points.ts';
import { joinText } from './text-value.ts';

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
  for (const rids of batches([...records.keys()], 500)) {
    await addMetrics(db, records, rids, metricKeys);
    await addText(db, 'run_params', records, rids, paramKeys);
    await addText(db, 'run_tags', records, rids, tagKeys);
    await loadInputs(db, records, rids);
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

/** Names of key ids, each read once however many runs carry it. */
async function namesOf(db: Kysely<Database>, ids: Set<number>): Promise<Map<number, string>> {
  const names = new Map<number, string>();
  for (const batch of batches([...ids])) {
    const rows = await db.selectFrom('run_keys').select(['id', 'name']).where('id', 'in', padded(batch)).execute();
    for (const { id, name } of rows) names.set(id, name);
  }
  return names;
}

const keyFilter = (keys: number[] | undefined) => (keys === undefined ? sql`` : sql` and key_id in (${sql.join(padded(keys))})`);

async function addMetrics(db: Kysely<Database>, records: Map<number, RunRecord>, rids: number[], keys: number[] | undefined): Promise<void> {
  if (keys?.length === 0) return;
  const { rows } = await sql<{ rid: number; key_id: number; value: number | null; infinite: number; step: number; timestamp: number }>`
    select rid, key_id, value, infinite, step, timestamp from latest_metrics where rid in (${sql.join(padded(rids))})${keyFilter(keys)}`.execute(db);
  const names = await namesOf(db, new Set(rows.map((row) => row.key_id)));
  for (const row of rows) {
    const metrics = records.get(row.rid)?.metrics;
    if (metrics === undefined) continue;
    metrics.keys.push(names.get(row.key_id) as string);
    metrics.values.push(restore(row.value, row.infinite));
    metrics.steps.push(row.step);
    metrics.timestamps.push(row.timestamp);
  }
}

async function addText(
  db: Kysely<Database>,
  table: 'run_params' | 'run_tags',
  records: Map<number, RunRecord>,
  rids: number[],
  keys: number[] | undefined,
): Promise<void> {
  if (keys?.length === 0) return;
  const { rows } = await sql<{ rid: number; key_id: number; head: string; rest: string | null }>`
    select rid, key_id, head, rest from ${sql.table(table)} where rid in (${sql.join(padded(rids))})${keyFilter(keys)}`.execute(db);
  const names = await namesOf(db, new Set(rows.map((row) => row.key_id)));
  for (const row of rows) {
    const record = records.get(row.rid);
    (table === 'run_params' ? record?.params : record?.tags)?.push(names.get(row.key_id) as string, joinText(row.head, row.rest));
  }
}
