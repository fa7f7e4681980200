import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTrackingService, type GroupColumn, type RunGroupRecord, type TrackingService, type TrackingStore } from '../../src/tracking/index.ts';

type Request = Parameters<TrackingService['groupRuns']>[0];

/** What every TrackingStore must do with groups of runs, on whatever database. */
export function runGroupsSuite(name: string, open: () => Promise<{ store: TrackingStore; close(): Promise<void> }>): void {
  describe(`${name}: groups of runs`, () => {
    let tracking: TrackingService;
    let close: () => Promise<void>;
    let experimentId: string;
    const idOf = new Map<string, string>();
    beforeAll(async () => {
      const subject = await open();
      close = subject.close;
      tracking = createTrackingService({ store: subject.store });
      experimentId = (await tracking.createExperiment({ name: 'groups' })).id;
      await logAll();
    }, 120_000);
    afterAll(() => close?.());

    const kv = (record: Record<string, string>) => Object.entries(record).map(([key, value]) => ({ key, value }));
    const log = async (
      runName: string,
      run: { params?: Record<string, string>; tags?: Record<string, string>; metrics?: Record<string, number>; user?: string; at: number; datasets?: string[] },
    ) => {
      const { runId } = await tracking.createRun({
        experimentId,
        name: runName,
        userId: run.user,
        startTime: run.at,
        params: kv(run.params ?? {}),
        tags: kv(run.tags ?? {}),
      });
      idOf.set(runName, runId);
      const metrics = Object.entries(run.metrics ?? {}).map(([key, value]) => ({ key, value, step: 0, timestamp: run.at }));
      if (metrics.length > 0) await tracking.logBatch(runId, { metrics });
      for (const dataset of run.datasets ?? [])
        await tracking.logInputs(
          runId,
          [{ dataset: { name: dataset, digest: 'd', sourceType: 'local', source: 'x', schema: null, profile: null }, tags: [] }],
          [],
        );
    };
    /** Long values that differ only far behind, quotes of both kinds, what other scripts and types have. */
    const LONG = 'ü'.repeat(249);
    async function logAll() {
      await log('a1', { params: { model: 'boosted', depth: '10' }, metrics: { auc: 1e9 + 4, loss: 1 }, user: 'ana', at: 1000, datasets: ['flights'] });
      await log('a2', {
        params: { model: 'boosted', depth: '9' },
        metrics: { auc: 1e9 + 7, loss: Number.NaN },
        user: 'ana',
        at: 2000,
        datasets: ['flights', 'weather'],
      });
      await log('a3', { params: { model: 'boosted', depth: '9' }, metrics: { auc: 1e9 + 13, loss: Number.POSITIVE_INFINITY }, user: 'bob', at: 3000 });
      await log('a4', { params: { model: 'boosted', depth: '10' }, metrics: { auc: 1e9 + 16 }, at: 4000, datasets: ['flights'] });
      await log('b1', { params: { model: `it's "b"` }, metrics: { auc: Number.MAX_VALUE }, tags: { team: 'x' }, user: 'bob', at: 5000 });
      await log('b2', { params: { model: `it's "b"` }, metrics: { auc: Number.NEGATIVE_INFINITY }, tags: { team: 'x' }, user: 'bob', at: 6000 });
      await log('none', { metrics: { auc: 3 }, at: 500 });
      await log('l1', { params: { model: `${LONG}🦀-1` }, metrics: { loss: Number.NaN }, at: 7000 });
      await log('l2', { params: { model: `${LONG}🦀-2` }, at: 8000 });
      const { runId } = await tracking.createRun({ experimentId, name: 'deleted', params: [{ key: 'model', value: 'boosted' }], startTime: 9000 });
      await tracking.updateRun(runId, { lifecycleStage: 'deleted' });
      // Another experiment uses the same names.
      await tracking.createRun({ experimentId: '0', params: [{ key: 'model', value: 'boosted' }] });
    }
    const model: GroupColumn = { kind: 'param', key: 'model' };
    const groups = (by: GroupColumn[], rest: Partial<Request> = {}) =>
      tracking.groupRuns({
        experimentIds: [experimentId],
        by,
        metrics: [],
        params: [],
        tags: [],
        attributes: [],
        order: { by: 'started', key: '', ascending: false },
        limit: 100,
        ...rest,
      });
    const first = (page: { groups: RunGroupRecord[] }, value: string | null) => page.groups.find(({ values }) => values[0] === value) as RunGroupRecord;
    const inside = async (by: GroupColumn[], { values }: RunGroupRecord, filter = '') =>
      (
        await tracking.searchRuns({
          experimentIds: [experimentId],
          filter,
          within: by.map((column, i) => ({ column, value: values[i] ?? null })),
          limit: 100,
          orderBy: ['attributes.run_name ASC'],
        })
      ).runs.map((run) => run.name);

    it('a spread is exact where squares of the values would cancel, and leaves NaN and infinities out', async () => {
      const page = await groups([model], { metrics: ['auc', 'loss', 'no such metric'] });
      expect(page).toMatchObject({ total: 5, runs: 9, nextPageToken: undefined });
      const boosted = first(page, 'boosted');
      expect(boosted).toMatchObject({ runs: 4, startedFrom: 1000, startedTo: 4000 });
      expect(boosted.metrics['auc']).toEqual({ count: 4, mean: 1e9 + 10, deviation: Math.sqrt(30), min: 1e9 + 4, max: 1e9 + 16 });
      expect(boosted.metrics['loss']).toEqual({ count: 1, mean: 1, deviation: null, min: 1, max: 1 });
      expect(Object.keys(boosted.metrics)).toEqual(['auc', 'loss']);
      const b = first(page, `it's "b"`);
      // The largest double is a value like any other; minus infinity, stored beside it, is none.
      expect(b.metrics).toEqual({ auc: { count: 1, mean: Number.MAX_VALUE, deviation: null, min: Number.MAX_VALUE, max: Number.MAX_VALUE } });
      expect(first(page, null)).toMatchObject({ runs: 1, metrics: { auc: { count: 1, mean: 3 } } });
      // Texts that differ only far behind are two; one whose only value is NaN has no figure.
      expect(first(page, `${LONG}🦀-1`)).toMatchObject({ runs: 1, metrics: {} });
      expect(first(page, `${LONG}🦀-2`)).toMatchObject({ runs: 1, metrics: {} });
    });

    it('groups say what their runs share', async () => {
      const page = await groups([model], { params: ['depth', 'model'], tags: ['team'], attributes: ['status', 'user'] });
      expect(first(page, 'boosted')).toMatchObject({
        params: { depth: { values: 2, value: null }, model: { values: 1, value: 'boosted' } },
        tags: { team: { values: 1, value: null } },
        attributes: { user: { values: 3, value: null }, status: { values: 1, value: 'RUNNING' } },
      });
      expect(first(page, `it's "b"`)).toMatchObject({
        tags: { team: { values: 1, value: 'x' } },
        attributes: { user: { values: 1, value: 'bob' } },
        params: { depth: { values: 1, value: null } },
      });
    });

    it.each([
      ['params', [model]],
      ['a param and the user', [model, { kind: 'attribute', key: 'user' }]],
      ['datasets', [{ kind: 'attribute', key: 'dataset' }]],
      [
        'a tag and the status',
        [
          { kind: 'tag', key: 'team' },
          { kind: 'attribute', key: 'status' },
        ],
      ],
    ] as [string, GroupColumn[]][])('the runs of a group by %s are found by its values, and each run is in one', async (_, by) => {
      const page = await groups(by);
      const found: string[] = [];
      for (const group of page.groups) {
        const runs = await inside(by, group);
        expect(runs).toHaveLength(group.runs);
        found.push(...runs);
      }
      expect(found.sort()).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'l1', 'l2', 'none']);
    });

    it('a page of some groups says of them what all do', async () => {
      const asked = { metrics: ['auc', 'loss'], params: ['depth'], attributes: ['status', 'user'] } satisfies Partial<Request>;
      const all = (await groups([model], asked)).groups;
      const some: RunGroupRecord[] = [];
      for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
        const page: Awaited<ReturnType<typeof groups>> = await groups([model], { ...asked, limit: 2, pageToken });
        some.push(...page.groups);
        pageToken = page.nextPageToken;
      }
      expect(some).toEqual(all);
    });

    it('datasets group by all that a run has', async () => {
      const page = await groups([{ kind: 'attribute', key: 'dataset' }], { order: { by: 'runs', key: '', ascending: false } });
      expect(page.groups.map(({ values, runs }) => [values[0], runs])).toEqual([
        [null, 6],
        ['flights', 2],
        ['flights\nweather', 1],
      ]);
    });

    it('only runs that the filter matches are grouped, and the view says whether deleted ones are', async () => {
      expect(await groups([model], { filter: "metrics.auc > 5 AND params.model = 'boosted'" })).toMatchObject({ total: 1, runs: 4 });
      expect(await groups([model], { filter: 'metrics.loss <= 1' })).toMatchObject({ total: 1, runs: 1 });
      expect(await groups([model], { filter: "params.model = 'nothing'" })).toMatchObject({ total: 0, runs: 0, groups: [] });
      expect(await groups([model], { view: 'deleted' })).toMatchObject({ total: 1, runs: 1 });
      expect(await groups([model], { view: 'all' })).toMatchObject({ total: 5, runs: 10 });
      expect(await groups([model], { experimentIds: [experimentId, '0'] })).toMatchObject({ runs: 10 });
      expect(await groups([{ kind: 'param', key: 'never logged' }])).toMatchObject({ total: 1, runs: 9 });
      await expect(groups([model], { filter: 'auc is high' })).rejects.toMatchObject({ kind: 'invalid' });
    });

    it.each([
      ['the newest run', { by: 'started', key: '', ascending: false }, [`${LONG}🦀-2`, `${LONG}🦀-1`, `it's "b"`, 'boosted', null]],
      ['the number of runs', { by: 'runs', key: '', ascending: false }, ['boosted', `it's "b"`, `${LONG}🦀-1`, `${LONG}🦀-2`, null]],
      ["a metric's mean, those without one last", { by: 'metric', key: 'auc', ascending: true }, [null, 'boosted', `it's "b"`, `${LONG}🦀-1`, `${LONG}🦀-2`]],
      ['the same downwards', { by: 'metric', key: 'auc', ascending: false }, [`it's "b"`, 'boosted', null, `${LONG}🦀-1`, `${LONG}🦀-2`]],
      ['the value', { by: 'value', key: '0', ascending: true }, ['boosted', `it's "b"`, `${LONG}🦀-1`, `${LONG}🦀-2`, null]],
    ] as [string, Request['order'], (string | null)[]][])('pages in the order of %s lose and double nothing', async (_, order, expected) => {
      for (const limit of [1, 2, 100]) {
        const seen: (string | null)[] = [];
        let pageToken: string | undefined;
        do {
          const page = await groups([model], { order, limit, pageToken });
          expect(page.total).toBe(5);
          seen.push(...page.groups.map(({ values }) => values[0] ?? null));
          pageToken = page.nextPageToken;
        } while (pageToken !== undefined);
        expect(seen).toEqual(expected);
      }
    });

    it('values that are all numbers are sorted as numbers', async () => {
      const page = await groups([{ kind: 'param', key: 'depth' }], { order: { by: 'value', key: '0', ascending: true } });
      expect(page.groups.map(({ values }) => values[0])).toEqual(['9', '10', null]);
    });

    it('a token of another search, and an order by a column that is none, are refused', async () => {
      const { nextPageToken } = await tracking.searchRuns({ experimentIds: [experimentId], limit: 1 });
      await expect(groups([model], { pageToken: nextPageToken })).rejects.toMatchObject({ code: 'invalid_page_token' });
      await expect(groups([model], { order: { by: 'value', key: '1', ascending: true } })).rejects.toMatchObject({ code: 'invalid_order' });
    });

    it('most of the runs and few of them are read by different ways to the same figures', async () => {
      const { id } = await tracking.createExperiment({ name: 'ways' });
      for (let i = 0; i < 60; i++) {
        const { runId } = await tracking.createRun({
          experimentId: id,
          params: [{ key: 'k', value: String(i % 3) }],
          tags: [{ key: 'few', value: String(i % 5) }],
        });
        await tracking.logBatch(runId, { metrics: [{ key: 'm', value: i / 7, step: 0, timestamp: 1 }] });
      }
      const by: GroupColumn[] = [{ kind: 'param', key: 'k' }];
      const order = { by: 'value', key: '0', ascending: true } as const;
      const spreadOf = (values: number[]) => {
        const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
        return [values.length, mean, Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1))];
      };
      const all = Array.from({ length: 60 }, (_, i) => i);
      for (const [filter, matching] of [
        ['', all],
        ["tags.few = '2'", all.filter((i) => i % 5 === 2)],
        ['metrics.m >= 1', all.filter((i) => i / 7 >= 1)],
      ] as const) {
        const page = await groups(by, { experimentIds: [id], filter, metrics: ['m'], params: ['k'], order });
        for (const [k, group] of page.groups.entries()) {
          const { count, mean, deviation } = group.metrics['m'] as { count: number; mean: number; deviation: number };
          const expected = spreadOf(matching.filter((i) => i % 3 === k).map((i) => i / 7));
          for (const [i, figure] of [count, mean, deviation].entries()) expect(figure).toBeCloseTo(expected[i] as number, 10);
          expect(group.params['k']).toEqual({ values: 1, value: String(k) });
        }
      }
    });
  });
}
