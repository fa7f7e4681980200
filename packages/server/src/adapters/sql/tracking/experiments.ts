import { type Kysely, type Selectable, sql } from 'kysely';
import { conflict, invalid, notFound } from '../../../kernel/index.ts';
import type { ExperimentQuery, ExperimentRecord, ExperimentSummary, KeyValue, LifecycleStage, View } from '../../../tracking/index.ts';
import { insertForId } from '../insert-id.ts';
import type { Database } from '../schema/index.ts';
import type { ExperimentsTable } from '../schema/tracking.ts';
import { contains } from '../text-search.ts';
import { selectHot } from './hot.ts';
import { KeyKind, padded } from './keys.ts';
import { afterSql, keyOf, orderSql, type SortColumn, selectSql } from './keyset.ts';
import { matchNumber, matchText } from './text-match.ts';

export type ExperimentRow = Selectable<ExperimentsTable>;

export const stageOf = (deleted: number): LifecycleStage => (deleted === 0 ? 'active' : 'deleted');
export const stagesOf = (view: View): number[] => (view === 'active' ? [0] : view === 'deleted' ? [1] : [0, 1]);

const missing = (id: string) => notFound('experiment_not_found', `No Experiment with id=${id} exists`);

/** Experiment ids are integers as text; anything else names none. */
export function parseExperimentId(id: string): number {
  if (!/^\d{1,15}$/.test(id)) throw invalid('invalid_experiment_id', `Invalid experiment ID '${id.slice(0, 100)}'. Experiment ID must be a valid integer.`);
  return Number(id);
}

export async function loadExperiment(db: Kysely<Database>, id: string): Promise<ExperimentRow> {
  const [row] = await selectHot<ExperimentRow>(db, 'experiment', () => db.selectFrom('experiments').selectAll().where('id', '=', 0), [parseExperimentId(id)]);
  if (row === undefined) throw missing(id);
  return row;
}

export async function loadActiveExperiment(db: Kysely<Database>, id: string): Promise<ExperimentRow> {
  const row = await loadExperiment(db, id);
  if (row.deleted !== 0) throw invalid('experiment_deleted', `The experiment ${id} must be in the 'active' state. Current state is deleted.`);
  return row;
}

export async function toRecords(db: Kysely<Database>, rows: ExperimentRow[]): Promise<ExperimentRecord[]> {
  if (rows.length === 0) return [];
  const tags = await db
    .selectFrom('experiment_tags')
    .selectAll()
    .where('experiment_id', 'in', padded(rows.map(({ id }) => id)))
    .orderBy('tag_key')
    .execute();
  const byId = new Map<number, KeyValue[]>(rows.map(({ id }) => [id, []]));
  for (const tag of tags) byId.get(tag.experiment_id)?.push({ key: tag.tag_key, value: tag.tag_value });
  return rows.map((row) => ({
    id: String(row.id),
    name: row.name,
    artifactLocation: row.artifact_location,
    lifecycleStage: stageOf(row.deleted),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    tags: byId.get(row.id) ?? [],
  }));
}

export async function toRecord(db: Kysely<Database>, row: ExperimentRow): Promise<ExperimentRecord> {
  return (await toRecords(db, [row]))[0] as ExperimentRecord;
}

export async function summarizeExperiments(db: Kysely<Database>, rows: ExperimentRow[]): Promise<ExperimentSummary[]> {
  if (rows.length === 0) return [];
  const counts = await db
    .selectFrom('runs')
    .select(({ fn }) => ['experiment_id', fn.countAll<number>().as('runs'), fn.max('start_time').as('last')])
    .where('experiment_id', 'in', padded(rows.map(({ id }) => id)))
    .where('deleted', '=', 0)
    .groupBy('experiment_id')
    .execute();
  const byId = new Map(counts.map((c) => [String(c.experiment_id), c]));
  return (await toRecords(db, rows)).map((record) => ({
    ...record,
    runCount: Number(byId.get(record.id)?.runs ?? 0),
    lastRunAt: byId.get(record.id)?.last ?? null,
  }));
}

