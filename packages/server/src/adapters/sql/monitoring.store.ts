import type { Alarm, MonitorConfig } from '@binnacle/contract';
import type { LogSegment, StoredSource, TrainingProfile } from '../../monitoring/index.ts';
import type { ActivityDelta, AlarmQuery, BucketDelta, BucketQuery, MonitoringStore, MonitorRecord } from '../../monitoring/monitoring-store.port.ts';
import type { StoreContext } from './engine.ts';
import * as buckets from './monitoring/buckets.ts';
import type { AlarmsTable, MonitorsTable } from './schema/monitoring.ts';

const DAY = 86_400_000;

/** See `MonitoringStore` for what each method promises. */
export class SqlMonitoringStore implements MonitoringStore {
  static readonly reads: ReadonlySet<string> = new Set([
    'listMonitors',
    'getMonitor',
    'counts',
    'profiles',
    'versions',
    'getTrainingProfile',
    'listAlarms',
    'openAlarms',
    'intakeMarks',
    'listSegments',
  ]);
  readonly #ctx: StoreContext;
  constructor(ctx: StoreContext) {
    this.#ctx = ctx;
  }

  async addActivity(session: string, deltas: BucketDelta[], activity: ActivityDelta[]): Promise<void> {
    for (const delta of deltas) await buckets.addBucket(this.#ctx.db, delta);
    for (const delta of activity) await buckets.addTotals(this.#ctx.db, session, delta);
  }

  async intakeMarks(session: string): Promise<{ endpoint: string; recorded: number }[]> {
    const marks = await this.#ctx.db.selectFrom('intake_marks').selectAll().where('session', '=', session).execute();
    return marks.map(({ endpoint, recorded }) => ({ endpoint, recorded: Number(recorded) }));
  }

  async settleIntake(
    session: string,
    recorded: { endpoint: string; rows: number }[],
    recovered: { buckets: BucketDelta[]; activity: ActivityDelta[] },
  ): Promise<{ endpoint: string; rows: number }[]> {
    const { db } = this.#ctx;
    await this.addActivity(session, recovered.buckets, recovered.activity);
    const stored = new Map((await this.intakeMarks(session)).map((mark) => [mark.endpoint, mark.recorded]));
    const lost = recorded.map(({ endpoint, rows }) => ({ endpoint, rows: rows - (stored.get(endpoint) ?? 0) })).filter(({ rows }) => rows > 0);
    for (const { endpoint, rows } of lost) {
      const old = await db.selectFrom('monitors').select('lost').where('endpoint', '=', endpoint).executeTakeFirst();
      if (old !== undefined)
        await db
          .updateTable('monitors')
          .set({ lost: Number(old.lost) + rows })
          .where('endpoint', '=', endpoint)
          .execute();
      else
        await db
          .insertInto('monitors')
          .values({ ...empty(endpoint, ''), lost: rows })
          .execute();
    }
    // Its marks say now that all is stored: a start that was killed before the ledger knew finds nothing more to do.
    await db.deleteFrom('intake_marks').execute();
    for (const { endpoint, rows } of recorded) await db.insertInto('intake_marks').values({ session, endpoint, recorded: rows }).execute();
    return lost;
  }

  async listMonitors(): Promise<MonitorRecord[]> {
    return (await this.#ctx.db.selectFrom('monitors').selectAll().orderBy('endpoint').execute()).map(toMonitor);
  }

  async getMonitor(endpoint: string): Promise<MonitorRecord | null> {
    const row = await this.#ctx.db.selectFrom('monitors').selectAll().where('endpoint', '=', endpoint).executeTakeFirst();
    return row === undefined ? null : toMonitor(row);
  }

  async setConfig(endpoint: string, model: string, config: MonitorConfig): Promise<void> {
    await this.#setMonitor(endpoint, model, { config: JSON.stringify(config) });
  }

  async setLabelled(endpoint: string, labelled: number): Promise<void> {
    await this.#ctx.db.updateTable('monitors').set({ labelled }).where('endpoint', '=', endpoint).execute();
  }

  async addLabelled(endpoint: string, labelled: number): Promise<void> {
    await this.#ctx.db
      .updateTable('monitors')
      .set((eb) => ({ labelled: eb('labelled', '+', labelled) }))
      .where('endpoint', '=', endpoint)
      .execute();
  }

  async #setMonitor(endpoint: string, model: string, change: Partial<MonitorsTable>): Promise<void> {
    const { db } = this.#ctx;
    const known = await db.selectFrom('monitors').select('endpoint').where('endpoint', '=', endpoint).executeTakeFirst();
    if (known !== undefined) await db.updateTable('monitors').set(change).where('endpoint', '=', endpoint).execute();
    else
      await db
        .insertInto('monitors')
        .values({ ...empty(endpoint, model), ...change })
        .execute();
  }

  counts = (query: BucketQuery) => buckets.counts(this.#ctx.db, query);
  profiles = (query: BucketQuery) => buckets.profiles(this.#ctx.db, query);
  versions = (endpoint: string, model: string, sources: StoredSource[]) => buckets.versions(this.#ctx.db, endpoint, model, sources, DAY);

  async putTrainingProfile(model: string, version: number, packageId: string, profile: TrainingProfile): Promise<void> {
    await this.deleteTrainingProfile(model, version);
    const row = { model, version, package_id: packageId, source: profile.source, profile: JSON.stringify(profile), created_at: this.#ctx.now() };
    await this.#ctx.db.insertInto('training_profiles').values(row).execute();
  }

  async getTrainingProfile(model: string, version: number): Promise<{ packageId: string; profile: TrainingProfile } | null> {
    const row = await this.#ctx.db
      .selectFrom('training_profiles')
      .select(['package_id', 'profile'])
      .where('model', '=', model)
      .where('version', '=', version)
      .executeTakeFirst();
    return row === undefined ? null : { packageId: row.package_id, profile: JSON.parse(row.profile) as TrainingProfile };
  }

  async deleteTrainingProfile(model: string, version: number): Promise<void> {
    await this.#ctx.db.deleteFrom('training_profiles').where('model', '=', model).where('version', '=', version).execute();
  }

  async listAlarms(query: AlarmQuery): Promise<Alarm[]> {
    let rows = this.#ctx.db.selectFrom('alarms').selectAll().orderBy('last_window', 'desc').orderBy('raised_at', 'desc').orderBy('id').limit(query.limit);
    if (query.endpoint !== undefined) rows = rows.where('endpoint', '=', query.endpoint);
    if (query.version !== undefined) rows = rows.where('version', '=', query.version);
    if (query.state !== undefined) rows = rows.where('state', '=', query.state);
    return (await rows.execute()).map(toAlarm);
  }

  async saveAlarms(raised: Alarm[], changed: Alarm[]): Promise<void> {
    for (const alarm of raised) {
      await this.#ctx.db
        .insertInto('alarms')
        .values({ id: alarm.id, ...fromAlarm(alarm) })
        .execute();
      await this.#ctx.emit({ type: 'alarm.raised', payload: { id: alarm.id, endpoint: alarm.endpoint, feature: alarm.feature, message: alarm.message } });
    }
    for (const alarm of changed) await this.#ctx.db.updateTable('alarms').set(fromAlarm(alarm)).where('id', '=', alarm.id).execute();
  }

  async openAlarms(): Promise<{ endpoint: string; count: number }[]> {
    const rows = await this.#ctx.db
      .selectFrom('alarms')
      .select((eb) => ['endpoint' as const, eb.fn.countAll<number>().as('count')])
      .where('state', '=', 'open')
      .groupBy('endpoint')
      .execute();
    return rows.map(({ endpoint, count }) => ({ endpoint, count: Number(count) }));
  }

  async listSegments(): Promise<LogSegment[]> {
    const rows = await this.#ctx.db.selectFrom('log_segments').selectAll().orderBy('min_ts').orderBy('id').execute();
    return rows.map((row) => ({
      id: row.id,
      kind: row.kind as LogSegment['kind'],
      path: row.path,
      rows: row.row_count,
      bytes: row.bytes,
      minTs: row.min_ts,
      maxTs: row.max_ts,
      createdAt: row.created_at,
    }));
  }

  async changeSegments(add: LogSegment[], remove: string[]): Promise<void> {
    const { db } = this.#ctx;
    for (const { id, kind, path, rows, bytes, minTs, maxTs, createdAt } of add) {
      const known = await db.selectFrom('log_segments').select('id').where('id', '=', id).executeTakeFirst();
      if (known === undefined)
        await db.insertInto('log_segments').values({ id, kind, path, row_count: rows, bytes, min_ts: minTs, max_ts: maxTs, created_at: createdAt }).execute();
    }
    if (remove.length > 0) await db.deleteFrom('log_segments').where('id', 'in', remove).execute();
  }
}

const empty = (endpoint: string, model: string): MonitorsTable => ({
  endpoint,
  model,
  config: null,
  predictions: 0,
  errors: 0,
  labelled: 0,
  dropped: 0,
  lost: 0,
  first_at: null,
  last_at: null,
  watermark: null,
  last_received_at: null,
});

const toMonitor = (row: MonitorsTable): MonitorRecord => ({
  endpoint: row.endpoint,
  model: row.model,
  config: row.config === null ? null : (JSON.parse(row.config) as MonitorConfig),
  predictions: row.predictions,
  errors: row.errors,
  labelled: row.labelled,
  dropped: row.dropped,
  lost: row.lost,
  firstAt: row.first_at,
  lastAt: row.last_at,
  watermark: row.watermark,
  lastReceivedAt: row.last_received_at,
});

const toAlarm = (row: AlarmsTable): Alarm => ({
  id: row.id,
  endpoint: row.endpoint,
  version: row.version,
  kind: row.kind as Alarm['kind'],
  feature: row.feature,
  state: row.state as Alarm['state'],
  severity: row.severity as Alarm['severity'],
  message: row.message,
  firstWindow: row.first_window,
  lastWindow: row.last_window,
  raisedAt: row.raised_at,
  closedAt: row.closed_at,
  value: row.value,
  threshold: row.threshold,
});

const fromAlarm = (alarm: Alarm): Omit<AlarmsTable, 'id'> => ({
  endpoint: alarm.endpoint,
  version: alarm.version,
  kind: alarm.kind,
  feature: alarm.feature,
  state: alarm.state,
  severity: alarm.severity,
  message: alarm.message,
  first_window: alarm.firstWindow,
  last_window: alarm.lastWindow,
  raised_at: alarm.raisedAt,
  closed_at: alarm.closedAt,
  value: alarm.value,
  threshold: alarm.threshold,
});
