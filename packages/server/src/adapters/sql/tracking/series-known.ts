import type { Kysely, Selectable } from 'kysely';
import type { Points, SeriesOwner } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import type { MetricSeriesTable } from '../schema/tracking.ts';
import { selectHotIn } from './hot.ts';
import { batches, KeyKind } from './keys.ts';
import { pointOf } from './points.ts';

export type SeriesRow = Selectable<MetricSeriesTable>;

/** Points of one series that come in, sorted. */
export interface Fresh {
  key: string;
  keyId: number;
  variant: string;
  owner: SeriesOwner;
  points: Points;
}

/** What is stored of a key that points come for. */
export interface KnownKey {
  keyId: number;
  series: Map<string, SeriesRow>;
  latest: Points | undefined;
}

/** What is stored of the keys of a run that a batch has points for: those that the experiment does not know are missing. */
export async function readKnown(db: Kysely<Database>, runId: string, names: readonly string[]): Promise<Map<string, KnownKey>> {
  const known = new Map<string, KnownKey>();
  for (const batch of batches(names)) {
    const rows = await selectHotIn<KnownRow>(db, 'known-series', (list) => knownSeries(db, list as string[]), [KeyKind.metric, runId], batch);
    for (const row of rows) {
      let key = known.get(row.name);
      if (key === undefined) {
        const latest = row.latest_step === null ? undefined : pointOf(row.latest_step, row.latest_timestamp as number, row.latest_value ?? Number.NaN);
        key = { keyId: row.key_id, series: new Map(), latest };
        known.set(row.name, key);
      }
      if (row.id !== null) key.series.set(row.variant as string, row as SeriesRow);
    }
  }
  return known;
}

type OrNull<T> = { [K in keyof T]: T[K] | null };
type KnownRow = OrNull<Omit<SeriesRow, 'key_id'>> & {
  key_id: number;
  name: string;
  latest_step: number | null;
  latest_timestamp: number | null;
  latest_value: number | null;
};

/** One statement for all: on a database server each is a journey. */
const knownSeries = (db: Kysely<Database>, names: readonly string[]) =>
  db
    .selectFrom('runs as r')
    .innerJoin('run_keys as k', (join) => join.onRef('k.experiment_id', '=', 'r.experiment_id').on('k.kind', '=', 0))
    .leftJoin('metric_series as s', (join) => join.onRef('s.rid', '=', 'r.rid').onRef('s.key_id', '=', 'k.id'))
    .leftJoin('latest_metrics as l', (join) => join.onRef('l.rid', '=', 'r.rid').onRef('l.key_id', '=', 'k.id'))
    .selectAll('s')
    .select(['k.id as key_id', 'k.name', 'l.step as latest_step', 'l.timestamp as latest_timestamp', 'l.value as latest_value'])
    .where('r.run_id', '=', '')
    .where('k.name', 'in', names);