export async function createExperiment(
  db: Kysely<Database>,
  input: { name: string; artifactLocation: string | null; tags: KeyValue[]; root: string },
  now: number,
): Promise<ExperimentRecord> {
  const taken = await db.selectFrom('experiments').select(['id', 'deleted']).where('name', '=', input.name).executeTakeFirst();
  if (taken !== undefined) {
    const hint = taken.deleted === 0 ? '' : ' It is deleted; restore it, or choose another name.';
    throw conflict('experiment_exists', `Experiment(name=${input.name}) already exists.${hint}`, { details: { id: String(taken.id) } });
  }
  const columns = { name: input.name, artifact_location: input.artifactLocation ?? '', deleted: 0, created_at: now, updated_at: now };
  const id = await insertForId(db, 'experiments', columns);
  if (input.artifactLocation === null)
    await db
      .updateTable('experiments')
      .set({ artifact_location: `${input.root}/${id}` })
      .where('id', '=', id)
      .execute();
  for (const [key, value] of new Map(input.tags.map((tag) => [tag.key, tag.value])))
    await db.insertInto('experiment_tags').values({ experiment_id: id, tag_key: key, tag_value: value }).execute();
  return toRecord(db, await loadExperiment(db, String(id)));
}

export async function updateExperiment(
  db: Kysely<Database>,
  id: string,
  change: { name?: string; lifecycleStage?: LifecycleStage },
  now: number,
): Promise<ExperimentRecord> {
  const row = await loadExperiment(db, id);
  if (change.lifecycleStage !== undefined && change.lifecycleStage === stageOf(row.deleted)) throw missing(id);
  if (change.name !== undefined) {
    if (row.deleted !== 0 && change.lifecycleStage !== 'active') throw invalid('experiment_deleted', 'Cannot rename a non-active experiment.');
    const taken = await db.selectFrom('experiments').select('id').where('name', '=', change.name).where('id', '!=', row.id).executeTakeFirst();
    if (taken !== undefined) throw conflict('experiment_exists', `Experiment(name=${change.name}) already exists.`);
    await db.updateTable('experiments').set({ name: change.name, updated_at: now }).where('id', '=', row.id).execute();
  }
  if (change.lifecycleStage !== undefined) {
    const deleted = change.lifecycleStage === 'deleted' ? 1 : 0;
    await db.updateTable('experiments').set({ deleted, updated_at: now }).where('id', '=', row.id).execute();
    await db
      .updateTable('runs')
      .set({ deleted, deleted_at: deleted === 1 ? now : null })
      .where('experiment_id', '=', row.id)
      .where('deleted', '=', 1 - deleted)
      .execute();
  }
  return toRecord(db, await loadExperiment(db, id));
}

export async function setExperimentTag(db: Kysely<Database>, id: string, { key, value }: KeyValue): Promise<void> {
  const row = await loadActiveExperiment(db, id);
  await db.deleteFrom('experiment_tags').where('experiment_id', '=', row.id).where('tag_key', '=', key).execute();
  await db.insertInto('experiment_tags').values({ experiment_id: row.id, tag_key: key, tag_value: value }).execute();
}

export async function deleteExperimentTag(db: Kysely<Database>, id: string, key: string): Promise<void> {
  const row = await loadActiveExperiment(db, id);
  const { numDeletedRows } = await db.deleteFrom('experiment_tags').where('experiment_id', '=', row.id).where('tag_key', '=', key).executeTakeFirstOrThrow();
  if (numDeletedRows === 0n) throw notFound('tag_not_found', `No tag with name: ${key} in experiment with id ${id}`);
}

const COLUMN: Record<string, string> = { experiment_id: 'e.id', name: 'e.name', creation_time: 'e.created_at', last_update_time: 'e.updated_at' };

