import { type Kysely, sql } from 'kysely';
import type { EntryKeyQuery, EntryKeySummary, EntryKind } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { contains } from '../text-search.ts';
import { kindName } from './entry-read.ts';
import type { Part } from './forks.ts';
import { compareKeys, type SortColumn } from './keyset.ts';
import { KeyKind } from './keys.ts';

interface Row {
  key_id: number;
  name: string;
  kind: number;
  entries: number;
  first_step: number;
  last_step: number;
  last_timestamp: number;
}

const BY_NAME: SortColumn[] = [
  { expression: sql.ref('name'), ascending: true },
  { expression: sql.ref('kind'), ascending: true },
];

/** Series of strings, histograms and files by name and kind, from just after `after`. */
export async function listEntryKeys(db: Kysely<Database>, parts: readonly Part[], query: EntryKeyQuery): Promise<{ keys: EntryKeySummary[]; more: boolean }> {
  const found = new Map<string, EntryKeySummary>();
  for (const part of parts) {
    for (const row of await rowsOf(db, part, query)) {
      const id = `${row.kind} ${row.name}`;
      found.set(id, merged(found.get(id), summary(part, row.last_step > part.until ? await cut(db, part, row) : row)));
    }
  }
  const keys = [...found.values()].sort((a, b) => compareKeys([a.key, KeyKind[a.kind]], [b.key, KeyKind[b.kind]], BY_NAME));
  return { keys: keys.slice(0, query.limit), more: keys.length > query.limit };
}

async function rowsOf(db: Kysely<Database>, part: Part, query: EntryKeyQuery): Promise<Row[]> {
  const where = [sql<boolean>`s.rid = ${part.rid}`];
  if (Number.isFinite(part.until)) where.push(sql<boolean>`s.first_step <= ${part.until}`);
  if (query.kind !== null) where.push(sql<boolean>`s.kind = ${KeyKind[query.kind]}`);
  if (query.q !== null && query.q !== '') where.push(contains(sql.ref('k.name'), query.q));
  if (query.after !== null) {
    const { name, kind } = query.after;
    where.push(sql<boolean>`(k.name > ${name} or (k.name = ${name} and s.kind > ${KeyKind[kind]}))`);
  }
  const { rows } = await sql<Row>`
    select s.key_id, k.name, s.kind, s.entries, s.first_step, s.last_step, s.last_timestamp from entry_series s join run_keys k on k.id = s.key_id
    where ${sql.join(where, sql` and `)} order by k.name, s.kind limit ${query.limit + 1}`.execute(db);
  return rows;
}

/** What a series is up to the step at which its run was forked. */
async function cut(db: Kysely<Database>, part: Part, row: Row): Promise<Row> {
  const upTo = db.selectFrom('series_entries').where('rid', '=', part.rid).where('key_id', '=', row.key_id).where('step', '<=', part.until);
  const { n } = await upTo.select(({ fn }) => fn.countAll<number>().as('n')).executeTakeFirstOrThrow();
  const last = await upTo.select(['step', 'timestamp']).orderBy('step', 'desc').orderBy('timestamp', 'desc').limit(1).executeTakeFirstOrThrow();
  return { ...row, entries: Number(n), last_step: last.step, last_timestamp: last.timestamp };
}

const summary = (part: Part, row: Row): EntryKeySummary => ({
  key: row.name,
  kind: kindName(row.kind),
  count: Number(row.entries),
  firstStep: row.first_step,
  lastStep: row.last_step,
  lastTimestamp: row.last_timestamp,
  inherited: Number.isFinite(part.until),
});

function merged(a: EntryKeySummary | undefined, b: EntryKeySummary): EntryKeySummary {
  if (a === undefined) return b;
  const newer = b.lastStep > a.lastStep || (b.lastStep === a.lastStep && b.lastTimestamp > a.lastTimestamp) ? b : a;
  return {
    ...a,
    count: a.count + b.count,
    firstStep: Math.min(a.firstStep, b.firstStep),
    lastStep: newer.lastStep,
    lastTimestamp: newer.lastTimestamp,
    inherited: a.inherited && b.inherited,
  };
}

/** How many series of each kind there are. */
export async function countEntryKeys(db: Kysely<Database>, parts: readonly Part[]): Promise<Record<EntryKind, number>> {
  const counts = { string: 0, histogram: 0, file: 0 };
  const [own, ...others] = parts;
  if (own !== undefined && others.length === 0) {
    const rows = await db
      .selectFrom('entry_series')
      .select(({ fn }) => ['kind', fn.countAll<number>().as('n')])
      .where('rid', '=', own.rid)
      .groupBy('kind')
      .execute();
    for (const { kind, n } of rows) counts[kindName(kind)] = Number(n);
    return counts;
  }
  const names = new Set<string>();
  for (const { rid, until } of parts) {
    let select = db.selectFrom('entry_series as s').innerJoin('run_keys as k', 'k.id', 's.key_id').select(['k.name', 's.kind']).where('s.rid', '=', rid);
    if (Number.isFinite(until)) select = select.where('s.first_step', '<=', until);
    for (const { name, kind } of await select.execute()) {
      if (names.has(`${kind} ${name}`)) continue;
      names.add(`${kind} ${name}`);
      counts[kindName(kind)]++;
    }
  }
  return counts;
}
