import { type RawBuilder, sql } from 'kysely';
import type { FilterCondition, OrderBy } from '../../../kernel/filter/index.ts';
import type { SortColumn } from './keyset.ts';
import { clamp } from './points.ts';
import { matchNumber, matchSplitText, matchText } from './text-match.ts';

/** Ids of a metric's, param's or tag's name in the searched experiments; several when several are searched. */
export type KeyLookup = (kind: 'metric' | 'param' | 'tag', name: string) => number[];

const ATTRIBUTES: Record<string, { column: string; nullable?: boolean }> = {
  run_id: { column: 'r.run_id' },
  run_name: { column: 'r.name' },
  user_id: { column: 'r.user_id' },
  status: { column: 'r.status' },
  artifact_uri: { column: 'r.artifact_uri' },
  start_time: { column: 'r.start_time' },
  end_time: { column: 'r.end_time', nullable: true },
  experiment_id: { column: 'r.experiment_id' },
  lifecycle_stage: { column: 'r.deleted' },
};
const TABLES = { metric: 'latest_metrics', param: 'run_params', tag: 'run_tags' } as const;
type Keyed = keyof typeof TABLES;
const isKeyed = (kind: string): kind is Keyed => kind in TABLES;

const NEVER = sql<boolean>`1 = 0`;
const ALWAYS = sql<boolean>`1 = 1`;

/**
 * What a condition says of the value in `alias`, which holds a row of the kind's table.
 * @param byRun The row is found by its run: the value is said as an expression, else SQLite takes the index on values for each run anew,
 *   and a search costs the square of what it matches.
 */
function matchValue(alias: string, condition: FilterCondition, byRun = false): RawBuilder<boolean> {
  if (condition.kind !== 'metric') return matchSplitText(alias, condition);
  const value = byRun ? sql`(${sql.ref(`${alias}.value`)} + 0)` : sql.ref(`${alias}.value`);
  const match = matchNumber(value, condition.operator, clamp(condition.value as number));
  // A NaN is stored as null. It is unequal to everything, and nothing else can be said of it.
  return condition.operator === '!=' ? sql<boolean>`(${match} or ${value} is null)` : match;
}

const keyIn = (alias: string, ids: number[]): RawBuilder<boolean> =>
  ids.length === 1 ? sql<boolean>`${sql.ref(`${alias}.key_id`)} = ${ids[0]}` : sql<boolean>`${sql.ref(`${alias}.key_id`)} in (${sql.join(ids)})`;

/** A condition on the run `r`. */
export function conditionSql(condition: FilterCondition, keys: KeyLookup): RawBuilder<boolean> {
  const { kind, key, operator, value } = condition;
  if (isKeyed(kind)) {
    const ids = keys(kind, key);
    if (ids.length === 0) return operator === 'IS NULL' ? ALWAYS : NEVER;
    const exists = sql<boolean>`exists (select 1 from ${sql.table(TABLES[kind])} c where c.rid = r.rid and ${keyIn('c', ids)}${value === null ? sql`` : sql` and ${matchValue('c', condition, true)}`})`;
    return operator === 'IS NULL' ? sql<boolean>`not ${exists}` : exists;
  }
  if (kind === 'dataset') {
    const column = key === 'context' ? sql.ref('i.context') : sql.ref(`d.${key}`);
    return sql<boolean>`exists (select 1 from run_datasets i join datasets d on d.id = i.dataset_id where i.rid = r.rid and ${matchText(column, condition)})`;
  }
  const column = sql.ref((ATTRIBUTES[key] as { column: string }).column);
  return typeof value === 'number' ? matchNumber(column, operator, value) : matchText(column, condition);
}

/** The run `r` has datasets of these names and no others. */
export function exactDatasetsSql(names: string[]): RawBuilder<boolean>[] {
  const has = (match: RawBuilder<unknown>) =>
    sql<boolean>`exists (select 1 from run_datasets i join datasets d on d.id = i.dataset_id where i.rid = r.rid${match})`;
  const other = names.length === 0 ? sql`` : sql` and d.name not in (${sql.join(names)})`;
  return [...names.map((name) => has(sql` and d.name = ${name}`)), sql<boolean>`not ${has(other)}`];
}

/** A condition whose index can lead the search: the table to start from and what to ask of it. */
export interface Driver {
  from: RawBuilder<unknown>;
  where: RawBuilder<boolean>;
}

export function driverOf(condition: FilterCondition, keys: KeyLookup): Driver | undefined {
  const { kind, key, operator, value } = condition;
  if (kind === 'metric' || ((kind === 'param' || kind === 'tag') && operator === '=')) {
    if (operator === '!=') return undefined;
    const ids = keys(kind, key);
    if (ids.length === 0) return undefined;
    return { from: sql.table(TABLES[kind]), where: sql<boolean>`${keyIn('f', ids)} and ${matchValue('f', condition)}` };
  }
  // A run's name is also its tag, and tags are indexed by value.
  if (kind === 'attribute' && key === 'run_name' && operator === '=') return driverOf({ kind: 'tag', key: 'mlflow.runName', operator, value }, keys);
  if (kind === 'attribute' && key === 'run_id' && (operator === '=' || operator === 'IN'))
    return { from: sql.table('runs'), where: sql<boolean>`f.run_id in (${sql.join([value].flat())})` };
  return undefined;
}

