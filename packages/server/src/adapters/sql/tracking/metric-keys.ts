import { type Kysely, sql } from 'kysely';
import type { MetricKeySummary, Points } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { contains } from '../text-search.ts';
import { bytesToDouble, decodeSegments } from './chunk-codec.ts';
import type { Part } from './forks.ts';
import { batches, KeyKind, padded } from './keys.ts';
import { comparePoints, merge, type PointSummary, pick, pointOf, restore, sortUnique, summarize, upToStep } from './points.ts';

interface KeyQuery {
  q: string | null;
  limit: number;
  after: string | null;
}
interface LatestRow {
  key_id: number;
  name: string;
  value: number | null;
  infinite: number;
  step: number;
  timestamp: number;
}
type Extent = Pick<PointSummary, 'points' | 'minValue' | 'maxValue'>;

/** Keys by name with their latest point and the extent of all series of the key, those that a fork inherits among them. */
export async function listMetricKeys(db: Kysely<Database>, parts: readonly Part[], query: KeyQuery): Promise<{ metrics: MetricKeySummary[]; more: boolean }> {
  const found = new Map<string, MetricKeySummary>();
  for (const part of parts) {
    const rows = await latestRows(db, part, query);
    const summaries = part === parts[0] ? await ownSummaries(db, part, rows) : await inheritedSummaries(db, part, rows);
    for (const summary of summaries) found.set(summary.key, merged(found.get(summary.key), summary));
  }
  const all = [...found.values()];
  // One run's come in the order of the database.
  const metrics = parts.length === 1 ? all : all.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  return { metrics: metrics.slice(0, query.limit), more: metrics.length > query.limit };
}

/** Of a run before a fork, keys that have points up to there. */
const reaches = ({ until }: Part) =>
  Number.isFinite(until) ? sql` and exists (select 1 from metric_series s where s.rid = l.rid and s.key_id = l.key_id and s.min_step <= ${until})` : sql``;

async function latestRows(db: Kysely<Database>, part: Part, query: KeyQuery): Promise<LatestRow[]> {
  const where = [sql<boolean>`k.experiment_id = ${part.experiment_id} and k.kind = ${KeyKind.metric}`];
  if (query.q !== null && query.q !== '') where.push(contains(sql.ref('k.name'), query.q));
  if (query.after !== null) where.push(sql<boolean>`k.name > ${query.after}`);
  const { rows } = await sql<LatestRow>`
    select k.id as key_id, k.name, l.value, l.infinite, l.step, l.timestamp from run_keys k cross join latest_metrics l
    where l.rid = ${part.rid} and l.key_id = k.id and ${sql.join(where, sql` and `)}${reaches(part)} order by k.name limit ${query.limit + 1}`.execute(db);
  return rows;
}

async function ownSummaries(db: Kysely<Database>, part: Part, rows: LatestRow[]): Promise<MetricKeySummary[]> {
  const extents = new Map<number, Extent>();
  for (const ids of batches(rows.map((row) => row.key_id))) {
    const found = await db
      .selectFrom('metric_series')
      .select(({ fn }) => ['key_id', fn.sum<number>('points').as('points'), fn.min('min_value').as('min'), fn.max('max_value').as('max')])
      .where('rid', '=', part.rid)
      .where('key_id', 'in', padded(ids))
      .groupBy('key_id')
      .execute();
    for (const row of found) extents.set(row.key_id, { points: Number(row.points), minValue: row.min, maxValue: row.max });
  }
  return rows.map((row) => ({
    key: row.name,
    value: restore(row.value, row.infinite),
    step: row.step,
    timestamp: row.timestamp,
    ...extentOf(extents.get(row.key_id)),
    inherited: false,
  }));
}

const extentOf = (extent: Extent | undefined) => ({ count: extent?.points ?? 0, min: extent?.minValue ?? Number.NaN, max: extent?.maxValue ?? Number.NaN });