export async function searchExperiments(db: Kysely<Database>, query: ExperimentQuery): Promise<{ experiments: ExperimentRecord[]; next?: unknown[] }> {
  const conditions = query.conditions.map((condition) => {
    if (condition.kind === 'tag') {
      const exists = sql<boolean>`exists (select 1 from experiment_tags t where t.experiment_id = e.id and t.tag_key = ${condition.key}${condition.value === null ? sql`` : sql` and ${matchText(sql`t.tag_value`, condition)}`})`;
      return condition.operator === 'IS NULL' ? sql<boolean>`not ${exists}` : exists;
    }
    const column = sql.ref(COLUMN[condition.key] as string);
    if (condition.key === 'experiment_id') {
      if (!['=', '!=', 'IN', 'NOT IN'].includes(condition.operator))
        throw invalid('invalid_filter', `Invalid comparator for experiment_id: ${condition.operator}`);
      const ids = [condition.value].flat().map((id) => parseExperimentId(String(id)));
      return condition.operator === '=' || condition.operator === 'IN'
        ? sql<boolean>`${column} in (${sql.join(ids)})`
        : sql<boolean>`${column} not in (${sql.join(ids)})`;
    }
    return typeof condition.value === 'number' ? matchNumber(column, condition.operator, condition.value) : matchText(column, condition);
  });
  const order =
    query.orderBy.length > 0
      ? query.orderBy
      : [
          { key: 'creation_time', ascending: false },
          { key: 'experiment_id', ascending: true },
        ];
  const columns: SortColumn[] = order.map(({ key, ascending }) => ({ expression: sql.ref(COLUMN[key] as string), ascending }));
  if (!order.some(({ key }) => key === 'experiment_id')) columns.push({ expression: sql.ref('e.id'), ascending: false });
  const after = query.after === undefined ? undefined : afterSql(columns, query.after);
  const where = [sql<boolean>`e.deleted in (${sql.join(stagesOf(query.view))})`, ...conditions, ...(after === undefined || after === 'none' ? [] : [after])];
  const { rows } = await sql<
    ExperimentRow & Record<string, unknown>
  >`select e.*, ${selectSql(columns)} from experiments e where ${sql.join(where, sql` and `)} order by ${orderSql(columns)} limit ${query.limit + 1}`.execute(
    db,
  );
  const page = rows.slice(0, query.limit);
  const last = page[page.length - 1];
  return { experiments: await toRecords(db, page), ...(rows.length > query.limit && last !== undefined ? { next: keyOf(last, columns) } : {}) };
}

export async function listExperiments(
  db: Kysely<Database>,
  query: { q: string | null; view: View; limit: number; after?: unknown[] },
): Promise<{ experiments: ExperimentSummary[]; next?: unknown[] }> {
  const activity = sql`coalesce((select max(r.start_time) from runs r where r.experiment_id = e.id and r.deleted = 0), e.created_at)`;
  const columns: SortColumn[] = [
    { expression: activity, ascending: false },
    { expression: sql.ref('e.id'), ascending: true },
  ];
  const where = [sql<boolean>`e.deleted in (${sql.join(stagesOf(query.view))})`];
  if (query.q !== null && query.q !== '') where.push(contains(sql.ref('e.name'), query.q));
  const after = query.after === undefined ? undefined : afterSql(columns, query.after);
  if (after !== undefined && after !== 'none') where.push(after);
  const { rows } = await sql<
    ExperimentRow & Record<string, unknown>
  >`select e.*, ${selectSql(columns)} from experiments e where ${sql.join(where, sql` and `)} order by ${orderSql(columns)} limit ${query.limit + 1}`.execute(
    db,
  );
  const page = rows.slice(0, query.limit);
  const last = page[page.length - 1];
  return { experiments: await summarizeExperiments(db, page), ...(rows.length > query.limit && last !== undefined ? { next: keyOf(last, columns) } : {}) };
}

export async function listColumns(
  db: Kysely<Database>,
  experimentId: string,
  q: string | null,
  limit: number,
): Promise<{ metrics: string[]; params: string[]; tags: string[]; truncated: boolean }> {
  const { id } = await loadExperiment(db, experimentId);
  let truncated = false;
  const names = async (kind: KeyKind) => {
    let select = db.selectFrom('run_keys').select('name').where('experiment_id', '=', id).where('kind', '=', kind);
    if (q !== null && q !== '') select = select.where(contains(sql.ref('name'), q));
    const rows = await select
      .orderBy('name')
      .limit(limit + 1)
      .execute();
    if (rows.length > limit) truncated = true;
    return rows.slice(0, limit).map(({ name }) => name);
  };
  return { metrics: await names(KeyKind.metric), params: await names(KeyKind.param), tags: await names(KeyKind.tag), truncated };
}
