import { type RawBuilder, sql } from 'kysely';
import type { Counts, Hit, OverviewStore } from '../../overview/index.ts';
import type { StoreContext } from './engine.ts';
import type { Database } from './schema/index.ts';
import { contains, startsWith } from './text-search.ts';

/** A hit and whether its name begins with the text, or its id is the text. */
type Found = Hit & { first: number };

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
    const has = (name: string) => contains(sql.ref(name), text);
    // 0 or 1 on every engine: SQLite has no booleans.
    const first = (name: string, id?: string) =>
      sql<number>`case when ${startsWith(sql.ref(name), text)}${id === undefined ? sql`` : sql` or ${sql.ref(id)} = ${text}`} then 1 else 0 end`;
    const endpoints = await db
      .selectFrom('endpoints')
      .select(['name', first('name').as('first')])
      .where(has('name'))
      .orderBy('first', 'desc')
      .orderBy('name')
      .limit(limit)
      .execute();
    const models = await db
      .selectFrom('registered_models')
      .select(['name', 'description', first('name').as('first')])
      .where(has('name'))
      .orderBy('first', 'desc')
      .orderBy('name')
      .limit(limit)
      .execute();
    const experiments = await db
      .selectFrom('experiments')
      .select(['id', 'name', first('name').as('first')])
      .where('deleted', '=', 0)
      .where(has('name'))
      .orderBy('first', 'desc')
      .orderBy('name')
      .limit(limit)
      .execute();
    const runs = await db
      .selectFrom('runs')
      .innerJoin('experiments', 'experiments.id', 'runs.experiment_id')
      .select(['runs.run_id', 'runs.name', 'experiments.name as experiment', 'runs.status', first('runs.name', 'runs.run_id').as('first')])
      .where('runs.deleted', '=', 0)
      .where((e) => e.or([has('runs.name'), e('runs.run_id', '=', text)]))
      .orderBy('first', 'desc')
      .orderBy('runs.start_time', 'desc')
      .limit(limit)
      .execute();
    const jobs = await db
      .selectFrom('batch_jobs')
      .select(['id', 'model', 'state', first('model', 'id').as('first')])
      .where((e) => e.or([has('model'), e('id', '=', text)]))
      .orderBy('first', 'desc')
      .orderBy('created_at', 'desc')
      .limit(limit)
      .execute();
    const hits: Found[] = [
      ...endpoints.map(({ name, first }): Found => ({ kind: 'endpoint', id: name, name, detail: 'endpoint', first })),
      ...models.map(
        ({ name, description, first }): Found => ({ kind: 'model', id: name, name, detail: description.slice(0, 120) || 'registered model', first }),
      ),
      ...experiments.map(({ id, name, first }): Found => ({ kind: 'experiment', id: String(id), name, detail: `experiment ${id}`, first })),
      ...runs.map(
        (run): Found => ({ kind: 'run', id: run.run_id, name: run.name, detail: `run in ${run.experiment}, ${run.status.toLowerCase()}`, first: run.first }),
      ),
      ...jobs.map((job): Found => ({ kind: 'batch', id: job.id, name: `${job.model} batch`, detail: `batch job, ${job.state}`, first: job.first })),
    ];
    // The sort keeps the order of the kinds and of each kind's own.
    return hits
      .sort((a, b) => b.first - a.first)
      .slice(0, limit)
      .map(({ kind, id, name, detail }) => ({ kind, id, name, detail }));
  }
}
