import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  BinnacleError,
  conflict,
  decodePageToken,
  encodePageToken,
  invalid,
  messageOf,
  newId,
  notFound,
  type Page,
  systemClock,
  unavailable,
} from '../kernel/index.ts';
import type { ModelPackage } from '../registry/index.ts';
import type { PathAccess } from '../tables/index.ts';
import { createLocalQueue } from './job-queue.ts';
import { manifestOf, OutputFolder, taken } from './output-folder.ts';
import { prepare, type Prepared } from './prepare.ts';
import { ProgressMeter } from './progress.ts';
import { Cancelled, hasLost, type RunnerDeps, runJob } from './runner.ts';
import type { BatchFile, BatchJob, BatchSpec, JobRecord } from './types.ts';
import { type JobEnd, UnstoredEnds } from './unstored-ends.ts';
import { differences, jobView } from './view.ts';
import { Waiters } from './waiters.ts';

export interface BatchDeps extends RunnerDeps {
  access: PathAccess;
  /** Jobs that run at the same time; 2 by default. */
  maxJobs?: number;
  /** Milliseconds between two tries to store what could not be stored; 5,000 by default. */
  retryMs?: number;
  clock?: () => number;
  /** Whether this server is the one of those on its database that runs batch jobs; always, by default. Asked before anything is begun. */
  lease?: () => Promise<boolean>;
}

export interface BatchService {
  /**
   * Takes up the jobs of a process that ended: queued ones are queued again, running ones become failed and can be resumed. A server that has not the lease
   * does so once it gets it, and until then refuses to create, resume and cancel with `unavailable` (batch_elsewhere).
   */
  start(): Promise<void>;
  /**
   * Checks model, input, columns, SQL and output, then queues a job. With `resume` and an earlier job in the same output, that job is
   * queued again; throws `conflict` (batch_resume_mismatch) when model, input or parameters differ.
   */
  create(spec: BatchSpec): Promise<BatchJob>;
  get(id: string): Promise<BatchJob>;
  list(query: { model?: string | undefined; limit: number; pageToken?: string | undefined }): Promise<Page<BatchJob>>;
  cancel(id: string): Promise<BatchJob>;
  resume(id: string): Promise<BatchJob>;
  files(id: string): Promise<BatchFile[]>;
  /** The bytes of a file that `files` names. */
  openFile(id: string, name: string): Promise<{ stream: Readable; bytes: number; name: string }>;
  /** Resolves when the job has ended. */
  finished(id: string): Promise<BatchJob>;
  /** Stops the jobs after the chunks in flight, to be resumed. */
  close(): Promise<void>;
}

interface Run {
  meter: ProgressMeter;
  abort: AbortController;
}

const isOpen = ({ state }: JobRecord): boolean => state === 'queued' || state === 'running';

const INTERRUPTED = 'The server stopped while this job ran. Resume it to go on: what is done stays.';

