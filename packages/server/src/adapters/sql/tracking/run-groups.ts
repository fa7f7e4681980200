import type { Kysely } from 'kysely';
import { invalid } from '../../../kernel/index.ts';
import type { GroupPage, GroupQuery, RunGroupRecord, Shared } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { parseExperimentId } from './experiments.ts';
import { KeyKind } from './keys.ts';
import { type Formed, formGroups, type Group } from './run-group-forming.ts';
import { type Codes, type Members, membersOf, metricValues, textCodes } from './run-group-values.ts';
import { lookUpKeys } from './run-search.ts';
import type { KeyLookup } from './run-search-sql.ts';
import { SpreadOf } from './spread.ts';

/**
 * Groups of runs with mean and spread of their metrics. The database finds the runs and reads values by its indexes; counting and Welford's
 * sums happen here, so that every engine gives the same figures and none overflows. Metrics and shared values are read for the page only,
 * but for the metric that the groups are ordered by.
 */
export async function groupRuns(db: Kysely<Database>, query: GroupQuery): Promise<GroupPage> {
  const experimentIds = [...new Set(query.experimentIds.map(parseExperimentId))];
  const named = (kind: string, names: string[]) => names.map((key) => ({ kind, key }));
  const keys = await lookUpKeys(db, experimentIds, [
    ...query.conditions,
    ...query.by,
    ...named('metric', query.metrics),
    ...named('param', query.params),
    ...named('tag', query.tags),
    ...named('metric', query.order.by === 'metric' ? [query.order.key] : []),
  ]);
  const formed = await formGroups(db, query, experimentIds, keys);
  const means = query.order.by === 'metric' ? await spreads(db, keys, query.order.key, formed.members, formed.groupOf, formed.groups.length) : [];
  const sorted = sortKeys(formed.groups, query, means);
  const start = query.after === undefined ? 0 : firstAfter(sorted, query.after, query.order.ascending);
  const page = sorted.slice(start, start + query.limit);
  const last = page[page.length - 1];
  const groups = await describe(
    db,
    query,
    keys,
    page.map(({ group }) => group),
    formed,
  );
  const more = start + query.limit < sorted.length && last !== undefined;
  return { groups, total: formed.groups.length, runs: formed.members.rids.length, ...(more ? { next: last.key } : {}) };
}

/** A metric's spread in each of the groups, by their ids. */
async function spreads(
  db: Kysely<Database>,
  keys: KeyLookup,
  metric: string,
  members: Members,
  groupOf: Int32Array,
  count: number,
): Promise<(SpreadOf | undefined)[]> {
  const found = Array.from({ length: count }, (): SpreadOf | undefined => undefined);
  await metricValues(db, keys('metric', metric), members, (rid, value) => {
    // Beyond the places there is no member.
    const group = groupOf[rid - members.first] ?? -1;
    if (group >= 0) (found[group] ??= new SpreadOf()).add(value);
  });
  return found;
}

interface Sorted {
  group: Group;
  /** Whether it has nothing to sort by, what it has, its values as text. */
  key: [number, number | string, string];
}

function sortKeys(groups: Group[], { order }: GroupQuery, means: (SpreadOf | undefined)[]): Sorted[] {
  const valueOf = (group: Group) => group.values[Number(order.key)] ?? null;
  const numeric = order.by === 'value' && groups.every((group) => isNumber(valueOf(group)));
  const sortBy = (group: Group): number | string | null => {
    if (order.by === 'runs') return group.runs;
    if (order.by === 'started') return group.startedTo;
    if (order.by === 'metric') return means[group.id]?.mean ?? null;
    const value = valueOf(group);
    return numeric && value !== null ? Number(value) : value;
  };
  return groups
    .map((group): Sorted => {
      const value = sortBy(group);
      return { group, key: [value === null ? 1 : 0, value ?? '', JSON.stringify(group.values)] };
    })
    .sort((a, b) => compare(a.key, b.key, order.ascending));
}
const isNumber = (text: string | null): boolean => text === null || (text.trim() !== '' && Number.isFinite(Number(text)));

