import type { Kysely } from 'kysely';
import type { StoredSource } from '../../../monitoring/index.ts';
import type { ActivityDelta, BucketCounts, BucketDelta, BucketQuery } from '../../../monitoring/monitoring-store.port.ts';
import { mergeEncodedLatency, mergeEncodedProfiles } from '../../../monitoring/profile/index.ts';
import type { Database } from '../schema/index.ts';
import type { MonitorBucketsTable } from '../schema/monitoring.ts';

type Db = Kysely<Database>;

/** Reads what is there, adds, writes back: the caller's transaction makes it one step. */
export async function addBucket(db: Db, delta: BucketDelta): Promise<void> {
  const key = { endpoint: delta.endpoint, model: delta.model, level: delta.level, start: delta.start, version: delta.version, source: delta.source };
  const old = await db
    .selectFrom('monitor_buckets')
    .selectAll()
    .where((eb) => eb.and(key))
    .executeTakeFirst();
  const sum = (name: 'requests' | 'predictions' | 'errors' | 'score_sum' | 'score_count' | 'prediction_sum' | 'prediction_count' | 'profiled', more: number) =>
    Number(old?.[name] ?? 0) + more;
  const row = {
    requests: sum('requests', delta.requests),
    predictions: sum('predictions', delta.predictions),
    profiled: sum('profiled', delta.rows),
    errors: sum('errors', delta.errors),
    score_sum: sum('score_sum', delta.scoreSum),
    score_count: sum('score_count', delta.scoreCount),
    prediction_sum: sum('prediction_sum', delta.predictionSum),
    prediction_count: sum('prediction_count', delta.predictionCount),
    latency: mergeEncodedLatency(old?.latency ?? null, delta.latency),
    profile: mergeEncodedProfiles(old?.profile ?? null, delta.profile),
  };
  if (old === undefined)
    await db
      .insertInto('monitor_buckets')
      .values({ ...key, ...row })
      .execute();
  else
    await db
      .updateTable('monitor_buckets')
      .set(row)
      .where((eb) => eb.and(key))
      .execute();
}

const least = (a: number | null, b: number | null): number | null => (a === null || b === null ? (a ?? b) : Math.min(a, b));
const most = (a: number | null, b: number | null): number | null => (a === null || b === null ? (a ?? b) : Math.max(a, b));

export async function addTotals(db: Db, session: string, delta: ActivityDelta): Promise<void> {
  const old = await db.selectFrom('monitors').selectAll().where('endpoint', '=', delta.endpoint).executeTakeFirst();
  const row = {
    // Rows left out under overload may come without it.
    model: delta.model || (old?.model ?? ''),
    predictions: Number(old?.predictions ?? 0) + delta.predictions,
    errors: Number(old?.errors ?? 0) + delta.errors,
    dropped: Number(old?.dropped ?? 0) + delta.dropped,
    first_at: least(old?.first_at ?? null, delta.firstAt),
    last_at: most(old?.last_at ?? null, delta.lastAt),
    watermark: most(old?.watermark ?? null, delta.watermark),
    last_received_at: most(old?.last_received_at ?? null, delta.lastReceivedAt),
  };
  if (old === undefined)
    await db
      .insertInto('monitors')
      .values({ endpoint: delta.endpoint, config: null, labelled: 0, lost: 0, ...row })
      .execute();
  else await db.updateTable('monitors').set(row).where('endpoint', '=', delta.endpoint).execute();
  await db.deleteFrom('intake_marks').where('session', '=', session).where('endpoint', '=', delta.endpoint).execute();
  await db.insertInto('intake_marks').values({ session, endpoint: delta.endpoint, recorded: delta.recorded }).execute();
}

const inRange = (db: Db, query: BucketQuery) => {
  const rows = db
    .selectFrom('monitor_buckets')
    .where('endpoint', '=', query.endpoint)
    .where('model', '=', query.model)
    .where('level', '=', query.level)
    .where('start', '>=', query.from)
    .where('start', '<', query.to)
    .where('source', 'in', query.sources);
  return query.version === undefined ? rows : rows.where('version', '=', query.version);
};

export async function counts(db: Db, query: BucketQuery): Promise<BucketCounts[]> {
  const rows = await inRange(db, query)
    .select([
      'endpoint',
      'model',
      'version',
      'source',
      'start',
      'requests',
      'predictions',
      'profiled',
      'errors',
      'score_sum',
      'score_count',
      'prediction_sum',
      'prediction_count',
      'latency',
    ])
    .orderBy('start')
    .execute();
  return rows.map(toCounts);
}

const toCounts = (row: Omit<MonitorBucketsTable, 'profile' | 'level'>): BucketCounts => ({
  endpoint: row.endpoint,
  model: row.model,
  version: row.version,
  source: row.source as StoredSource,
  start: row.start,
  requests: row.requests,
  predictions: row.predictions,
  rows: row.profiled,
  errors: row.errors,
  scoreSum: row.score_sum,
  scoreCount: row.score_count,
  predictionSum: row.prediction_sum,
  predictionCount: row.prediction_count,
  latency: row.latency,
});

export async function profiles(db: Db, query: BucketQuery): Promise<{ version: number; start: number; rows: number; profile: Uint8Array }[]> {
  const rows = await inRange(db, query).select(['version', 'start', 'profiled', 'profile']).where('profiled', '>', 0).orderBy('start').execute();
  return rows.flatMap(({ version, start, profiled, profile }) => (profile === null ? [] : [{ version, start, rows: profiled, profile }]));
}

export async function versions(
  db: Db,
  endpoint: string,
  model: string,
  sources: StoredSource[],
  level: number,
): Promise<{ version: number; rows: number; newest: number }[]> {
  const rows = await db
    .selectFrom('monitor_buckets')
    .select((eb) => ['version' as const, eb.fn.sum<number>('profiled').as('rows'), eb.fn.max('start').as('newest')])
    .where('endpoint', '=', endpoint)
    .where('model', '=', model)
    .where('level', '=', level)
    .where('source', 'in', sources)
    .where('version', '>', 0)
    .groupBy('version')
    .orderBy('version')
    .execute();
  return rows.map(({ version, rows, newest }) => ({ version, rows: Number(rows), newest: Number(newest) }));
}