export function createBatchService(deps: BatchDeps): BatchService {
  const { store } = deps;
  const now = deps.clock ?? systemClock;
  const active = new Map<string, Run>();
  /** Between the queue and the store's word that the job is ours. */
  const starting = new Map<string, Run>();
  const waiters = new Waiters();
  let closing = false;
  const queue = createLocalQueue(deps.maxJobs ?? 2, work);
  const retryMs = deps.retryMs ?? 5000;
  const ends = new UnstoredEnds({ store, logger: deps.logger, retryMs, onStored: (id) => waiters.wake(id) });

  let owning = false;
  let recovering: Promise<void> | undefined;

  async function owns(): Promise<boolean> {
    if (deps.lease !== undefined && !(await deps.lease())) {
      owning = false;
      return false;
    }
    if (owning) return true;
    // One that comes meanwhile waits for the jobs of the server before.
    recovering ??= recover().finally(() => (recovering = undefined));
    await recovering;
    owning = true;
    return true;
  }

  async function recover(): Promise<void> {
    const { interrupted, queued } = await store.recoverJobs(INTERRUPTED);
    for (const id of interrupted) await removeWork(id);
    for (const id of queued) queue.push(id);
  }

  async function needLease(): Promise<void> {
    if (deps.lease === undefined || (await owns())) return;
    throw unavailable(
      'batch_elsewhere',
      'Another server on this database runs the batch jobs. Send this to that one; when it has stopped, this one takes over with the next request.',
      { retryAfterSeconds: 5 },
    );
  }

  async function work(id: string): Promise<void> {
    try {
      // It is the other server's to begin by now: that one found it queued when it got the lease. What runs already is fenced off by the store.
      if (deps.lease !== undefined && !(await owns())) return;
      const job = await known(id);
      const run: Run = { meter: new ProgressMeter(job.activeMs), abort: new AbortController() };
      starting.set(id, run);
      let attempt: number | null;
      try {
        attempt = await store.startJob(id);
        if (attempt !== null) active.set(id, run);
      } finally {
        if (starting.get(id) === run) starting.delete(id);
      }
      if (attempt === null) return;
      await ends.store(id, attempt, await runAttempt({ ...job, attempt }, run));
      // The next attempt may have begun already.
      if (active.get(id) === run) active.delete(id);
    } catch (err) {
      deps.logger.error({ err, job: id }, 'a batch job could not be started; it is tried again');
      setTimeout(() => queue.push(id), retryMs).unref();
    } finally {
      waiters.wake(id);
    }
  }

  async function runAttempt(job: JobRecord, { meter, abort }: Run): Promise<JobEnd> {
    if (closing) abort.abort();
    try {
      const message = await runJob(job, deps, meter, abort.signal);
      return { state: 'succeeded', message, error: null, activeMs: meter.activeMs };
    } catch (error) {
      if (error instanceof Cancelled && closing) return { state: 'failed', message: 'interrupted', error: INTERRUPTED, activeMs: meter.activeMs };
      if (error instanceof Cancelled) return { state: 'cancelled', message: 'cancelled; it can be resumed', error: null, activeMs: meter.activeMs };
      const text = messageOf(error);
      deps.logger.warn({ err: error, job: job.id }, 'a batch job failed');
      return {
        state: 'failed',
        message: 'failed; it can be resumed',
        error: error instanceof BinnacleError && error.code === 'disk_full' && !text.includes('resume') ? `${text} Make room, then resume the job.` : text,
        activeMs: meter.activeMs,
      };
    } finally {
      await removeWork(job.id);
    }
  }

  /** A copy that stays costs space until the next start, and no more. */
  const removeWork = (id: string): Promise<void> =>
    rm(join(deps.workRoot, id), { recursive: true, force: true }).catch((err: unknown) =>
      deps.logger.warn({ err, job: id }, 'the working copy of a batch job could not be removed'),
    );

  async function known(id: string): Promise<JobRecord> {
    const job = await store.findJob(id);
    if (job === null) throw notFound('batch_job_not_found', `There is no batch job ${id}.`, { details: { job: id } });
    return job;
  }

  /** A job whose end is not stored, or got lost, is ended first. Throws when that cannot be stored yet. */
  async function settled(id: string, lost: 'failed' | 'cancelled'): Promise<JobRecord> {
    await ends.settle(id);
    const job = await known(id);
    if (job.state !== 'running' || active.has(id) || starting.has(id)) return job;
    const message = lost === 'failed' ? 'interrupted' : 'cancelled; it can be resumed';
    await store.finishJob(id, job.attempt, { state: lost, message, error: lost === 'failed' ? INTERRUPTED : null, activeMs: job.activeMs });
    waiters.wake(id);
    return known(id);
  }

  /** Throws `conflict` (batch_output_busy) when another job writes there, and not when that has ended in truth. */
  async function createJob(job: JobRecord): Promise<void> {
    try {
      await store.createJob(job);
    } catch (error) {
      const busy = error instanceof BinnacleError && error.code === 'batch_output_busy' ? error.details?.['job'] : undefined;
      if (typeof busy !== 'string' || isOpen(await settled(busy, 'failed'))) throw error;
      await store.createJob(job);
    }
  }

  const view = (job: JobRecord): BatchJob => {
    const unstored = ends.find(job.id);
    if (unstored === undefined) return jobView(job, active.get(job.id)?.meter);
    return jobView({ ...job, message: `has ended (${unstored.end.state}), which cannot be stored yet: ${unstored.reason}` });
  };

  async function resolveModel(spec: BatchSpec): Promise<ModelPackage> {
    if (spec.version !== undefined) return deps.models.resolve(spec.model, { version: spec.version });
    if (spec.alias !== undefined) return deps.models.resolve(spec.model, { alias: spec.alias });
    // The version that the team stands for, or the newest where none is named so.
    const aliases = await deps.models.aliases(spec.model);
    return deps.models.resolve(spec.model, Object.hasOwn(aliases, 'champion') ? { alias: 'champion' } : 'latest');
  }

  const folderOf = (job: Pick<JobRecord, 'output' | 'spec' | 'fingerprint'>): OutputFolder =>
    new OutputFolder(job.output, job.spec.singleFile, job.fingerprint.outputFormat as OutputFolder['format']);

  async function requeue(job: JobRecord, spec: BatchSpec, prepared: Prepared): Promise<BatchJob> {
    const differ = differences(job.fingerprint, prepared.fingerprint);
    if (differ.length > 0)
      throw conflict(
        'batch_resume_mismatch',
        `The job ${job.id} cannot be resumed, because its output would be a mixture: ${differ.join('; ')}. Put these back, or start anew with overwrite or into another folder.`,
        { details: { job: job.id, differ } },
      );
    const queued = await store.requeueJob(job.id, { ...spec, resume: true });
    queue.push(job.id);
    return view(queued);
  }

  return {
    async start() {
      owning = false;
      if (!(await owns())) deps.logger.warn({}, 'another server on this database runs the batch jobs; this one refuses them until that one has stopped');
    },

    async create(spec) {
      await needLease();
      const prepared = await prepare(spec, await resolveModel(spec), deps);
      const { output, fingerprint } = prepared;
      const folder = folderOf({ output, spec, fingerprint });
      const found = await folder.look();
      if (spec.resume && found.manifest !== null && found.foreign.length === 0) {
        const earlier = (await store.findJob(found.manifest.jobId)) === null ? null : await settled(found.manifest.jobId, 'failed');
        if (earlier === null)
          throw conflict(
            'batch_resume_unknown',
            `${folder.dir} was begun by the job ${found.manifest.jobId}, which this server does not know. Start anew with overwrite.`,
            { details: { job: found.manifest.jobId } },
          );
        if (earlier.state === 'succeeded' && found.success && differences(earlier.fingerprint, fingerprint).length === 0) return view(earlier);
        return requeue(earlier, { ...spec, output: earlier.spec.output }, prepared);
      }
      await prepared.claim(folder, found, spec);
      const job: JobRecord = {
        id: newId(),
        state: 'queued',
        spec,
        model: fingerprint.model,
        version: fingerprint.version,
        fingerprint,
        output,
        createdAt: now(),
        startedAt: null,
        endedAt: null,
        rowsTotal: null,
        chunksTotal: null,
        rowsRejected: 0,
        rowsDone: 0,
        rowsFailed: 0,
        chunksDone: 0,
        inferenceMs: 0,
        activeMs: 0,
        message: 'waiting for its turn',
        error: null,
        attempt: 0,
      };
      await createJob(job);
      try {
        await folder.take(manifestOf(job), spec.overwrite);
      } catch (error) {
        await store.cancelQueued(job.id);
        throw error;
      }
      queue.push(job.id);
      return view(job);
    },

    get: async (id) => view(await known(id)),

    async list({ model, limit, pageToken }) {
      const after = decodePageToken<{ createdAt: number; id: string }>(pageToken);
      if (after !== undefined && (typeof after?.createdAt !== 'number' || typeof after.id !== 'string'))
        throw invalid('invalid_page_token', 'Invalid page token: it was not made by this server. Start again without one.');
      const jobs = await store.listJobs({ model, limit: limit + 1, after });
      const page = jobs.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map(view),
        ...(jobs.length > limit && last !== undefined ? { nextPageToken: encodePageToken({ createdAt: last.createdAt, id: last.id }) } : {}),
      };
    },

    async cancel(id) {
      await needLease();
      if (await store.cancelQueued(id)) {
        waiters.wake(id);
        return view(await known(id));
      }
      const job = await settled(id, 'cancelled');
      const running = active.get(id) ?? starting.get(id);
      if (running === undefined || job.state !== 'running') {
        if (job.state === 'cancelled') return view(job);
        throw conflict('batch_not_running', `The batch job ${id} is ${job.state}, so there is nothing to cancel.`, { details: { state: job.state } });
      }
      running.abort.abort();
      await store.noteMessage(id, job.attempt, 'stopping after the chunks in flight').catch(() => undefined);
      return view(await known(id));
    },

    async resume(id) {
      await needLease();
      const job = await settled(id, 'failed');
      if (job.state !== 'failed' && job.state !== 'cancelled')
        throw conflict('batch_not_resumable', `The batch job ${id} is ${job.state}; only a failed or cancelled one can be resumed.`, {
          details: { state: job.state },
        });
      const prepared = await prepare(job.spec, await deps.models.resolve(job.model, { version: job.version }), deps);
      const { manifest } = await folderOf(job).look();
      if (hasLost(job, manifest)) throw taken(job.output, id, manifest);
      return requeue(job, job.spec, prepared);
    },

    async files(id) {
      const job = await known(id);
      const folder = folderOf(job);
      if ((await folder.look()).manifest?.jobId !== id) return [];
      return folder.files(new Map((await store.listChunks(id)).map(({ file, rows }) => [file, rows])));
    },

    async openFile(id, name) {
      const job = await known(id);
      const folder = folderOf(job);
      const file = (await this.files(id)).find((one) => one.name === name);
      if (file === undefined) throw notFound('batch_file_not_found', `The batch job ${id} has no file '${name}'.`, { details: { name } });
      const path = file.kind === 'merged' ? (folder.single as string) : folder.path(name);
      return { stream: createReadStream(path), bytes: file.bytes, name: name.split('/').at(-1) as string };
    },

    finished: (id) =>
      waiters.until(id, async () => {
        const job = await known(id);
        return isOpen(job) ? undefined : view(job);
      }),

    async close() {
      closing = true;
      for (const { abort } of active.values()) abort.abort();
      await queue.close();
      await ends.close();
    },
  };
}
