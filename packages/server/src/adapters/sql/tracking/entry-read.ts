import { type Kysely, sql } from 'kysely';
import { invalid } from '../../../kernel/index.ts';
import type { EntryKind, EntryPage, EntryQuery, StoredEntry } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import type { Part } from './forks.ts';
import { compareKeys, type SortColumn } from './keyset.ts';
import { batches, KeyKind, padded } from './keys.ts';

/** Bytes of values after which a page ends, however few entries it has; a sample is thinned to twice as many. */
const PAGE_BYTES = 16 * 1024 * 1024;
const KINDS: readonly EntryKind[] = ['string', 'histogram', 'file'];
export const kindName = (kind: number): EntryKind => KINDS.find((name) => KeyKind[name] === kind) as EntryKind;

/** A run's part of a series. */
interface Source {
  part: Part;
  kind: number;
  keyId: number;
  entries: number;
  first: number;
  last: number;
}
/** An entry, but for its value. */
interface Place {
  id: number;
  step: number;
  timestamp: number;
  bytes: number;
  source: Source;
}

/** The series of a name in a run and in those that it was forked from; none: there is no such series. */
async function sourcesOf(db: Kysely<Database>, parts: readonly Part[], key: string, kind: EntryKind | null): Promise<Source[]> {
  const sources: Source[] = [];
  const kinds = (kind === null ? KINDS : [kind]).map((name) => KeyKind[name]);
  for (const part of parts) {
    let select = db
      .selectFrom('run_keys as k')
      .innerJoin('entry_series as s', 's.key_id', 'k.id')
      .select(['k.id', 's.kind', 's.entries', 's.first_step', 's.last_step'])
      .where('k.experiment_id', '=', part.experiment_id)
      .where('k.kind', 'in', kinds)
      .where('k.name', '=', key)
      .where('s.rid', '=', part.rid);
    if (Number.isFinite(part.until)) select = select.where('s.first_step', '<=', part.until);
    for (const row of await select.execute())
      sources.push({ part, kind: row.kind, keyId: row.id, entries: Number(row.entries), first: row.first_step, last: row.last_step });
  }
  const found = [...new Set(sources.map((source) => kindName(source.kind)))];
  if (found.length > 1)
    throw invalid('entry_kind_needed', `The run has series of several kinds called ${JSON.stringify(key)} (${found.join(', ')}): say which by kind.`);
  return sources;
}

const upperEnd = (source: Source, to: number | null): number => Math.min(source.part.until, to ?? Number.POSITIVE_INFINITY);

/** The conditions for a source's entries in a range. */
function within(source: Source, { from, to }: Pick<EntryQuery, 'from' | 'to'>) {
  const end = upperEnd(source, to);
  return sql<boolean>`rid = ${source.part.rid} and key_id = ${source.keyId}${from === null ? sql`` : sql` and step >= ${from}`}${Number.isFinite(end) ? sql` and step <= ${end}` : sql``}`;
}

async function countOf(db: Kysely<Database>, source: Source, range: Pick<EntryQuery, 'from' | 'to'>): Promise<number> {
  if ((range.from ?? source.first) <= source.first && upperEnd(source, range.to) >= source.last) return source.entries;
  const { rows } = await sql<{ n: number }>`select count(*) as n from series_entries where ${within(source, range)}`.execute(db);
  return Number(rows[0]?.n ?? 0);
}

/** Entries after the last one of the page before; the first comparison is what an index goes by. */
function afterSql({ after, descending }: EntryQuery) {
  if (after === null) return sql``;
  const [step, timestamp, id] = after as [number, number, number];
  return descending
    ? sql` and (step, timestamp) <= (${step}, ${timestamp}) and (step < ${step} or timestamp < ${timestamp} or id < ${id})`
    : sql` and (step, timestamp) >= (${step}, ${timestamp}) and (step > ${step} or timestamp > ${timestamp} or id > ${id})`;
}

const bytesOf = (source: Source, size: number | null): number => (source.kind === KeyKind.file ? 256 : Number(size ?? 0));

