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

interface Extent {
  low: number;
  high: number;
  since: number;
  until: number;
}

/** Only a series that the new entries do not lie behind can hold one of them; of its entries, those in the extent of the new ones are looked at. */
async function leaveOutKnown(db: Kysely<Database>, rid: number, rows: Map<string, Row>, series: ReadonlyMap<number, Series>): Promise<void> {
  // Keys of one extent are asked for together: a training logs many at a step.
  const groups = new Map<string, { extent: Extent; keyIds: number[] }>();
  for (const [keyId, extent] of extentsOf(rows.values())) {
    const stored = series.get(keyId);
    if (stored === undefined || isBehind(extent, stored)) continue;
    const id = Object.values(extent).join(' ');
    const group = groups.get(id) ?? { extent, keyIds: [] };
    group.keyIds.push(keyId);
    groups.set(id, group);
  }
  for (const { extent, keyIds } of groups.values())
    for (const ids of batches(keyIds)) {
      let select = db.selectFrom('series_entries').select(['key_id', 'step', 'timestamp', 'digest']).where('rid', '=', rid).where('key_id', 'in', padded(ids));
      // Of one step, an index finds the times.
      select = extent.low === extent.high ? select.where('step', '=', extent.low) : select.where('step', '>=', extent.low).where('step', '<=', extent.high);
      for (const row of await select.where('timestamp', '>=', extent.since).where('timestamp', '<=', extent.until).execute()) rows.delete(identity(row));
    }
}

/** Whether all of the new entries come after what is stored, or before. */
const isBehind = ({ low, high, since }: Extent, { first_step, last_step, last_timestamp }: Series): boolean =>
  low > last_step || high < first_step || (low === last_step && since > last_timestamp);

function extentsOf(rows: Iterable<Row>): Map<number, Extent> {
  const extents = new Map<number, Extent>();
  for (const { key_id, step, timestamp } of rows) {
    const extent = extents.get(key_id);
    if (extent === undefined) {
      extents.set(key_id, { low: step, high: step, since: timestamp, until: timestamp });
      continue;
    }
    extent.low = Math.min(extent.low, step);
    extent.high = Math.max(extent.high, step);
    extent.since = Math.min(extent.since, timestamp);
    extent.until = Math.max(extent.until, timestamp);
  }
  return extents;
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
