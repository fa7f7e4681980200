import { BatchSpec } from '@binnacle/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BatchStore, JobRecord } from '../../src/batch/index.ts';
import type { OutboxEvent } from '../../src/kernel/index.ts';

interface Opened {
  store: BatchStore;
  events: OutboxEvent[];
  close(): Promise<void>;
}

const job = (id: string, changes: Partial<JobRecord> = {}): JobRecord => ({
  id,
  state: 'queued',
  spec: BatchSpec.parse({ model: 'm', input: '/in.csv', output: `/out/${id}`, select: 'a — “ü”' }),
  model: 'm',
  version: 1,
  fingerprint: {
    model: 'm',
    version: 1,
    input: 'ab',
    chunkRows: 10,
    outputFormat: 'csv',
    singleFile: false,
    columns: null,
    select: null,
    where: 'x > 1',
    packageId: 'id',
    withIds: true,
  },
  output: `/out/${id}`,
  createdAt: 1000,
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
  message: '',
  error: null,
  attempt: 0,
  ...changes,
});
const chunk = (n: number, rows = 10, failed = 0) => ({ chunk: n, file: `part-0000${n}.csv`, rows, failed, bytes: 5_000_000_000, inferenceMs: 1.5 });
const end = (state: 'succeeded' | 'failed' | 'cancelled') => ({ state, message: 'm', error: state === 'failed' ? 'e' : null, activeMs: 12 });

/** What every batch store must do. */
export function batchStoreSuite(name: string, open: () => Promise<Opened>): void {
  describe(`batch store ${name}`, () => {
    let store: BatchStore;
    let opened: Opened;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.close());

    it('a job comes back as it was stored', async () => {
      await store.createJob(job('a'));
      expect(await store.findJob('a')).toEqual(job('a'));
      expect(await store.findJob('b')).toBeNull();
    });

    it('one job at a time has an output, until it has ended', async () => {
      await store.createJob(job('a', { output: '/same' }));
      await expect(store.createJob(job('b', { output: '/same' }))).rejects.toMatchObject({ kind: 'conflict', code: 'batch_output_busy' });
      const attempt = (await store.startJob('a')) as number;
      await expect(store.createJob(job('b', { output: '/same' }))).rejects.toMatchObject({ code: 'batch_output_busy' });
      await store.finishJob('a', attempt, end('failed'));
      await store.createJob(job('b', { output: '/same' }));
      await expect(store.requeueJob('a', job('a').spec)).rejects.toMatchObject({ code: 'batch_output_busy' });
    });

    it('only one starter gets a queued job', async () => {
      await store.createJob(job('a'));
      const starts = await Promise.all([store.startJob('a'), store.startJob('a'), store.startJob('nobody')]);
      expect(starts).toEqual([1, null, null]);
      expect(await store.findJob('a')).toMatchObject({ state: 'running', attempt: 1, startedAt: expect.any(Number) });
    });

    it('the ledger counts a chunk once however often it is noted', async () => {
      await store.createJob(job('a'));
      await store.startJob('a');
      await store.noteInput('a', 1, { rowsTotal: 25, rowsRejected: 1, chunksTotal: 3 });
      for (const n of [2, 0, 0]) await store.chunkDone('a', 1, chunk(n, 8, 2), 100 + n);
      expect(await store.findJob('a')).toMatchObject({
        rowsTotal: 25,
        rowsRejected: 1,
        chunksTotal: 3,
        rowsDone: 20,
        rowsFailed: 4,
        chunksDone: 2,
        inferenceMs: 3,
        activeMs: 100,
      });
      expect(await store.listChunks('a')).toEqual([chunk(0, 8, 2), chunk(2, 8, 2)]);
      await store.forgetChunks('a', 1, [0, 7]);
      expect(await store.findJob('a')).toMatchObject({ rowsDone: 10, chunksDone: 1 });
    });

    it('an attempt that was given up can write nothing', async () => {
      await store.createJob(job('a'));
      await store.startJob('a');
      await store.recoverJobs('stopped');
      await store.requeueJob('a', job('a').spec);
      await store.startJob('a');
      for (const late of [
        store.chunkDone('a', 1, chunk(0), 1),
        store.noteMessage('a', 1, 'x'),
        store.finishJob('a', 1, end('succeeded')),
        store.forgetChunks('a', 1, [1]),
      ])
        await expect(late).rejects.toMatchObject({ kind: 'conflict', code: 'batch_fenced' });
      await store.chunkDone('a', 2, chunk(0), 1);
      await store.finishJob('a', 2, end('succeeded'));
      await expect(store.chunkDone('a', 2, chunk(1), 1)).rejects.toMatchObject({ code: 'batch_fenced' });
    });

    it('only what failed or was cancelled is queued again', async () => {
      await store.createJob(job('a'));
      await expect(store.requeueJob('a', job('a').spec)).rejects.toMatchObject({ code: 'batch_not_resumable' });
      await expect(store.requeueJob('b', job('a').spec)).rejects.toMatchObject({ kind: 'not_found' });
      expect(await store.cancelQueued('a')).toBe(true);
      expect(await store.cancelQueued('a')).toBe(false);
      expect(await store.requeueJob('a', { ...job('a').spec, workers: 7 })).toMatchObject({ state: 'queued', spec: { workers: 7 }, endedAt: null });
    });

    it('after a restart running jobs have failed and queued ones wait', async () => {
      for (const [i, id] of ['a', 'b', 'c'].entries()) await store.createJob(job(id, { createdAt: 1000 + i }));
      await store.startJob('b');
      expect(await store.recoverJobs('the server stopped')).toEqual({ interrupted: ['b'], queued: ['a', 'c'] });
      expect(await store.findJob('b')).toMatchObject({ state: 'failed', error: 'the server stopped' });
    });

    it('every end is told, with the change', async () => {
      await store.createJob(job('a'));
      await store.startJob('a');
      await store.finishJob('a', 1, end('succeeded'));
      await store.createJob(job('b'));
      await store.cancelQueued('b');
      expect(opened.events.filter(({ type }) => type === 'batch.finished').map(({ payload }) => payload)).toEqual([
        { jobId: 'a', state: 'succeeded', model: 'm', version: 1 },
        { jobId: 'b', state: 'cancelled', model: 'm', version: 1 },
      ]);
    });

    it('pages newest first, through jobs of the same millisecond', async () => {
      for (let i = 0; i < 7; i++) await store.createJob(job(`j${i}`, { createdAt: 1000 + Math.floor(i / 3), model: i === 4 ? 'other' : 'm' }));
      const seen: string[] = [];
      let after: { createdAt: number; id: string } | undefined;
      for (;;) {
        const page = await store.listJobs({ limit: 2, after });
        if (page.length === 0) break;
        seen.push(...page.map(({ id }) => id));
        after = page.at(-1);
      }
      expect(seen).toEqual(['j6', 'j5', 'j4', 'j3', 'j2', 'j1', 'j0']);
      expect((await store.listJobs({ limit: 9, model: 'other' })).map(({ id }) => id)).toEqual(['j4']);
    });
  });
}
