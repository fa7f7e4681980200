import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { FilterCondition } from '../../../kernel/filter/index.ts';
import type { RunOutline, RunPage, RunQuery } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { parseExperimentId, stagesOf } from './experiments.ts';
import { batches, KeyKind, padded } from './keys.ts';
import { afterSql, compareKeys, keyOf, orderSql, type SortColumn, selectSql } from './keyset.ts';
import { loadRuns, type RunRow } from './run-load.ts';
import { conditionSql, type Driver, driverOf, exactDatasetsSql, type KeyLookup, orderTerm, type Phase, phasesOf } from './run-search-sql.ts';

/** A filter that matches at most this many rows leads the search: sorting that few costs less than walking the order. */
const SELECTIVE = 2000;
/** Experiments (times lifecycle stages) that are searched one by one along their indexes and merged; more go into one sorted query. */
const MAX_PARTITIONS = 12;

interface Found {
  rid: number;
  key: unknown[];
}

/** A page of runs. Every way through it yields the same order and the same keys, so that a page token holds whichever way the next one goes. */
export async function searchRuns(db: Kysely<Database>, query: RunQuery): Promise<RunPage> {
  const found = await findInOrder(db, query);
  const page = found.slice(0, query.limit);
  const last = page[page.length - 1];
  const rows = new Map<number, RunRow>();
  for (let at = 0; at < page.length; at += 1000) {
    const rids = page.slice(at, at + 1000).map(({ rid }) => rid);
    for (const row of await db.selectFrom('runs').selectAll().where('rid', 'in', padded(rids)).execute()) rows.set(row.rid, row);
  }
  const runs = await loadRuns(
    db,
    page.map(({ rid }) => rows.get(rid) as RunRow),
    query.columns,
  );
  return { runs, ...(found.length > query.limit && last !== undefined ? { next: last.key } : {}) };
}

/** Where the pages of a search begin, by reading its keys once from end to end. */
export async function outlineRuns(db: Kysely<Database>, query: RunQuery, pageSize: number): Promise<RunOutline> {
  const found = await findInOrder(db, query);
  const total = Math.min(found.length, query.limit);
  const starts = [];
  for (let at = pageSize; at < total; at += pageSize) starts.push({ rid: (found[at] as Found).rid, after: (found[at - 1] as Found).key });
  const ids = new Map<number, string>();
  for (const batch of batches(starts.map(({ rid }) => rid)))
    for (const row of await db.selectFrom('runs').select(['rid', 'run_id']).where('rid', 'in', padded(batch)).execute()) ids.set(row.rid, row.run_id);
  return { total, truncated: found.length > query.limit, pages: starts.map(({ rid, after }) => ({ after, firstRunId: ids.get(rid) as string })) };
}

/** At least one run more than the limit, if there is one. */
async function findInOrder(db: Kysely<Database>, query: RunQuery): Promise<Found[]> {
  const experimentIds = [...new Set(query.experimentIds.map(parseExperimentId))];
  if (experimentIds.length === 0) return [];
  const stages = stagesOf(query.view);
  const partitions =
    experimentIds.length * stages.length <= MAX_PARTITIONS
      ? experimentIds.flatMap((id) => stages.map((stage) => ({ experiments: [id], stages: [stage] })))
      : [{ experiments: experimentIds, stages }];
  const found: Found[] = [];
  let columns: SortColumn[] = [];
  for (const partition of partitions) {
    const keys = await lookUpKeys(db, partition.experiments, [...query.conditions, ...query.orderBy]);
    const result = await searchPartition(db, partition, query, keys);
    columns = result.columns;
    for (const one of result.found) found.push(one);
  }
  if (partitions.length > 1) found.sort((a, b) => compareKeys(a.key, b.key, columns));
  return found;
}

/** The key ids of every metric, param and tag among what is named, in these experiments. */
export async function lookUpKeys(db: Kysely<Database>, experimentIds: number[], named: { kind: string; key: string }[]): Promise<KeyLookup> {
  const wanted = named.filter(({ kind }) => kind === 'metric' || kind === 'param' || kind === 'tag');
  const names = new Set(wanted.map(({ key }) => key));
  if (named.some(({ kind, key }) => kind === 'attribute' && key === 'run_name')) names.add('mlflow.runName');
  const found = new Map<string, number[]>();
  if (names.size > 0) {
    const rows = await db
      .selectFrom('run_keys')
      .select(['id', 'kind', 'name'])
      .where('experiment_id', 'in', padded(experimentIds))
      .where('kind', 'in', [0, 1, 2])
      .where('name', 'in', padded([...names]))
      .execute();
    for (const row of rows) {
      const id = `${row.kind} ${row.name}`;
      found.set(id, [...(found.get(id) ?? []), row.id]);
    }
  }
  return (kind, name) => found.get(`${KeyKind[kind]} ${name}`) ?? [];
}

interface Partition {
  experiments: number[];
  stages: number[];
}

