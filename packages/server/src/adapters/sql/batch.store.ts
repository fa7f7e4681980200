import type { Selectable } from 'kysely';
import type { BatchStore, ChunkRecord, JobQuery, JobRecord } from '../../batch/index.ts';
import { conflict, notFound } from '../../kernel/index.ts';
import type { StoreContext } from './engine.ts';
import type { BatchChunksTable, BatchJobsTable } from './schema/batch.ts';

const orNull = (value: number | null): number | null => (value === null ? null : Number(value));

function toJob(row: Selectable<BatchJobsTable>): JobRecord {
  return {
    id: row.id,
    state: row.state as JobRecord['state'],
    spec: JSON.parse(row.spec),
    model: row.model,
    version: Number(row.version),
    fingerprint: JSON.parse(row.fingerprint),
    output: row.output,
    createdAt: Number(row.created_at),
    startedAt: orNull(row.started_at),
    endedAt: orNull(row.ended_at),
    rowsTotal: orNull(row.rows_total),
    chunksTotal: orNull(row.chunks_total),
    rowsRejected: Number(row.rows_rejected),
    rowsDone: Number(row.rows_done),
    rowsFailed: Number(row.rows_failed),
    chunksDone: Number(row.chunks_done),
    inferenceMs: Number(row.inference_ms),
    activeMs: Number(row.active_ms),
    message: row.message,
    error: row.error,
    attempt: Number(row.attempt),
  };
}

const toChunk = (row: Selectable<BatchChunksTable>): ChunkRecord => ({
  chunk: Number(row.chunk),
  file: row.file,
  rows: Number(row.rows_written),
  failed: Number(row.rows_failed),
  bytes: Number(row.bytes),
  inferenceMs: Number(row.inference_ms),
});

export class SqlBatchStore implements BatchStore {
  static readonly reads: ReadonlySet<string> = new Set(['listJobs']);
  readonly #ctx: StoreContext;
  constructor(ctx: StoreContext) {
    this.#ctx = ctx;
  }

  async createJob(job: JobRecord): Promise<void> {
    await this.#refuseBusy(job.output);
    await this.#ctx.db
      .insertInto('batch_jobs')
      .values({
        id: job.id,
        state: job.state,
        model: job.model,
        version: job.version,
        spec: JSON.stringify(job.spec),
        fingerprint: JSON.stringify(job.fingerprint),
        output: job.output,
        created_at: job.createdAt,
        started_at: job.startedAt,
        ended_at: job.endedAt,
        rows_total: job.rowsTotal,
        chunks_total: job.chunksTotal,
        rows_rejected: job.rowsRejected,
        rows_done: job.rowsDone,
        rows_failed: job.rowsFailed,
        chunks_done: job.chunksDone,
        inference_ms: job.inferenceMs,
        active_ms: job.activeMs,
        message: job.message,
        error: job.error,
        attempt: job.attempt,
      })
      .execute();
  }