/** What the run's metrics were up to the step of the fork, from the summaries of the series and of their chunks. */
async function inheritedSummaries(db: Kysely<Database>, part: Part, rows: LatestRow[]): Promise<MetricKeySummary[]> {
  const known = new Map<number, { extent: PointSummary; latest: Points }>();
  const add = (keyId: number, extent: PointSummary, latest: Points) => {
    const old = known.get(keyId);
    if (old === undefined) known.set(keyId, { extent, latest });
    else known.set(keyId, { extent: merge(old.extent, extent), latest: comparePoints(latest, 0, old.latest, 0) > 0 ? latest : old.latest });
  };
  const cut = new Map<number, number>();
  for (const ids of batches(rows.map((row) => row.key_id))) {
    const series = await db
      .selectFrom('metric_series')
      .select(['id', 'key_id', 'points', 'min_value', 'max_value', 'min_step', 'max_step', 'min_timestamp', 'max_timestamp'])
      .select(['last_step', 'last_timestamp', 'last_value'])
      .where('rid', '=', part.rid)
      .where('key_id', 'in', padded(ids))
      .where('min_step', '<=', part.until)
      .execute();
    for (const row of series)
      if (row.max_step > part.until) cut.set(row.id, row.key_id);
      else add(row.key_id, summaryOf(row), pointOf(row.last_step, row.last_timestamp, bytesToDouble(row.last_value)));
  }
  for (const ids of batches([...cut.keys()], 200)) {
    for (const { seriesId, points, summary } of await cutSeries(db, ids, part.until)) {
      if (summary !== undefined) add(cut.get(seriesId) as number, summary.extent, summary.latest);
      else if (points.steps.length > 0) add(cut.get(seriesId) as number, summarize(points), pick(points, [points.steps.length - 1]));
    }
  }
  return rows.flatMap(({ key_id, name }) => {
    const of = known.get(key_id);
    if (of === undefined) return [];
    const { steps, timestamps, values } = of.latest;
    return { key: name, value: values[0] as number, step: steps[0] as number, timestamp: timestamps[0] as number, ...extentOf(of.extent), inherited: true };
  });
}

/** Chunks of series up to a step: those before it by their summaries, the others and the tails by their points. */
async function cutSeries(
  db: Kysely<Database>,
  ids: number[],
  until: number,
): Promise<{ seriesId: number; points: Points; summary?: { extent: PointSummary; latest: Points } }[]> {
  const found: Awaited<ReturnType<typeof cutSeries>> = [];
  const none = pointOf(0, 0, 0);
  const chunks = () => db.selectFrom('metric_chunks').where('series_id', 'in', padded(ids));
  const before = await chunks()
    .select(['series_id', 'points', 'min_value', 'max_value', 'min_step', 'max_step', 'min_timestamp', 'max_timestamp', 'last_timestamp', 'last_value'])
    .where('max_step', '<=', until)
    .execute();
  for (const row of before)
    found.push({
      seriesId: row.series_id,
      points: none,
      summary: { extent: summaryOf(row), latest: pointOf(row.max_step, row.last_timestamp, bytesToDouble(row.last_value)) },
    });
  const across = await chunks().select(['series_id', 'points', 'data']).where('max_step', '>', until).where('min_step', '<=', until).execute();
  for (const row of across) found.push({ seriesId: row.series_id, points: upToStep(decodeSegments(row.data, row.points), until) });
  const tails = await db
    .selectFrom('metric_series')
    .select(['id', 'tail', 'tail_points'])
    .where('id', 'in', padded(ids))
    .where('tail_points', '>', 0)
    .execute();
  for (const row of tails) found.push({ seriesId: row.id, points: upToStep(sortUnique(decodeSegments(row.tail, row.tail_points)), until) });
  return found;
}

const summaryOf = (row: {
  points: number;
  min_value: number | null;
  max_value: number | null;
  min_step: number;
  max_step: number;
  min_timestamp: number;
  max_timestamp: number;
}): PointSummary => ({
  points: Number(row.points),
  minValue: row.min_value,
  maxValue: row.max_value,
  minStep: row.min_step,
  maxStep: row.max_step,
  minTimestamp: row.min_timestamp,
  maxTimestamp: row.max_timestamp,
});

function merged(a: MetricKeySummary | undefined, b: MetricKeySummary): MetricKeySummary {
  if (a === undefined) return b;
  const point = (of: MetricKeySummary) => pointOf(of.step, of.timestamp, of.value);
  const { value, step, timestamp } = comparePoints(point(b), 0, point(a), 0) > 0 ? b : a;
  const least = (x: number, y: number) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.min(x, y));
  return {
    key: a.key,
    value,
    step,
    timestamp,
    count: a.count + b.count,
    min: least(a.min, b.min),
    max: -least(-a.max, -b.max),
    inherited: a.inherited && b.inherited,
  };
}

/** How many keys there are. */
export async function countMetricKeys(db: Kysely<Database>, parts: readonly Part[]): Promise<number> {
  const [own, ...others] = parts;
  if (own !== undefined && others.length === 0) {
    const { n } = await db
      .selectFrom('latest_metrics')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .where('rid', '=', own.rid)
      .executeTakeFirstOrThrow();
    return Number(n);
  }
  const names = new Set<string>();
  for (const part of parts) {
    const { rows } = await sql<{ name: string }>`
      select k.name from latest_metrics l join run_keys k on k.id = l.key_id where l.rid = ${part.rid}${reaches(part)}`.execute(db);
    for (const { name } of rows) names.add(name);
  }
  return names.size;
}