function compare(a: readonly unknown[], b: readonly unknown[], ascending: boolean): number {
  const by = (i: number) => (a[i] === b[i] ? 0 : (a[i] as number) < (b[i] as number) ? -1 : 1);
  return by(0) || (ascending ? by(1) : -by(1)) || by(2);
}

function firstAfter(sorted: Sorted[], after: unknown[], ascending: boolean): number {
  if (after.length !== 3 || typeof after[0] !== 'number' || typeof after[2] !== 'string')
    throw invalid('invalid_page_token', 'Invalid page token: it belongs to another search. Start again without one.');
  const at = sorted.findIndex(({ key }) => compare(key, after, ascending) > 0);
  return at < 0 ? sorted.length : at;
}

/** The groups of a page with what was asked of them. */
async function describe(db: Kysely<Database>, query: GroupQuery, keys: KeyLookup, page: Group[], formed: Formed): Promise<RunGroupRecord[]> {
  const { members, rowOf } = onPage(page, formed);
  const records = page.map(
    ({ values, runs, startedFrom, startedTo }): RunGroupRecord => ({
      values,
      runs,
      startedFrom,
      startedTo,
      metrics: {},
      params: {},
      tags: {},
      attributes: {},
    }),
  );
  for (const metric of query.metrics) {
    const found = await spreads(db, keys, metric, members, rowOf, page.length);
    for (const [row, spread] of found.entries()) if (spread !== undefined) define((records[row] as RunGroupRecord).metrics, metric, spread.result());
  }
  const share = (of: 'params' | 'tags' | 'attributes', key: string, codes: Codes) => {
    for (const [row, shared] of sharedValues(members, rowOf, codes, page.length).entries()) define((records[row] as RunGroupRecord)[of], key, shared);
  };
  for (const key of query.params) share('params', key, await textCodes(db, KeyKind.param, keys('param', key), members));
  for (const key of query.tags) share('tags', key, await textCodes(db, KeyKind.tag, keys('tag', key), members));
  // Their places are those of all members.
  for (const key of query.attributes) {
    const { of, texts } = formed.attributes[key]();
    share('attributes', key, { of: of.subarray(members.first - formed.members.first), texts });
  }
  return records;
}

/** The runs of a page's groups, and the row of each run's group. */
function onPage(page: Group[], { groups, groupOf, members: all }: Formed): { members: Members; rowOf: Int32Array } {
  if (page.length === groups.length) {
    const rows = new Int32Array(groups.length);
    for (const [row, { id }] of page.entries()) rows[id] = row;
    return { members: all, rowOf: groupOf.map((id) => (id < 0 ? -1 : (rows[id] as number))) };
  }
  const rows = new Int32Array(groups.length).fill(-1);
  for (const [row, { id }] of page.entries()) rows[id] = row;
  const rids = all.rids.filter((rid) => (rows[groupOf[rid - all.first] as number] as number) >= 0);
  const members = membersOf(rids, all.experimentIds, all.most && rids.length * 2 > all.rids.length);
  const rowOf = new Int32Array(members.places).fill(-1);
  for (const rid of rids) rowOf[rid - members.first] = rows[groupOf[rid - all.first] as number] as number;
  return { members, rowOf };
}

/** How many different values each group has; having none is one. */
function sharedValues(members: Members, rowOf: Int32Array, { of, texts }: Codes, count: number): Shared[] {
  const seen = new Set<number>();
  const shared = Array.from({ length: count }, (): Shared => ({ values: 0, value: null }));
  for (const rid of members.rids) {
    const place = rid - members.first;
    const row = rowOf[place] as number;
    const code = of[place] as number;
    const pair = row * (texts.length + 1) + code;
    if (seen.has(pair)) continue;
    seen.add(pair);
    const one = shared[row] as Shared;
    one.values++;
    one.value = one.values === 1 && code > 0 ? (texts[code - 1] as string) : null;
  }
  return shared;
}

/** As a key of its own, whatever its name: a metric may be called __proto__. */
const define = <T>(record: Record<string, T>, key: string, value: T): unknown =>
  Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
