import type { Kysely } from 'kysely';
import { invalid } from '../../../kernel/index.ts';
import type { GroupColumn, GroupQuery } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { stagesOf } from './experiments.ts';
import { KeyKind } from './keys.ts';
import { Coder, type Codes, datasetCodes, type Members, membersOf, textCodes } from './run-group-values.ts';
import { type MatchingRun, matchingRuns } from './run-search.ts';
import type { KeyLookup } from './run-search-sql.ts';

/** The most runs that are grouped at once: their ids and values stand in memory. */
const MOST_RUNS = 1_000_000;

export interface Group {
  id: number;
  values: (string | null)[];
  runs: number;
  startedFrom: number;
  startedTo: number;
}
export interface Formed {
  groups: Group[];
  members: Members;
  /** The id of its group by a run's place; -1 where there is no member. */
  groupOf: Int32Array;
  attributes: Record<'status' | 'user', () => Codes>;
}

/** The runs that match, put into groups by one column after the other. */
export async function formGroups(db: Kysely<Database>, query: GroupQuery, experimentIds: number[], keys: KeyLookup): Promise<Formed> {
  const texts = [...query.by.flatMap(({ kind, key }) => (kind === 'attribute' ? [key] : [])), ...query.attributes];
  const runs = await matchingRuns(db, { experiments: experimentIds, stages: stagesOf(query.view) }, query.conditions, keys, {
    status: texts.includes('status'),
    user: texts.includes('user'),
    limit: MOST_RUNS + 1,
  });
  if (runs.length > MOST_RUNS)
    throw invalid('too_many_runs', `More than ${MOST_RUNS.toLocaleString('en-US')} runs match, and no more are grouped at once. Filter for fewer.`);
  const rids = runs.map(({ rid }) => rid);
  const members = membersOf(rids, experimentIds, query.conditions.length === 0 && query.view !== 'deleted');
  const attributes = { status: () => attributeCodes(runs, members, 'status'), user: () => attributeCodes(runs, members, 'user_id') };
  let count = 1;
  let groupOf = new Int32Array(members.places).fill(-1);
  for (const rid of rids) groupOf[rid - members.first] = 0;
  let values: (string | null)[][] = [[]];
  for (const column of query.by) {
    const codes = await codesOf(db, column, keys, members, attributes);
    ({ count, groupOf, values } = split(members, groupOf, codes, values));
  }
  const groups = values.slice(0, count).map((of, id): Group => ({ id, values: of, runs: 0, startedFrom: Number.POSITIVE_INFINITY, startedTo: 0 }));
  for (const { rid, start_time } of runs) {
    const group = groups[groupOf[rid - members.first] as number] as Group;
    group.runs++;
    if (start_time < group.startedFrom) group.startedFrom = start_time;
    if (start_time > group.startedTo) group.startedTo = start_time;
  }
  return { groups: runs.length === 0 ? [] : groups, members, groupOf, attributes };
}

/** Each group by the values of one more column. */
function split(members: Members, groupOf: Int32Array, codes: Codes, values: (string | null)[][]) {
  const next = new Int32Array(members.places).fill(-1);
  const ids = new Map<number, number>();
  const found: (string | null)[][] = [];
  for (const rid of members.rids) {
    const place = rid - members.first;
    const code = codes.of[place] as number;
    const group = groupOf[place] as number;
    const pair = group * (codes.texts.length + 1) + code;
    let id = ids.get(pair);
    if (id === undefined) {
      id = found.push([...(values[group] as (string | null)[]), code === 0 ? null : (codes.texts[code - 1] as string)]) - 1;
      ids.set(pair, id);
    }
    next[place] = id;
  }
  return { count: found.length, groupOf: next, values: found };
}

async function codesOf(db: Kysely<Database>, column: GroupColumn, keys: KeyLookup, members: Members, attributes: Formed['attributes']): Promise<Codes> {
  if (column.kind !== 'attribute') return await textCodes(db, KeyKind[column.kind], keys(column.kind, column.key), members);
  return column.key === 'dataset' ? await datasetCodes(db, members) : attributes[column.key]();
}

/** A run without a user has an empty one, which is none. */
function attributeCodes(runs: MatchingRun[], members: Members, key: 'status' | 'user_id'): Codes {
  const codes = new Coder(members);
  for (const run of runs) {
    const text = run[key];
    if (text !== '' && text !== undefined) codes.set(run.rid, text);
  }
  return codes;
}
