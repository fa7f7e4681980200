import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTrackingService, type EntryInputs, type MetricInput, type TrackingService, type TrackingStore } from '../../src/tracking/index.ts';
import type { GarbageStore } from '../../src/upkeep/index.ts';

/** What every TrackingStore must do with steps of fractions, series of strings, histograms and files, and forks. */
export function seriesStoreSuite(name: string, open: () => Promise<{ store: TrackingStore; garbage: GarbageStore; close(): Promise<void> }>): void {
  describe(`${name} as a store of series`, { timeout: 60_000 }, () => {
    let tracking: TrackingService;
    let garbage: GarbageStore;
    let close: () => Promise<void>;
    beforeAll(async () => {
      const opened = await open();
      ({ garbage, close } = opened);
      tracking = createTrackingService({ store: opened.store });
    });
    afterAll(() => close());

    const point = (key: string, step: number, value = step, timestamp = 1000): MetricInput => ({ key, step, value, timestamp });
    const newRun = async (fork?: { runId: string; step: number }, experimentId = '0') => (await tracking.createRun({ experimentId, fork })).runId;
    const log = (runId: string, entries: Partial<EntryInputs>) => tracking.logBatch(runId, { entries: { strings: [], histograms: [], files: [], ...entries } });
    const line = (step: number, value = `line ${step}`, timestamp = 1000, key = 'log') => ({ key, step, timestamp, value });
    const ask = { kind: null, from: null, to: null, descending: false, limit: 100, sample: false };
    const steps = async (runId: string, key = 'log', more: Partial<Parameters<TrackingService['getEntries']>[1]> = {}) =>
      (await tracking.getEntries(runId, { ...ask, key, ...more })).entries.map(({ step }) => step);
    const series = async (runId: string, key: string, maxPoints = 1000, from: number | null = null, to: number | null = null) =>
      (await tracking.readSeries({ runIds: [runId], keys: [key], maxPoints, from, to }))[0];
    const code = (promise: Promise<unknown>) =>
      promise.then(
        () => 'no error',
        (error: { code?: string }) => error.code,
      );

    describe('steps', () => {
      it('with fractions are kept exactly, in the tail and in chunks, and beside whole ones', async () => {
        const runId = await newRun();
        const odd = [0.1, 0.30000000000000004, -2.5, 1 / 3, 1e-300, 123_456_789.123_456_7, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 7];
        await tracking.logBatch(runId, { metrics: odd.map((step, i) => point('odd', step, i)) });
        const epochs = Array.from({ length: 3500 }, (_, i) => i / 1000);
        for (let at = 0; at < epochs.length; at += 700)
          await tracking.logBatch(runId, { metrics: epochs.slice(at, at + 700).map((step, i) => point('epoch', step, at + i, 1000 + at + i)) });
        // The same again, and none comes twice.
        await tracking.logBatch(runId, { metrics: epochs.slice(300, 1900).map((step, i) => point('epoch', step, 300 + i, 1300 + i)) });
        expect([...(await tracking.metricHistory(runId, 'odd', null)).steps].sort((a, b) => a - b)).toEqual([...odd].sort((a, b) => a - b));
        expect([...(await tracking.metricHistory(runId, 'epoch', null)).steps]).toEqual(epochs);
        const { metrics } = await tracking.listMetricKeys(runId, { limit: 10 });
        expect(metrics.map(({ key, step, count }) => [key, step, count])).toEqual([
          ['epoch', 3.499, 3500],
          ['odd', Number.MAX_SAFE_INTEGER, 9],
        ]);
        expect((await tracking.getRun(runId)).metrics.steps.toSorted((a, b) => a - b)).toEqual([3.499, Number.MAX_SAFE_INTEGER]);
      });

      it('with fractions are spread over buckets and cut by a range', async () => {
        const runId = await newRun();
        // All within a hundredth: as wide as a bucket of whole steps would be.
        const all = Array.from({ length: 4000 }, (_, i) => i / 400_000);
        for (let at = 0; at < all.length; at += 1000) await tracking.logBatch(runId, { metrics: all.slice(at, at + 1000).map((step) => point('m', step)) });
        const whole = await series(runId, 'm', 100);
        expect(whole?.total).toBe(4000);
        expect(whole?.steps.length).toBe(100);
        expect(Math.max(...(whole?.counts ?? []))).toBeLessThan(80);
        const part = await series(runId, 'm', 1000, 0.0025, 0.004_999);
        expect(part?.total).toBe(1000);
        expect([part?.steps[0], part?.steps.at(-1)]).toEqual([0.0025, 0.004_997_5]);
      });

      it('that no database keeps are refused', async () => {
        const runId = await newRun();
        for (const step of [2 ** 53, -1e300, Number.NaN, Number.POSITIVE_INFINITY])
          await expect(tracking.logBatch(runId, { metrics: [point('m', step, 1)] })).rejects.toThrow('Step must be a number from');
        expect((await tracking.listMetricKeys(runId, { limit: 1 })).metrics).toEqual([]);
      });
    });

    describe('entries', () => {
      it('of each kind come back as they were, once, by step, time and order of logging', async () => {
        const runId = await newRun();
        const text = `ü 🚢 "quoted"\n`;
        const batch: EntryInputs = {
          strings: [line(2), line(0.5, text), line(0.5, 'later', 2000), line(0.5, 'b', 500), line(0.5, 'a', 500), line(1, '')],
          histograms: [{ key: 'weights', step: 3, timestamp: 7, edges: [-1, 0, 0.1, 1e300], counts: [1, 2.5, 0] }],
          files: [{ key: 'images', step: 1, timestamp: 7, path: 'a/ü.png', size: 12 }],
        };
        await log(runId, batch);
        await log(runId, batch);
        await Promise.all([log(runId, { strings: [line(3)] }), log(runId, { strings: [line(3)] })]);
        const { total, entries } = await tracking.getEntries(runId, { ...ask, key: 'log' });
        expect(total).toBe(7);
        expect(entries.map(({ step, timestamp, value }) => [step, timestamp, value])).toEqual([
          [0.5, 500, 'b'],
          [0.5, 500, 'a'],
          [0.5, 1000, text],
          [0.5, 2000, 'later'],
          [1, 1000, ''],
          [2, 1000, 'line 2'],
          [3, 1000, 'line 3'],
        ]);
        expect((await tracking.getEntries(runId, { ...ask, key: 'weights' })).entries).toEqual([
          { step: 3, timestamp: 7, value: { edges: [-1, 0, 0.1, 1e300], counts: [1, 2.5, 0] }, inherited: false },
        ]);
        expect((await tracking.getEntries(runId, { ...ask, key: 'images' })).entries).toEqual([
          { step: 1, timestamp: 7, value: { path: 'a/ü.png', runId, size: 12 }, inherited: false },
        ]);
        expect(await tracking.getEntries(runId, { ...ask, key: 'none' })).toEqual({ total: 0, entries: [], nextPageToken: undefined });
        expect(await tracking.countEntryKeys(runId)).toEqual({ string: 1, histogram: 1, file: 1 });
        expect((await tracking.listEntryKeys(runId, { limit: 10 })).keys).toEqual([
          { key: 'images', kind: 'file', count: 1, firstStep: 1, lastStep: 1, lastTimestamp: 7, inherited: false },
          { key: 'log', kind: 'string', count: 7, firstStep: 0.5, lastStep: 3, lastTimestamp: 1000, inherited: false },
          { key: 'weights', kind: 'histogram', count: 1, firstStep: 3, lastStep: 3, lastTimestamp: 7, inherited: false },
        ]);
        // The columns of the runs table are metrics, params and tags.
        expect(await tracking.listColumns('0', 'weights', 10)).toMatchObject({ metrics: [], params: [], tags: [] });
      });

      it('are paged both ways, cut by a range, and sampled evenly with first and last', async () => {
        const runId = await newRun();
        const all = Array.from({ length: 1000 }, (_, i) => i / 2);
        for (let at = 0; at < 1000; at += 250) await log(runId, { strings: all.slice(at, at + 250).map((step) => line(step)) });
        for (const descending of [false, true]) {
          const seen: number[] = [];
          let pageToken: string | undefined;
          do {
            const page = await tracking.getEntries(runId, { ...ask, key: 'log', descending, limit: 333, pageToken });
            expect(page.total).toBe(1000);
            seen.push(...page.entries.map(({ step }) => step));
            pageToken = page.nextPageToken;
          } while (pageToken !== undefined);
          expect(seen).toEqual(descending ? all.toReversed() : all);
        }
        const range = await tracking.getEntries(runId, { ...ask, key: 'log', from: 10.5, to: 12 });
        expect([range.total, range.entries.map(({ step }) => step)]).toEqual([4, [10.5, 11, 11.5, 12]]);
        const sample = await steps(runId, 'log', { sample: true, limit: 10 });
        expect(sample).toEqual([0, 55.5, 111, 166.5, 222, 277.5, 333, 388.5, 444, 499.5]);
        expect(await steps(runId, 'log', { sample: true, limit: 10, descending: true })).toEqual(sample.toReversed());
        expect(await steps(runId, 'log', { sample: true, limit: 5, from: 1, to: 2 })).toEqual([1, 1.5, 2]);
        expect(await steps(runId, 'log', { sample: true, limit: 1 })).toEqual([499.5]);
      });

      it('that share a step and a time keep the order in which they were logged, on every page', async () => {
        const runId = await newRun();
        const lines = Array.from({ length: 300 }, (_, i) => line(0, `line ${i}`, Math.floor(i / 50)));
        for (let at = 0; at < 300; at += 60) {
          await log(runId, { strings: lines.slice(at, at + 60) });
          // Again, with some that came before.
          await log(runId, { strings: lines.slice(Math.max(0, at - 30), at + 60) });
        }
        for (const descending of [false, true]) {
          const seen: unknown[] = [];
          let pageToken: string | undefined;
          do {
            const page = await tracking.getEntries(runId, { ...ask, key: 'log', descending, limit: 70, pageToken });
            seen.push(...page.entries.map(({ value }) => value));
            pageToken = page.nextPageToken;
          } while (pageToken !== undefined);
          const all = lines.map(({ value }) => value);
          expect(seen).toEqual(descending ? all.toReversed() : all);
        }
        expect((await tracking.listEntryKeys(runId, { limit: 1 })).keys[0]).toMatchObject({ count: 300, firstStep: 0, lastStep: 0, lastTimestamp: 5 });
      });

      it('that are large end a page early, and thin a sample', async () => {
        const runId = await newRun();
        const big = 'x'.repeat(1024 * 1024);
        for (let step = 0; step < 40; step += 10) await log(runId, { strings: Array.from({ length: 10 }, (_, i) => line(step + i, big)) });
        const page = await tracking.getEntries(runId, { ...ask, key: 'log', limit: 1000 });
        expect(page.entries.length).toBe(16);
        const rest = await tracking.getEntries(runId, { ...ask, key: 'log', limit: 1000, pageToken: page.nextPageToken });
        expect(rest.entries[0]?.step).toBe(16);
        const sample = await steps(runId, 'log', { sample: true, limit: 1000 });
        expect([sample.length <= 32, sample[0], sample.at(-1)]).toEqual([true, 0, 39]);
      });

      it('of several kinds may share a name, which then needs its kind', async () => {
        const runId = await newRun();
        await tracking.logBatch(runId, { metrics: [point('same', 1)] });
        await log(runId, { strings: [line(1, 'text', 5, 'same')], files: [{ key: 'same', step: 1, timestamp: 5, path: 'f', size: null }] });
        expect(await code(tracking.getEntries(runId, { ...ask, key: 'same' }))).toBe('entry_kind_needed');
        expect((await tracking.getEntries(runId, { ...ask, key: 'same', kind: 'string' })).entries.map(({ value }) => value)).toEqual(['text']);
        const first = await tracking.listEntryKeys(runId, { limit: 1 });
        const second = await tracking.listEntryKeys(runId, { limit: 1, pageToken: first.nextPageToken });
        expect([first, second].map(({ keys }) => keys.map(({ key, kind }) => [key, kind]))).toEqual([[['same', 'string']], [['same', 'file']]]);
        expect(second.nextPageToken).toBeUndefined();
        expect((await tracking.listEntryKeys(runId, { limit: 9, kind: 'file', q: 'SAM' })).keys).toHaveLength(1);
        expect((await tracking.listEntryKeys(runId, { limit: 9, q: 'other' })).keys).toEqual([]);
      });

      it('that are wrong are refused by name, and nothing of their batch stays', async () => {
        const runId = await newRun();
        const histogram = (edges: number[], counts: number[]) => ({ histograms: [{ key: 'h', step: 1, timestamp: 1, edges, counts }] });
        const cases: [Partial<EntryInputs>, string][] = [
          [{ strings: [line(0), line(1, 'ü'.repeat(524_289))] }, "'strings[1].value' has 1048578 bytes; a string of a series may have 1048576"],
          [{ strings: [line(1, '\ud800')] }, 'not valid Unicode'],
          [{ strings: [line(2 ** 53)] }, 'strings[0].step'],
          [{ strings: [line(1, 'x', -1)] }, 'strings[0].timestamp'],
          [{ strings: [line(1, 'x', 1, '../up')] }, 'strings[0].key'],
          [histogram([0, 1], [1, 2]), '2 counts need 3 edges, and it has 2'],
          [histogram([0, 1, 1], [1, 2]), 'edges[2] is 1 after 1'],
          [histogram([0, Number.NaN], [1]), 'edges[1] is NaN'],
          [histogram([0, 1], [-1]), 'counts[0] is -1'],
          [histogram([0], []), 'it has 0 counts'],
          [
            histogram(
              Array.from({ length: 514 }, (_, i) => i),
              Array.from({ length: 513 }, () => 1),
            ),
            'may have 1 to 512',
          ],
        ];
        for (const [entries, message] of cases)
          await expect(tracking.logBatch(runId, { metrics: [point('m', 1)], entries: { strings: [], histograms: [], files: [], ...entries } })).rejects.toThrow(
            message,
          );
        expect((await tracking.listEntryKeys(runId, { limit: 9 })).keys).toEqual([]);
        expect((await tracking.listMetricKeys(runId, { limit: 9 })).metrics).toEqual([]);
        // A changed param undoes the entries that came with it.
        await tracking.logBatch(runId, { params: [{ key: 'p', value: '1' }] });
        const batch = { params: [{ key: 'p', value: '2' }], entries: { strings: [line(1)], histograms: [], files: [] } };
        await expect(tracking.logBatch(runId, batch)).rejects.toThrow('p');
        expect(await steps(runId)).toEqual([]);
      });
    });

    describe('forks', () => {
      it('have the points of the run before up to the step, through several forks and experiments', async () => {
        const { id } = await tracking.createExperiment({ name: 'forks' });
        const first = await newRun();
        await tracking.logBatch(first, { metrics: [0, 1, 2, 3, 4, 5].flatMap((step) => [point('loss', step, 10 - step), point('late', step + 4)]) });
        const second = await newRun({ runId: first, step: 3.5 }, id);
        await tracking.logBatch(second, { metrics: [4, 5, 6].map((step) => point('loss', step, 20 - step)) });
        const third = await newRun({ runId: second, step: 4 });
        await tracking.logBatch(third, { metrics: [point('own', 1), point('loss', 9, 0)] });

        const loss = await series(third, 'loss');
        expect([...(loss?.steps ?? [])]).toEqual([0, 1, 2, 3, 4, 9]);
        expect([...(loss?.values ?? [])]).toEqual([10, 9, 8, 7, 16, 0]);
        expect(loss?.forkStep).toBe(4);
        expect((await series(third, 'own'))?.forkStep).toBeNull();
        expect(await series(third, 'late')).toBeUndefined();
        expect([...((await series(third, 'loss', 1000, 2, 4))?.steps ?? [])]).toEqual([2, 3, 4]);
        expect((await tracking.listMetricKeys(third, { limit: 10 })).metrics).toEqual([
          { key: 'loss', value: 0, step: 9, timestamp: 1000, count: 6, min: 0, max: 16, inherited: false },
          { key: 'own', value: 1, step: 1, timestamp: 1000, count: 1, min: 1, max: 1, inherited: false },
        ]);
        const bare = await newRun({ runId: second, step: 3 });
        expect((await tracking.listMetricKeys(bare, { limit: 10 })).metrics).toEqual([
          { key: 'loss', value: 7, step: 3, timestamp: 1000, count: 4, min: 7, max: 10, inherited: true },
        ]);
        expect([await tracking.countMetricKeys(third), await tracking.countMetricKeys(bare)]).toEqual([2, 1]);
        // MLflow's view is a run's own.
        expect([...(await tracking.metricHistory(third, 'loss', null)).steps]).toEqual([9]);
        expect((await tracking.getRun(bare)).metrics.keys).toEqual([]);

        expect(await tracking.getForks(first)).toEqual({ fork: null, forks: [{ runId: second, name: expect.any(String), step: 3.5 }] });
        expect(await tracking.getForks(second)).toMatchObject({ fork: { runId: first, step: 3.5 }, forks: [{ runId: bare }, { runId: third, step: 4 }] });
      });

      it('page their keys by name over all runs of the chain', async () => {
        const parent = await newRun();
        await tracking.logBatch(parent, { metrics: Array.from({ length: 50 }, (_, i) => point(`k/${i}`, i % 2 === 0 ? 1 : 9)) });
        const fork = await newRun({ runId: parent, step: 5 });
        await tracking.logBatch(fork, { metrics: Array.from({ length: 30 }, (_, i) => point(`k/${i + 40}`, 7)) });
        const seen: string[] = [];
        let pageToken: string | undefined;
        do {
          const page = await tracking.listMetricKeys(fork, { limit: 7, pageToken });
          seen.push(...page.metrics.map(({ key }) => key));
          pageToken = page.nextPageToken;
        } while (pageToken !== undefined);
        const expected = [...Array.from({ length: 25 }, (_, i) => `k/${i * 2}`), ...Array.from({ length: 30 }, (_, i) => `k/${i + 40}`)];
        expect(seen).toEqual([...new Set(expected)].sort());
        expect(await tracking.countMetricKeys(fork)).toBe(seen.length);
      });

      it('of a long series read its summaries, and cut the chunk that the step falls into', async () => {
        const parent = await newRun();
        for (let at = 0; at < 30_000; at += 5000)
          await tracking.logBatch(parent, { metrics: Array.from({ length: 5000 }, (_, i) => point('m', at + i, at + i === 12_345 ? -5 : 1, 1000 + at + i)) });
        await tracking.logBatch(parent, { metrics: [point('m', 30_000, 99, 40_000)] });
        const fork = await newRun({ runId: parent, step: 12_500 });
        for (let at = 12_501; at < 22_501; at += 5000)
          await tracking.logBatch(fork, { metrics: Array.from({ length: 5000 }, (_, i) => point('m', at + i, 2, 1000 + at + i)) });
        for (const maxPoints of [20, 1000, 20_000, 30_000]) {
          const drawn = await series(fork, 'm', maxPoints);
          expect([drawn?.total, drawn?.forkStep, drawn?.steps.at(-1)]).toEqual([22_501, 12_500, 22_500]);
          expect(drawn?.counts.reduce((sum, n) => sum + n, 0)).toBe(22_501);
          expect([Math.min(...(drawn?.mins ?? [])), Math.max(...(drawn?.maxs ?? []))]).toEqual([-5, 2]);
        }
        const [summary] = (await tracking.listMetricKeys(fork, { limit: 1 })).metrics;
        expect(summary).toEqual({ key: 'm', value: 2, step: 22_500, timestamp: 23_500, count: 22_501, min: -5, max: 2, inherited: false });
        const bare = await newRun({ runId: fork, step: 12_400 });
        const [inherited] = (await tracking.listMetricKeys(bare, { limit: 1 })).metrics;
        expect(inherited).toEqual({ key: 'm', value: 1, step: 12_400, timestamp: 13_400, count: 12_401, min: -5, max: 1, inherited: true });
      });

      it('have the entries of the run before up to the step, and say whose they are', async () => {
        const { id } = await tracking.createExperiment({ name: 'forked entries' });
        const parent = await newRun(undefined, id);
        await log(parent, {
          strings: [0, 1, 2, 3, 4].map((step) => line(step)),
          files: [
            { key: 'img', step: 1, timestamp: 1, path: 'a.png', size: 3 },
            { key: 'late', step: 8, timestamp: 1, path: 'b.png', size: 3 },
          ],
        });
        const fork = await newRun({ runId: parent, step: 2 });
        await log(fork, { strings: [line(3, 'mine'), line(4, 'mine')] });
        const { total, entries } = await tracking.getEntries(fork, { ...ask, key: 'log' });
        expect(total).toBe(5);
        expect(entries.map(({ step, value, inherited }) => [step, value, inherited])).toEqual([
          [0, 'line 0', true],
          [1, 'line 1', true],
          [2, 'line 2', true],
          [3, 'mine', false],
          [4, 'mine', false],
        ]);
        expect(await steps(fork, 'log', { from: 1, to: 3, descending: true })).toEqual([3, 2, 1]);
        expect(await steps(fork, 'log', { sample: true, limit: 3 })).toEqual([0, 2, 4]);
        const page = await tracking.getEntries(fork, { ...ask, key: 'log', limit: 2 });
        expect(await steps(fork, 'log', { limit: 9, pageToken: page.nextPageToken })).toEqual([2, 3, 4]);
        expect((await tracking.getEntries(fork, { ...ask, key: 'img' })).entries[0]?.value).toEqual({ path: 'a.png', runId: parent, size: 3 });
        expect(await tracking.countEntryKeys(fork)).toEqual({ string: 1, histogram: 0, file: 1 });
        expect((await tracking.listEntryKeys(fork, { limit: 9 })).keys).toEqual([
          { key: 'img', kind: 'file', count: 1, firstStep: 1, lastStep: 1, lastTimestamp: 1, inherited: true },
          { key: 'log', kind: 'string', count: 5, firstStep: 0, lastStep: 4, lastTimestamp: 1000, inherited: false },
        ]);
      });

      it('cannot go in a circle, come of nothing, change, or get too long', async () => {
        const a = await newRun();
        const b = await newRun({ runId: a, step: 1 });
        const c = await newRun({ runId: b, step: 1 });
        const nobody = 'f'.repeat(32);
        expect(await code(newRun({ runId: nobody, step: 1 }))).toBe('run_not_found');
        expect(await code(tracking.updateRun(a, { fork: { runId: nobody, step: 1 } }))).toBe('run_not_found');
        expect(await code(tracking.updateRun(a, { fork: { runId: c, step: 1 } }))).toBe('fork_cycle');
        expect(await code(tracking.updateRun(a, { fork: { runId: a, step: 1 } }))).toBe('fork_cycle');
        await expect(tracking.updateRun(c, { fork: { runId: a, step: 1 } })).rejects.toMatchObject({
          code: 'fork_exists',
          message: expect.stringContaining(`is a fork of the run ${b} at step 1 already`) as string,
        });
        expect(await code(tracking.updateRun(c, { fork: { runId: b, step: 1 } }))).toBe('no error');
        expect(await code(newRun({ runId: a, step: Number.NaN }))).toBe('invalid_parameter');
        // A refused fork undoes what came with it.
        expect(await code(tracking.updateRun(a, { name: 'changed', fork: { runId: c, step: 1 } }))).toBe('fork_cycle');
        expect((await tracking.getRun(a)).name).not.toBe('changed');

        let last = await newRun();
        const top = last;
        for (let i = 0; i < 100; i++) last = await newRun({ runId: last, step: 1 });
        expect(await code(newRun({ runId: last, step: 1 }))).toBe('fork_too_deep');
        expect(await code(tracking.updateRun(top, { fork: { runId: a, step: 1 } }))).toBe('fork_too_deep');
        await tracking.logBatch(top, { metrics: [point('deep', 1)] });
        expect((await series(last, 'deep'))?.total).toBe(1);
      });

      it('two that would make a circle together do not both come', async () => {
        const [a, b] = await Promise.all([newRun(), newRun()]);
        const both = await Promise.all([
          code(tracking.updateRun(a, { fork: { runId: b, step: 1 } })),
          code(tracking.updateRun(b, { fork: { runId: a, step: 1 } })),
        ]);
        expect(both.sort()).toEqual(['fork_cycle', 'no error']);
      });
    });

    it('a deleted run stays as long as one that stays was forked from it, and goes with its entries', async () => {
      const root = await newRun();
      await tracking.logBatch(root, { metrics: [point('m', 1)] });
      await log(root, { strings: [line(1)], files: [{ key: 'f', step: 1, timestamp: 1, path: 'f', size: 1 }] });
      const middle = await newRun({ runId: root, step: 5 });
      const leaf = await newRun({ runId: middle, step: 5 });
      for (const runId of [root, middle]) await tracking.updateRun(runId, { lifecycleStage: 'deleted' });
      const now = Date.now() + 1000;
      const found = await garbage.find(now);
      expect(found.garbage.filter(({ id }) => [root, middle].includes(id))).toEqual([]);
      expect(new Map(found.kept.map(({ id, reason }) => [id, reason]))).toEqual(
        new Map([
          [middle, `The run ${leaf} was forked from it.`],
          [root, `The run ${middle} was forked from it.`],
        ]),
      );
      expect(await steps(leaf)).toEqual([1]);

      // A list that was found before the fork came does not take its parent away.
      const item = { kind: 'run' as const, id: root, name: '', artifactUri: `mlflow-artifacts:/0/${root}/artifacts` };
      expect((await garbage.purge([item], now)).purged).toEqual([]);
      await tracking.updateRun(leaf, { lifecycleStage: 'deleted' });
      const { garbage: going } = await garbage.find(Date.now() + 1000);
      // Forks first, so that those of a later transaction do not hold what they came from.
      expect(going.map(({ id }) => id)).toEqual([leaf, middle, root]);
      for (const one of going) expect((await garbage.purge([one], Date.now() + 1000)).purged).toHaveLength(1);
      expect(await code(tracking.getEntries(root, { ...ask, key: 'log' }))).toBe('run_not_found');
      const again = await newRun();
      await log(again, { strings: [line(1)] });
      expect((await tracking.listEntryKeys(again, { limit: 9 })).keys).toHaveLength(1);
    });

    it('a run that is made again with its id is the run that is there', async () => {
      const { id } = await tracking.createExperiment({ name: 'ids' });
      const runId = '0123456789abcdef0123456789abcdef';
      const parent = await newRun();
      const input = { experimentId: '0', runId, name: 'mine', fork: { runId: parent, step: 1 }, params: [{ key: 'p', value: '1' }] };
      const [first, second] = await Promise.all([tracking.createRun(input), tracking.createRun(input)]);
      expect([first.runId, second.runId, second.name]).toEqual([runId, runId, 'mine']);
      expect((await tracking.createRun(input)).params).toEqual(['p', '1']);
      expect(await code(tracking.createRun({ ...input, experimentId: id }))).toBe('run_exists');
      await expect(tracking.createRun({ ...input, fork: { runId: parent, step: 2 } })).rejects.toMatchObject({
        code: 'fork_exists',
        message: expect.stringContaining('was forked otherwise. Choose another run id, or leave the fork out.') as string,
      });
    });
  });
}