/** Entries by (step, time, order of logging), from just after `after`. */
export async function readEntries(db: Kysely<Database>, parts: readonly Part[], query: EntryQuery): Promise<EntryPage> {
  const sources = await sourcesOf(db, parts, query.key, query.kind);
  const columns: SortColumn[] = ['step', 'timestamp', 'id'].map((name) => ({ expression: sql.ref(name), ascending: !query.descending }));
  let total = 0;
  const places: Place[] = [];
  for (const source of sources) {
    total += await countOf(db, source, query);
    const direction = query.descending ? sql`desc` : sql`asc`;
    const { rows } = await sql<{ id: number; step: number; timestamp: number; size: number | null }>`
      select id, step, timestamp, size from series_entries where ${within(source, query)}${afterSql(query)}
      order by step ${direction}, timestamp ${direction}, id ${direction} limit ${query.limit + 1}`.execute(db);
    for (const row of rows) places.push({ id: row.id, step: row.step, timestamp: row.timestamp, bytes: bytesOf(source, row.size), source });
  }
  const key = ({ step, timestamp, id }: Place) => [step, timestamp, id];
  places.sort((a, b) => compareKeys(key(a), key(b), columns));
  let bytes = 0;
  const fitting = places.findIndex((place) => (bytes += place.bytes) > PAGE_BYTES);
  const count = Math.min(query.limit, fitting === -1 ? places.length : Math.max(1, fitting));
  const page = places.slice(0, count);
  const last = page[page.length - 1];
  return { total, entries: await load(db, page), ...(places.length > count && last !== undefined ? { next: key(last) } : {}) };
}

/** At most `limit` entries of a range, evenly chosen, first and last kept. */
export async function sampleEntries(db: Kysely<Database>, parts: readonly Part[], query: Omit<EntryQuery, 'after'>): Promise<EntryPage> {
  const sources = await sourcesOf(db, parts, query.key, query.kind);
  let total = 0;
  for (const source of sources) total += await countOf(db, source, query);
  if (total <= query.limit) {
    const page = await readEntries(db, parts, { ...query, after: null });
    if (page.next === undefined) return page;
  }
  // Without the size, an index has all of it.
  const all = sql.join(
    sources.map((source, i) => sql`select ${sql.lit(i)} as source, id, step, timestamp from series_entries where ${within(source, query)}`),
    sql` union all `,
  );
  let places: Place[] = [];
  for (const numbers of batches(evenly(total, query.limit), 500)) {
    const { rows } = await sql<{ source: number; id: number; step: number; timestamp: number; size: number | null }>`
      select c.source, c.id, c.step, c.timestamp, e.size from (
        select source, id, step, timestamp from (
          select a.*, row_number() over (order by step, timestamp, id) as place from (${all}) a) b
        where place in (${sql.join(padded(numbers))})) c join series_entries e on e.id = c.id order by c.step, c.timestamp, c.id`.execute(db);
    for (const row of rows) {
      const source = sources[Number(row.source)] as Source;
      places.push({ id: row.id, step: row.step, timestamp: row.timestamp, bytes: bytesOf(source, row.size), source });
    }
  }
  while (places.length > 2 && places.reduce((sum, place) => sum + place.bytes, 0) > 2 * PAGE_BYTES)
    places = evenly(places.length, Math.ceil(places.length / 2)).map((n) => places[n - 1] as Place);
  if (query.descending) places.reverse();
  return { total, entries: await load(db, places) };
}

/** `count` of the numbers 1 to `total`, evenly spaced, the ends among them. */
function evenly(total: number, count: number): number[] {
  if (total <= count) return Array.from({ length: total }, (_, i) => i + 1);
  if (count === 1) return [total];
  return Array.from({ length: count }, (_, i) => 1 + Math.round((i * (total - 1)) / (count - 1)));
}

async function load(db: Kysely<Database>, places: readonly Place[]): Promise<StoredEntry[]> {
  const values = new Map<number, { value: Uint8Array; size: number | null }>();
  for (const some of batches(places)) {
    const ids = padded(some.map(({ id }) => id));
    for (const row of await db.selectFrom('series_entries').select(['id', 'size', 'value']).where('id', 'in', ids).execute()) values.set(row.id, row);
  }
  return places.map(({ id, step, timestamp, source }) => {
    const { value, size } = values.get(id) as { value: Uint8Array; size: number | null };
    return {
      kind: kindName(source.kind),
      step,
      timestamp,
      value: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8'),
      size: size === null ? null : Number(size),
      runId: source.part.run_id,
      inherited: Number.isFinite(source.part.until),
    };
  });
}