  async #refuseBusy(output: string): Promise<void> {
    const busy = await this.#ctx.db
      .selectFrom('batch_jobs')
      .select('id')
      .where('state', 'in', ['queued', 'running'])
      .where('output', '=', output)
      .executeTakeFirst();
    if (busy !== undefined)
      throw conflict('batch_output_busy', `The job ${busy.id} is writing to ${output}. Wait for it, or cancel it.`, { details: { job: busy.id } });
  }

  async findJob(id: string): Promise<JobRecord | null> {
    const row = await this.#ctx.db.selectFrom('batch_jobs').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? null : toJob(row);
  }

  async listJobs({ model, limit, after }: JobQuery): Promise<JobRecord[]> {
    let query = this.#ctx.db.selectFrom('batch_jobs').selectAll().orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
    if (model !== undefined) query = query.where('model', '=', model);
    if (after !== undefined)
      query = query.where((e) => e.or([e('created_at', '<', after.createdAt), e.and([e('created_at', '=', after.createdAt), e('id', '<', after.id)])]));
    return (await query.execute()).map(toJob);
  }

  async startJob(id: string): Promise<number | null> {
    const job = await this.findJob(id);
    if (job === null || job.state !== 'queued') return null;
    const attempt = job.attempt + 1;
    await this.#ctx.db
      .updateTable('batch_jobs')
      .set({ state: 'running', attempt, started_at: job.startedAt ?? this.#ctx.now(), ended_at: null, error: null, message: '' })
      .where('id', '=', id)
      .execute();
    return attempt;
  }

  async requeueJob(id: string, spec: JobRecord['spec']): Promise<JobRecord> {
    const job = await this.findJob(id);
    if (job === null) throw notFound('batch_job_not_found', `There is no batch job ${id}.`, { details: { job: id } });
    if (job.state !== 'failed' && job.state !== 'cancelled')
      throw conflict('batch_not_resumable', `The batch job ${id} is ${job.state}; only a failed or cancelled one can be resumed.`, {
        details: { state: job.state },
      });
    await this.#refuseBusy(job.output);
    await this.#ctx.db
      .updateTable('batch_jobs')
      .set({ state: 'queued', spec: JSON.stringify(spec), ended_at: null, error: null, message: 'waiting to be resumed' })
      .where('id', '=', id)
      .execute();
    return (await this.findJob(id)) as JobRecord;
  }

  async noteInput(id: string, attempt: number, facts: { rowsTotal: number; rowsRejected: number; chunksTotal: number }): Promise<void> {
    await this.#update(id, attempt, { rows_total: facts.rowsTotal, rows_rejected: facts.rowsRejected, chunks_total: facts.chunksTotal });
  }

  async noteMessage(id: string, attempt: number, message: string): Promise<void> {
    await this.#update(id, attempt, { message });
  }

  async chunkDone(id: string, attempt: number, chunk: ChunkRecord, activeMs: number): Promise<void> {
    await this.#update(id, attempt, { active_ms: activeMs });
    const key = { job_id: id, chunk: chunk.chunk };
    await this.#ctx.db.deleteFrom('batch_chunks').where('job_id', '=', key.job_id).where('chunk', '=', key.chunk).execute();
    await this.#ctx.db
      .insertInto('batch_chunks')
      .values({ ...key, file: chunk.file, rows_written: chunk.rows, rows_failed: chunk.failed, bytes: chunk.bytes, inference_ms: chunk.inferenceMs })
      .execute();
    await this.#recount(id);
  }

  async listChunks(id: string): Promise<ChunkRecord[]> {
    return (await this.#ctx.db.selectFrom('batch_chunks').selectAll().where('job_id', '=', id).orderBy('chunk').execute()).map(toChunk);
  }

  async forgetChunks(id: string, attempt: number, chunks: number[]): Promise<void> {
    await this.#update(id, attempt, {});
    for (let i = 0; i < chunks.length; i += 500)
      await this.#ctx.db
        .deleteFrom('batch_chunks')
        .where('job_id', '=', id)
        .where('chunk', 'in', chunks.slice(i, i + 500))
        .execute();
    await this.#recount(id);
  }

  async finishJob(id: string, attempt: number, end: Parameters<BatchStore['finishJob']>[2]): Promise<void> {
    await this.#update(id, attempt, { state: end.state, message: end.message, error: end.error, active_ms: end.activeMs, ended_at: this.#ctx.now() });
    await this.#finished(id);
  }

  async cancelQueued(id: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#ctx.db
      .updateTable('batch_jobs')
      .set({ state: 'cancelled', message: 'cancelled before it started', ended_at: this.#ctx.now() })
      .where('id', '=', id)
      .where('state', '=', 'queued')
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    await this.#finished(id);
    return true;
  }

  async recoverJobs(error: string): Promise<{ interrupted: string[]; queued: string[] }> {
    const rows = await this.#ctx.db
      .selectFrom('batch_jobs')
      .select(['id', 'state'])
      .where('state', 'in', ['queued', 'running'])
      .orderBy('created_at')
      .execute();
    const ids = (state: string): string[] => rows.filter((row) => row.state === state).map(({ id }) => id);
    for (const id of ids('running')) {
      await this.#ctx.db
        .updateTable('batch_jobs')
        .set({ state: 'failed', error, message: 'interrupted', ended_at: this.#ctx.now() })
        .where('id', '=', id)
        .execute();
      await this.#finished(id);
    }
    return { interrupted: ids('running'), queued: ids('queued') };
  }

  async #update(id: string, attempt: number, set: Partial<BatchJobsTable>): Promise<void> {
    const row = await this.#ctx.db.selectFrom('batch_jobs').select(['state', 'attempt']).where('id', '=', id).executeTakeFirst();
    if (row === undefined || row.state !== 'running' || Number(row.attempt) !== attempt)
      throw conflict('batch_fenced', `Attempt ${attempt} of the batch job ${id} has been given up.`, { details: { job: id } });
    if (Object.keys(set).length > 0) await this.#ctx.db.updateTable('batch_jobs').set(set).where('id', '=', id).execute();
  }

  async #recount(id: string): Promise<void> {
    const sums = await this.#ctx.db
      .selectFrom('batch_chunks')
      .select((e) => [
        e.fn.countAll<number>().as('chunks'),
        e.fn.sum<number | null>('rows_written').as('rows'),
        e.fn.sum<number | null>('rows_failed').as('failed'),
        e.fn.sum<number | null>('inference_ms').as('inference'),
      ])
      .where('job_id', '=', id)
      .executeTakeFirstOrThrow();
    const failed = Number(sums.failed ?? 0);
    await this.#ctx.db
      .updateTable('batch_jobs')
      .set({ chunks_done: Number(sums.chunks), rows_done: Number(sums.rows ?? 0) + failed, rows_failed: failed, inference_ms: Number(sums.inference ?? 0) })
      .where('id', '=', id)
      .execute();
  }

  async #finished(id: string): Promise<void> {
    const job = await this.findJob(id);
    if (job !== null) await this.#ctx.emit({ type: 'batch.finished', payload: { jobId: id, state: job.state, model: job.model, version: job.version } });
  }
}
