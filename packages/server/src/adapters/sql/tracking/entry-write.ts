import { createHash } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import type { EntryInput, EntryKind } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import type { EntrySeriesTable } from '../schema/tracking.ts';
import { writeHot } from './hot.ts';
import { batches, findKeys, internMissing, KeyKind, padded } from './keys.ts';

/** Bytes sent at once: a statement of many long texts is none that a server takes. */
const MAX_BYTES = 4 * 1024 * 1024;

interface Row {
  rid: number;
  key_id: number;
  step: number;
  timestamp: number;
  digest: string;
  size: number | null;
  value: Uint8Array;
}
type Series = Selectable<EntrySeriesTable>;

/** 128 bits tell values apart. */
const digestOf = (value: Uint8Array): string => createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url');
const identity = ({ key_id, step, timestamp, digest }: Pick<Row, 'key_id' | 'step' | 'timestamp' | 'digest'>): string =>
  `${key_id} ${step} ${timestamp} ${digest}`;

/** Adds entries to a run's series of strings, histograms and files. One that is there already is not added again. */
export async function writeEntries(db: Kysely<Database>, run: { rid: number; experiment_id: number }, entries: readonly EntryInput[]): Promise<void> {
  const rows = new Map<string, Row>();
  const kinds = new Map<number, number>();
  for (const kind of ['string', 'histogram', 'file'] as const satisfies EntryKind[]) {
    const some = entries.filter((entry) => entry.kind === kind);
    if (some.length === 0) continue;
    const names = [...new Set(some.map(({ key }) => key))];
    const keys = await findKeys(db, run.experiment_id, KeyKind[kind], names);
    await internMissing(db, run.experiment_id, KeyKind[kind], names, keys);
    for (const { key, step, timestamp, size, value } of some) {
      const bytes = Buffer.from(value);
      const row: Row = { rid: run.rid, key_id: keys.get(key) as number, step, timestamp, digest: digestOf(bytes), size, value: bytes };
      kinds.set(row.key_id, KeyKind[kind]);
      rows.set(identity(row), row);
    }
  }
  const keyIds = [...kinds.keys()];
  const series = new Map<number, Series>();
  for (const ids of batches(keyIds))
    for (const row of await db.selectFrom('entry_series').selectAll().where('rid', '=', run.rid).where('key_id', 'in', padded(ids)).execute())
      series.set(row.key_id, row);
  await leaveOutKnown(db, run.rid, rows, series);
  if (rows.size === 0) return;
  for (const some of inserts([...rows.values()])) await writeHot(db, 'series_entries', some);
  await updateSeries(db, run.rid, rows.values(), series, kinds);
}

/** Only series that reach the first of the new steps can hold one of the entries. */
async function leaveOutKnown(db: Kysely<Database>, rid: number, rows: Map<string, Row>, series: ReadonlyMap<number, Series>): Promise<void> {
  const extents = new Map<number, { low: number; high: number }>();
  for (const { key_id, step } of rows.values()) {
    const extent = extents.get(key_id);
    if (extent === undefined) extents.set(key_id, { low: step, high: step });
    else {
      extent.low = Math.min(extent.low, step);
      extent.high = Math.max(extent.high, step);
    }
  }
  const touched = [...extents].filter(([keyId, { low, high }]) => {
    const stored = series.get(keyId);
    return stored !== undefined && low <= stored.last_step && high >= stored.first_step;
  });
  for (const some of batches(touched)) {
    const known = await db
      .selectFrom('series_entries')
      .select(['key_id', 'step', 'timestamp', 'digest'])
      .where('rid', '=', rid)
      .where('key_id', 'in', padded(some.map(([keyId]) => keyId)))
      .where('step', '>=', Math.min(...some.map(([, { low }]) => low)))
      .where('step', '<=', Math.max(...some.map(([, { high }]) => high)))
      .execute();
    for (const row of known) rows.delete(identity(row));
  }
}

function* inserts(rows: Row[]): Iterable<(Row & Record<string, unknown>)[]> {
  let some: (Row & Record<string, unknown>)[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (some.length > 0 && bytes + row.value.length > MAX_BYTES) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push({ ...row });
    bytes += row.value.length;
  }
  if (some.length > 0) yield some;
}

async function updateSeries(
  db: Kysely<Database>,
  rid: number,
  rows: Iterable<Row>,
  stored: ReadonlyMap<number, Series>,
  kinds: ReadonlyMap<number, number>,
): Promise<void> {
  const changed = new Map<number, Series>();
  for (const { key_id, step, timestamp } of rows) {
    const known = changed.get(key_id) ?? stored.get(key_id);
    const newer = known === undefined || step > known.last_step || (step === known.last_step && timestamp > known.last_timestamp);
    changed.set(key_id, {
      rid,
      key_id,
      kind: kinds.get(key_id) as number,
      entries: (known?.entries ?? 0) + 1,
      first_step: Math.min(known?.first_step ?? step, step),
      last_step: newer ? step : known.last_step,
      last_timestamp: newer ? timestamp : known.last_timestamp,
    });
  }
  await writeHot(
    db,
    'entry_series',
    [...changed.values()].map((row) => ({ ...row })),
    { key: ['rid', 'key_id'], fixed: ['kind'] },
  );
}
