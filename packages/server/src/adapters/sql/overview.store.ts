import { type RawBuilder, sql } from 'kysely';
import type { Counts, Hit, OverviewStore } from '../../overview/index.ts';
import type { StoreContext } from './engine.ts';
import type { Database } from './schema/index.ts';

/** LIKE's own signs stand for themselves. */
const escapeLike = (text: string): string => text.replace(/[\\%_]/g, (sign) => `\\${sign}`);

export class SqlOverviewStore implements OverviewStore {
  static readonly reads: ReadonlySet<string> = new Set(['counts', 'find']);
  readonly #ctx: StoreContext;
  constructor(ctx: StoreContext) {
    this.#ctx = ctx;
  }

  async counts(): Promise<Counts> {
    const count = async (table: keyof Database, condition?: RawBuilder<boolean>) => {
      let query = this.#ctx.db.selectFrom(table).select((e) => e.fn.countAll<number>().as('n'));
      if (condition !== undefined) query = query.where(condition);
      return Number((await query.executeTakeFirstOrThrow()).n);
    };
    return {
      experiments: await count('experiments', sql`deleted = 0`),
      runs: await count('runs', sql`deleted = 0`),
      models: await count('registered_models'),
      endpoints: await count('endpoints'),
      batchJobs: await count('batch_jobs'),
      openAlarms: await count('alarms', sql`state = 'open'`),
    };
  }

  async find(text: string, limit: number): Promise<Hit[]> {
    const { db } = this.#ctx;
    const starts = `${escapeLike(text)}%`.toLowerCase();
    const part = `%${escapeLike(text)}%`.toLowerCase();
    const like = (column: string) => sql<boolean>`lower(${sql.ref(column)}) like ${part} escape '\\'`;
    const order = (column: string) => sql`case when lower(${sql.ref(column)}) like ${starts} escape '\\' then 0 else 1 end`;
    const hits: Hit[] = [];
    for (const { name } of await db.selectFrom('endpoints').select('name').where(like('name')).orderBy(order('name')).orderBy('name').limit(limit).execute())
      hits.push({ kind: 'endpoint', id: name, name, detail: 'endpoint' });
    for (const { name, description } of await db
      .selectFrom('registered_models')
      .select(['name', 'description'])
      .where(like('name'))
      .orderBy(order('name'))
      .orderBy('name')
      .limit(limit)
      .execute())
      hits.push({ kind: 'model', id: name, name, detail: description.slice(0, 120) || 'registered model' });
    for (const { id, name } of await db
      .selectFrom('experiments')
      .select(['id', 'name'])
      .where('deleted', '=', 0)
      .where(like('name'))
      .orderBy(order('name'))
      .orderBy('name')
      .limit(limit)
      .execute())
      hits.push({ kind: 'experiment', id: String(id), name, detail: `experiment ${id}` });
    const runs = await db
      .selectFrom('runs')
      .innerJoin('experiments', 'experiments.id', 'runs.experiment_id')
      .select(['runs.run_id', 'runs.name', 'experiments.name as experiment', 'runs.status'])
      .where('runs.deleted', '=', 0)
      .where((e) => e.or([like('runs.name'), e('runs.run_id', '=', text)]))
      .orderBy(order('runs.name'))
      .orderBy('runs.start_time', 'desc')
      .limit(limit)
      .execute();
    for (const run of runs) hits.push({ kind: 'run', id: run.run_id, name: run.name, detail: `run in ${run.experiment}, ${run.status.toLowerCase()}` });
    const jobs = await db
      .selectFrom('batch_jobs')
      .select(['id', 'model', 'state'])
      .where((e) => e.or([like('model'), e('id', '=', text)]))
      .orderBy('created_at', 'desc')
      .limit(limit)
      .execute();
    for (const job of jobs) hits.push({ kind: 'batch', id: job.id, name: `${job.model} batch`, detail: `batch job, ${job.state}` });
    return hits.slice(0, limit);
  }
}