async function searchPartition(
  db: Kysely<Database>,
  partition: Partition,
  query: RunQuery,
  keys: KeyLookup,
): Promise<{ found: Found[]; columns: SortColumn[] }> {
  const terms = query.orderBy.map((order, i) => orderTerm(order, i, keys));
  const ties: SortColumn[] = [];
  const ordered = (key: string) => query.orderBy.some((order) => order.kind === 'attribute' && order.key === key);
  if (!ordered('start_time')) ties.push({ expression: sql.ref('r.start_time'), ascending: false });
  if (!ordered('run_id')) ties.push({ expression: sql.ref('r.run_id'), ascending: true });
  const columns = [...terms.flatMap((term) => term.columns), ...ties];
  const where = [...whereSql(partition, query.conditions, keys), ...(query.datasets === undefined ? [] : exactDatasetsSql(query.datasets))];
  const joins = sql.join(
    terms.map(({ join }) => join),
    sql``,
  );
  const driver = await selectiveDriver(db, query.conditions, keys);
  const lead = terms[0];
  const indexed = lead !== undefined && lead.kind !== 'attribute' && lead.keyIds.length <= 1;
  if (driver !== undefined || !indexed) {
    const from = driver === undefined ? sql`runs r` : sql`${driver.from} f cross join runs r`;
    const whole: Phase = { columns, from, where: driver === undefined ? where : [sql<boolean>`r.rid = f.rid`, driver.where, ...where] };
    return { found: await runPhase(db, whole, joins, query, query.limit + 1), columns };
  }
  const otherJoins = sql.join(
    terms.slice(1).map(({ join }) => join),
    sql``,
  );
  const rest = columns.slice(lead.columns.length);
  const found: Found[] = [];
  for (const phase of phasesOf(lead)) {
    const wanted = query.limit + 1 - found.length;
    if (wanted <= 0) break;
    // A param's or tag's phase refers to its own alias for `rest`, which its driving table carries.
    const whole = { columns: [...phase.columns, ...rest], from: phase.from, where: [...phase.where, ...where] };
    for (const one of await runPhase(db, whole, otherJoins, query, wanted)) found.push(one);
  }
  return { found, columns };
}

const oneOf = (ids: number[]) => (ids.length === 1 ? sql`= ${ids[0]}` : sql`in (${sql.join(ids)})`);
const whereSql = (partition: Partition, conditions: FilterCondition[], keys: KeyLookup): RawBuilder<boolean>[] => [
  sql<boolean>`r.experiment_id ${oneOf(partition.experiments)}`,
  sql<boolean>`r.deleted ${oneOf(partition.stages)}`,
  ...conditions.map((condition) => conditionSql(condition, keys)),
];

export interface MatchingRun {
  rid: number;
  start_time: number;
  status?: string;
  user_id?: string;
}

/** The runs that a filter matches, in no order; status and user only where asked for, since texts cost most of it. */
export async function matchingRuns(
  db: Kysely<Database>,
  partition: Partition,
  conditions: FilterCondition[],
  keys: KeyLookup,
  { status, user, limit }: { status: boolean; user: boolean; limit: number },
): Promise<MatchingRun[]> {
  const driver = await selectiveDriver(db, conditions, keys);
  const where = whereSql(partition, conditions, keys);
  const from = driver === undefined ? sql`runs r` : sql`${driver.from} f cross join runs r`;
  const all = driver === undefined ? where : [sql<boolean>`r.rid = f.rid`, driver.where, ...where];
  const columns = sql`r.rid as rid, r.start_time as start_time${status ? sql`, r.status as status` : sql``}${user ? sql`, r.user_id as user_id` : sql``}`;
  return (await sql<MatchingRun>`select ${columns} from ${from} where ${sql.join(all, sql` and `)} limit ${limit}`.execute(db)).rows;
}

async function runPhase(db: Kysely<Database>, phase: Phase, joins: RawBuilder<unknown>, query: RunQuery, limit: number): Promise<Found[]> {
  const after = query.after === undefined ? undefined : afterSql(phase.columns, query.after);
  if (after === 'none') return [];
  const where = after === undefined ? phase.where : [...phase.where, after];
  const { rows } = await sql<{ rid: number } & Record<string, unknown>>`
    select r.rid as rid, ${selectSql(phase.columns)} from ${phase.from}${joins} where ${sql.join(where, sql` and `)} order by ${orderSql(phase.columns)} limit ${limit}`.execute(
    db,
  );
  return rows.map((row) => ({ rid: row.rid, key: keyOf(row, phase.columns) }));
}

/** The condition that matches the fewest rows, if it is few enough; none is counted beyond the bound. */
async function selectiveDriver(db: Kysely<Database>, conditions: FilterCondition[], keys: KeyLookup): Promise<Driver | undefined> {
  let best: Driver | undefined;
  let fewest = SELECTIVE + 1;
  for (const condition of conditions) {
    const driver = driverOf(condition, keys);
    if (driver === undefined) continue;
    const { rows } = await sql<{ n: number }>`select count(*) as n from (select 1 from ${driver.from} f where ${driver.where} limit ${fewest}) counted`.execute(
      db,
    );
    const count = Number(rows[0]?.n ?? fewest);
    if (count < fewest) {
      fewest = count;
      best = driver;
    }
  }
  return best;
}