/** A term of order_by: the columns that it sorts by, and the join that brings them. */
export interface OrderTerm {
  kind: OrderBy['kind'];
  ascending: boolean;
  columns: SortColumn[];
  join: RawBuilder<unknown>;
  keyIds: number[];
  alias: string;
}

/** Missing values come last whichever way a term is sorted; before them, for metrics, NaN. */
export function orderTerm({ kind, key, ascending }: OrderBy, index: number, keys: KeyLookup): OrderTerm {
  const alias = `o${index}`;
  if (!isKeyed(kind)) {
    const attribute = ATTRIBUTES[key] as { column: string; nullable?: boolean };
    const column = sql.ref(attribute.column);
    const columns: SortColumn[] = attribute.nullable
      ? [
          { expression: sql`case when ${column} is null then 1 else 0 end`, ascending: true },
          { expression: sql`coalesce(${column}, 0)`, ascending },
        ]
      : [{ expression: column, ascending }];
    return { kind, ascending, columns, join: sql``, keyIds: [], alias };
  }
  const keyIds = keys(kind, key);
  const rid = sql.ref(`${alias}.rid`);
  // With no such key in these experiments the join must still be there, and bring nothing.
  const join = sql` left join ${sql.table(TABLES[kind])} ${sql.ref(alias)} on ${rid} = r.rid and ${keyIds.length === 0 ? NEVER : keyIn(alias, keyIds)}`;
  if (kind === 'metric') {
    const value = sql.ref(`${alias}.value`);
    const columns: SortColumn[] = [
      { expression: sql`case when ${rid} is null then 2 when ${value} is null then 1 else 0 end`, ascending: true },
      { expression: sql`coalesce(${value}, 0)`, ascending },
    ];
    return { kind, ascending, columns, join, keyIds, alias };
  }
  const columns: SortColumn[] = [
    { expression: sql`case when ${rid} is null then 1 else 0 end`, ascending: true },
    { expression: sql`coalesce(${sql.ref(`${alias}.head`)}, '')`, ascending },
    { expression: sql`coalesce(${sql.ref(`${alias}.rest`)}, '')`, ascending },
  ];
  return { kind, ascending, columns, join, keyIds, alias };
}

/** One query of the leading term: its values in index order, its NaN, its missing ones. */
export interface Phase {
  columns: SortColumn[];
  from: RawBuilder<unknown>;
  where: RawBuilder<boolean>[];
}

/** Splits a search ordered by a metric, param or tag into queries that each walk an index, so that a page never sorts every run. */
export function phasesOf(term: OrderTerm): Phase[] {
  const table = sql.table(TABLES[term.kind as Keyed]);
  const alias = sql.ref(term.alias);
  const [classColumn, ...valueColumns] = term.columns as [SortColumn, ...SortColumn[]];
  const classIs = (cls: number): SortColumn => ({ ...classColumn, constant: cls });
  const missingClass = term.kind === 'metric' ? 2 : 1;
  const absent = term.keyIds.length === 0 ? ALWAYS : sql<boolean>`not exists (select 1 from ${table} c where c.rid = r.rid and ${keyIn('c', term.keyIds)})`;
  // What a missing value sorts as, spelled as the general form of the term spells it.
  const empty = (column: SortColumn): SortColumn => ({ ...column, constant: term.kind === 'metric' ? 0 : '' });
  const missing: Phase = { columns: [classIs(missingClass), ...valueColumns.map(empty)], from: sql`runs r`, where: [absent] };
  if (term.keyIds.length === 0) return [missing];
  const joined = sql`${table} ${alias} cross join runs r`;
  const linked = sql<boolean>`r.rid = ${sql.ref(`${term.alias}.rid`)} and ${keyIn(term.alias, term.keyIds)}`;
  if (term.kind !== 'metric') {
    const head = { ...(valueColumns[0] as SortColumn), expression: sql.ref(`${term.alias}.head`) };
    return [{ columns: [classIs(0), head, ...valueColumns.slice(1)], from: joined, where: [linked] }, missing];
  }
  const value = sql.ref(`${term.alias}.value`);
  return [
    { columns: [classIs(0), { expression: value, ascending: term.ascending }], from: joined, where: [linked, sql<boolean>`${value} is not null`] },
    { columns: [classIs(1), ...valueColumns.map(empty)], from: joined, where: [linked, sql<boolean>`${value} is null`] },
    missing,
  ];
}
