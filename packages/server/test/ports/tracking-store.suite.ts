import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTrackingService, type MetricInput, type RunRecord, type TrackingService, type TrackingStore } from '../../src/tracking/index.ts';
import { searchLikeMlflow, type Oracle } from '../support/search-oracle.ts';

/** What every TrackingStore must do, on whatever database. */
export function trackingStoreSuite(name: string, open: () => Promise<{ store: TrackingStore; close(): Promise<void> }>): void {
  describe(`${name} as a tracking store`, () => {
    let store: TrackingStore;
    let tracking: TrackingService;
    let close: () => Promise<void>;
    beforeAll(async () => {
      ({ store, close } = await open());
      tracking = createTrackingService({ store });
    });
    afterAll(() => close());

    const point = (key: string, step: number, value: number, timestamp = 1000 + step): MetricInput => ({ key, step, value, timestamp });
    const values = (run: RunRecord) => Object.fromEntries(run.metrics.keys.map((key, i) => [key, run.metrics.values[i]]));

    describe('series', () => {
      it('a long series written in any order and twice is read back whole and once', async () => {
        const { runId } = await tracking.createRun({ experimentId: '0' });
        const order = Array.from({ length: 5000 }, (_, i) => (i * 1237) % 5000);
        const write = async (size: number) => {
          for (let at = 0; at < order.length; at += size)
            await tracking.logBatch(runId, { metrics: order.slice(at, at + size).map((step) => point('m', step, Math.sqrt(step))) });
        };
        await write(333);
        await write(1000);
        const history = await tracking.metricHistory(runId, 'm', null);
        expect([...history.steps]).toEqual(Array.from({ length: 5000 }, (_, i) => i));
        expect(history.values[4999]).toBe(Math.sqrt(4999));
        const { metrics } = await tracking.listMetricKeys(runId, { limit: 10 });
        expect(metrics).toEqual([
          { key: 'm', value: Math.sqrt(4999), step: 4999, timestamp: 5999, count: 5000, min: 0, max: Math.sqrt(4999), inherited: false },
        ]);
      });

      it('buckets hold every point once, and the extremes of those in them', async () => {
        const { runId } = await tracking.createRun({ experimentId: '0' });
        const value = (step: number) => (step === 7777 ? Number.NaN : step === 12_345 ? 1000 : step === 3 ? -1000 : Math.sin(step / 50));
        for (let at = 0; at < 20_000; at += 2500)
          await tracking.logBatch(runId, { metrics: Array.from({ length: 2500 }, (_, i) => point('m', at + i, value(at + i))) });
        for (const [maxPoints, from, to] of [
          [20, null, null],
          [1000, null, null],
          [333, 1001, 15_002],
          [15_000, null, null],
          [50_000, null, null],
        ] as const) {
          const [series] = await tracking.readSeries({ runIds: [runId], keys: ['m'], maxPoints, from, to });
          const low = from ?? 0;
          const high = to ?? 19_999;
          expect(series?.total).toBe(high - low + 1);
          expect(series?.counts.reduce((sum, n) => sum + n, 0)).toBe(high - low + 1);
          expect(series?.steps.length).toBeLessThanOrEqual(maxPoints);
          expect([...(series?.steps ?? [])]).toEqual([...(series?.steps ?? [])].sort((a, b) => a - b));
          expect(Math.max(...(series?.maxs ?? []).filter((x) => !Number.isNaN(x)))).toBe(1000);
          expect(Math.min(...(series?.mins ?? []).filter((x) => !Number.isNaN(x)))).toBe(
            from === null ? -1000 : Math.min(...Array.from({ length: 14_002 }, (_, i) => value(1001 + i)).filter((x) => !Number.isNaN(x))),
          );
          expect(series?.steps.at(-1)).toBe(high);
        }
      });

      it('points that share one step are spread over time', async () => {
        const { runId } = await tracking.createRun({ experimentId: '0' });
        await tracking.logBatch(runId, { metrics: Array.from({ length: 3000 }, (_, i) => point('m', 0, i, i)) });
        const [series] = await tracking.readSeries({ runIds: [runId], keys: ['m', 'none'], maxPoints: 100, from: null, to: null });
        expect(series?.steps.length).toBe(100);
        expect(series?.total).toBe(3000);
      });

      it('a long history whose times run out of order is paged whole', async () => {
        const { runId } = await tracking.createRun({ experimentId: '0' });
        const times = Array.from({ length: 9000 }, (_, i) => (i * 7919) % 2500);
        for (let at = 0; at < times.length; at += 700)
          await tracking.logBatch(runId, { metrics: times.slice(at, at + 700).map((time, i) => point('m', at + i, i, time)) });
        const whole = await tracking.metricHistory(runId, 'm', null);
        for (const limit of [333, 2999, 8999, 9000]) {
          const steps: number[] = [];
          let pageToken: string | undefined;
          do {
            const page = await tracking.metricHistory(runId, 'm', limit, pageToken);
            if (page.nextPageToken !== undefined) expect(page.steps.length).toBe(limit);
            steps.push(...page.steps);
            pageToken = page.nextPageToken;
          } while (pageToken !== undefined);
          expect(steps).toEqual([...whole.steps]);
        }
      });

      it('the same point for two models is one point of the run', async () => {
        const { runId } = await tracking.createRun({ experimentId: '0' });
        const { modelId } = await tracking.createLoggedModel({ experimentId: '0', name: 'a' });
        await tracking.logBatch(runId, {
          metrics: [
            point('m', 0, 1),
            { ...point('m', 0, 1), modelId },
            { ...point('m', 0, 1), modelId, datasetName: 'd', datasetDigest: 'x' },
            { ...point('m', 1, 2), modelId },
          ],
        });
        expect([...(await tracking.metricHistory(runId, 'm', null)).values]).toEqual([1, 2]);
        expect((await tracking.getLoggedModel(modelId)).metrics).toHaveLength(3);
      });

      it('a search for a value of a metric finds each logged model that ever had it', async () => {
        const { id } = await tracking.createExperiment({ name: 'values of models' });
        const { runId } = await tracking.createRun({ experimentId: id });
        const model = async (name: string, values: number[], dataset = {}) => {
          const { modelId } = await tracking.createLoggedModel({ experimentId: id, name });
          await tracking.logBatch(runId, { metrics: values.map((value, step) => ({ ...point('loss', step, value), modelId, ...dataset })) });
        };
        await model('few', [3, 2, 1, 2.5]);
        // Chunks, the first of which begins with its greatest value, and a tail.
        await model(
          'many',
          Array.from({ length: 2500 }, (_, i) => 10_000 - i * 2),
        );
        await model('on data', [3, 2, 1], { datasetName: 'd', datasetDigest: 'x' });
        const found = async (filter: string, datasets: { name: string; digest: string | null }[] = []) => {
          const { models } = await tracking.searchLoggedModels({ experimentIds: [id], filter, datasets, orderBy: [], limit: 10 });
          return models.map(({ name }) => name).sort();
        };
        expect(await found('metrics.loss = 2')).toEqual(['few', 'on data']);
        expect(await found('metrics.loss = 2', [{ name: 'd', digest: 'x' }])).toEqual(['on data']);
        for (const value of [10_000, 9000, 7334, 5020, 5002]) expect(await found(`metrics.loss = ${value}`), `${value}`).toEqual(['many']);
        for (const value of [9001, 5001, 0, 1.5, 1e300]) expect(await found(`metrics.loss = ${value}`), `${value}`).toEqual([]);
        expect(await found('metrics.loss = 2 AND metrics.loss = 2.5')).toEqual(['few']);
        expect(await found('metrics.other = 2')).toEqual([]);
      });

      it('a run with many keys pages through them by name', async () => {
        const { runId } = await tracking.createRun({ experimentId: '0' });
        for (let b = 0; b < 3; b++) await tracking.logBatch(runId, { metrics: Array.from({ length: 1000 }, (_, i) => point(`layer/${b * 1000 + i}`, 0, i)) });
        expect(await tracking.countMetricKeys(runId)).toBe(3000);
        const seen: string[] = [];
        let pageToken: string | undefined;
        do {
          const page = await tracking.listMetricKeys(runId, { limit: 700, pageToken });
          seen.push(...page.metrics.map(({ key }) => key));
          pageToken = page.nextPageToken;
        } while (pageToken !== undefined);
        expect(new Set(seen).size).toBe(3000);
        expect((await tracking.listMetricKeys(runId, { q: 'ER/299', limit: 100 })).metrics.map(({ key }) => key)).toEqual([
          'layer/299',
          ...Array.from({ length: 10 }, (_, i) => `layer/299${i}`),
        ]);
      });
    });

    describe('retries and concurrency', () => {
      it('32 writers on one run and on many lose and double nothing', async () => {
        const { runId } = await tracking.createRun({ experimentId: '0' });
        const own = await Promise.all(Array.from({ length: 32 }, () => tracking.createRun({ experimentId: '0' })));
        const batch = (writer: number, b: number) => ({
          metrics: Array.from({ length: 50 }, (_, i) => point('shared', (b * 50 + i) * 32 + writer, writer)),
          params: [{ key: `p${writer}`, value: 'x' }],
          tags: [{ key: 'last', value: String(writer) }],
        });
        await Promise.all(
          own.flatMap((run, writer) =>
            Array.from({ length: 8 }, async (_, b) => {
              await tracking.logBatch(runId, batch(writer, b));
              // A client that saw no answer sends it again.
              await Promise.all([tracking.logBatch(runId, batch(writer, b)), tracking.logBatch(run.runId, batch(writer, b))]);
            }),
          ),
        );
        const shared = await tracking.metricHistory(runId, 'shared', null);
        expect([...shared.steps].sort((a, b) => a - b)).toEqual(Array.from({ length: 32 * 8 * 50 }, (_, i) => i));
        expect((await tracking.getRun(runId)).params).toHaveLength(64);
        for (const run of own) expect((await tracking.metricHistory(run.runId, 'shared', null)).steps).toHaveLength(400);
      });

      it('of two values for one param exactly one wins', async () => {
        const { runId } = await tracking.createRun({ experimentId: '0' });
        const results = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => tracking.logParam(runId, { key: 'p', value: String(i) })));
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      });

      it('of many who create one experiment all get the same', async () => {
        const ids = await Promise.all(Array.from({ length: 10 }, () => tracking.ensureExperiment('together').then(({ id }) => id)));
        expect(new Set(ids).size).toBe(1);
      });

      it('a refused batch leaves nothing behind', async () => {
        const { runId } = await tracking.createRun({ experimentId: '0', params: [{ key: 'p', value: '1' }] });
        await expect(
          tracking.logBatch(runId, {
            metrics: [point('m', 0, 1)],
            params: [
              { key: 'new', value: 'x' },
              { key: 'p', value: '2' },
            ],
            tags: [{ key: 't', value: 'x' }],
          }),
        ).rejects.toThrow('Changing param values is not allowed');
        const run = await tracking.getRun(runId);
        expect([run.params, values(run)]).toEqual([['p', '1'], {}]);
      });
    });

    describe('search', () => {
      const oracle: Oracle[] = [];
      let experiments: string[] = [];
      beforeAll(async () => {
        let state = 42;
        const next = (n: number) => {
          state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
          return state % n;
        };
        experiments = await Promise.all(['one', 'two', 'three'].map(async (e) => (await tracking.createExperiment({ name: `search ${e}` })).id));
        for (let i = 0; i < 240; i++) {
          const experimentId = experiments[next(3)] as string;
          const params = [
            ...(next(3) ? [{ key: 'p', value: ['a', 'B', 'ab', 'ü', '🚢', '％'][next(6)] as string }] : []),
            { key: 'long', value: 'y'.repeat(249 + next(3)) + '🚢z'.repeat(next(3)) },
          ];
          const tags = next(2) ? [{ key: 't', value: `v${next(4)}` }] : [];
          const metrics = [
            ...(next(4) ? [point('m', 0, [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 0.5, 1, 2][next(7)] as number)] : []),
            point('n', 0, next(5)),
          ];
          const run = await tracking.createRun({ experimentId, name: `run ${next(50)}`, startTime: 1000 + next(30), params, tags });
          await tracking.logBatch(run.runId, { metrics });
          const endTime = next(2) ? 2000 + next(20) : undefined;
          if (endTime !== undefined) await tracking.updateRun(run.runId, { status: 'FINISHED', endTime });
          if (next(10) === 0) await tracking.updateRun(run.runId, { lifecycleStage: 'deleted' });
          oracle.push(await tracking.getRun(run.runId));
        }
      });

      const filters = [
        '',
        'metrics.m > 0',
        'metrics.m != 0.5 AND metrics.n >= 2',
        "params.p = 'ab'",
        "params.p != 'a' and tags.t = 'v1'",
        "params.p LIKE 'a%'",
        "params.p ILIKE 'b'",
        "params.p LIKE '🚢'",
        'tags.t IS NULL AND metrics.n < 3',
        'tags.t IS NOT NULL',
        "run_name LIKE 'run 1%'",
        "status = 'RUNNING'",
        'end_time > 2005',
        "start_time <= 1010 AND params.p = 'ü'",
        'metrics.none > 1',
        `params.long = '${'y'.repeat(250)}🚢z'`,
        `params.long LIKE '%🚢z🚢z'`,
      ];
      const orders = [
        [],
        ['metrics.m'],
        ['metrics.m DESC'],
        ['metrics.m DESC', 'metrics.n'],
        ['params.p'],
        ['params.p DESC', 'end_time'],
        ['params.long DESC'],
        ['tags.t DESC', 'start_time'],
        ['end_time'],
        ['end_time DESC', 'run_name'],
        ['start_time'],
        ['run_name', 'metrics.n DESC'],
        ['metrics.none'],
        ['run_id'],
        ['experiment_id DESC', 'metrics.m'],
      ];

      it('an outline tells where each page begins, whatever the filter and order', async () => {
        for (const orderBy of orders) {
          for (const filter of ['', 'metrics.m > 0', 'tags.t IS NOT NULL', "params.p = 'ab'"]) {
            const search = { experimentIds: experiments, filter, orderBy, view: 'all' } as const;
            const { runs } = await tracking.searchRuns({ ...search, limit: 1000 });
            const outline = await tracking.outlineRuns({ ...search, pageSize: 50 });
            expect(outline).toMatchObject({ total: runs.length, truncated: false });
            expect(outline.pages.map(({ firstRunId }) => firstRunId)).toEqual(runs.flatMap(({ runId }, i) => (i > 0 && i % 50 === 0 ? [runId] : [])));
            for (const [i, { pageToken }] of outline.pages.entries()) {
              const page = await tracking.searchRuns({ ...search, limit: 50, pageToken });
              expect(page.runs.map(({ runId }) => runId)).toEqual(runs.slice((i + 1) * 50, (i + 2) * 50).map(({ runId }) => runId));
            }
          }
        }
      });

      it('every filter in every order gives what MLflow gives, however it is paged', async () => {
        for (const orderBy of orders) {
          for (const [i, filter] of filters.entries()) {
            for (const [ids, view] of [
              [experiments, 'active'],
              [[experiments[0] as string], 'all'],
            ] as const) {
              const expected = searchLikeMlflow(oracle, { experimentIds: [...ids], filter, orderBy, view });
              const found: string[] = [];
              let pageToken: string | undefined;
              // Pages of different sizes meet classes of values (numbers, NaN, missing) at different places.
              const limit = 5 + ((i * 7 + orderBy.length) % 40);
              do {
                const page = await tracking.searchRuns({
                  experimentIds: [...ids],
                  filter,
                  orderBy: [...orderBy],
                  view,
                  limit,
                  pageToken,
                  columns: { metrics: [], params: [], tags: [] },
                });
                found.push(...page.runs.map(({ runId }) => runId));
                pageToken = page.nextPageToken;
              } while (pageToken !== undefined);
              expect(found, `${filter} | ${orderBy.join(', ')} | ${view}`).toEqual(expected);
            }
          }
        }
      }, 120_000);

      it('many experiments at once give the same as few', async () => {
        const ids = [...experiments];
        for (let i = 0; i < 15; i++) ids.push((await tracking.createExperiment({ name: `empty ${i}` })).id);
        for (const orderBy of [['metrics.m DESC'], ['params.p', 'metrics.n'], []]) {
          const { runs } = await tracking.searchRuns({ experimentIds: ids, filter: 'metrics.n > 0', orderBy, limit: 1000 });
          expect(runs.map(({ runId }) => runId)).toEqual(searchLikeMlflow(oracle, { experimentIds: ids, filter: 'metrics.n > 0', orderBy, view: 'active' }));
        }
      });

      it('runs that arrive between two pages neither repeat nor hide others', async () => {
        const { id } = await tracking.createExperiment({ name: 'moving' });
        const add = async (start: number) => (await tracking.createRun({ experimentId: id, startTime: start })).runId;
        const first: string[] = [];
        for (let i = 0; i < 10; i++) first.push(await add(1000 + i));
        const page = await tracking.searchRuns({ experimentIds: [id], limit: 4 });
        await add(5000);
        await add(1);
        const rest = await tracking.searchRuns({ experimentIds: [id], limit: 100, pageToken: page.nextPageToken });
        expect([...page.runs, ...rest.runs].map(({ runId }) => runId).filter((runId) => first.includes(runId))).toEqual([...first].reverse());
      });

      it('only the picked columns are read', async () => {
        const { runs } = await tracking.searchRuns({ experimentIds: experiments, limit: 50, columns: { metrics: ['n'], params: [], tags: ['t', 'none'] } });
        for (const run of runs) {
          expect(run.metrics.keys).toEqual(['n']);
          expect(run.params).toEqual([]);
          expect(run.tags.filter((_, i) => i % 2 === 0).every((key) => key === 't')).toBe(true);
        }
      });
    });

    it('columns of an experiment are listed by kind', async () => {
      const { id } = await tracking.createExperiment({ name: 'columns' });
      const run = await tracking.createRun({ experimentId: id, params: [{ key: 'Lr', value: '1' }], tags: [{ key: 'x', value: 'y' }] });
      await tracking.logBatch(run.runId, { metrics: [point('loss', 0, 1), point('acc', 0, 1)] });
      expect(await tracking.listColumns(id, undefined, 100)).toEqual({
        metrics: ['acc', 'loss'],
        params: ['Lr'],
        tags: ['mlflow.runName', 'x'],
        truncated: false,
      });
      expect(await tracking.listColumns(id, 'L', 1)).toEqual({ metrics: ['loss'], params: ['Lr'], tags: ['mlflow.runName'], truncated: false });
      expect((await tracking.listColumns(id, undefined, 1)).truncated).toBe(true);
    });

    it('a search finds capitals of every script', async () => {
      const { id } = await tracking.createExperiment({ name: 'Übung ÉTÉ' });
      for (const q of ['Übung', 'übung', 'ÜBUNG été'])
        expect((await tracking.listExperiments({ q, view: 'active', limit: 10 })).experiments.map((found) => found.id)).toEqual([id]);
      const { runId } = await tracking.createRun({ experimentId: id, params: [{ key: 'Größe', value: 'ÄÖ' }] });
      await tracking.logBatch(runId, { metrics: [point('Übermaß', 0, 1)] });
      expect((await tracking.listMetricKeys(runId, { q: 'ÜBER', limit: 10 })).metrics.map(({ key }) => key)).toEqual(['Übermaß']);
      expect((await tracking.listColumns(id, 'GRÖ', 10)).params).toEqual(['Größe']);
      for (const filter of ["params.Größe ILIKE 'ÄÖ'", "params.Größe ILIKE 'äö'", "params.Größe LIKE 'ÄÖ'"])
        expect((await tracking.searchRuns({ experimentIds: [id], filter, limit: 10 })).runs).toHaveLength(1);
      expect((await tracking.searchRuns({ experimentIds: [id], filter: "params.Größe LIKE 'äö'", limit: 10 })).runs).toHaveLength(0);
      expect((await tracking.searchExperiments({ filter: "name ILIKE 'übung%'", limit: 10 })).experiments.map((found) => found.id)).toEqual([id]);
    });

    it('in LIKE only % and _ are special', async () => {
      const { id } = await tracking.createExperiment({ name: 'C:\\data\\%|Ä' });
      const found = async (filter: string) => (await tracking.searchExperiments({ filter, limit: 10 })).experiments.map((one) => one.id);
      for (const pattern of ['C:\\data\\%|Ä', 'C:\\data\\%', 'C:\\d_ta%|_', '%\\data\\%'])
        for (const operator of ['LIKE', 'ILIKE']) expect(await found(`name ${operator} '${pattern}'`), `${operator} ${pattern}`).toEqual([id]);
      expect(await found("name ILIKE 'c:\\DATA\\%|ä'")).toEqual([id]);
      for (const pattern of ['C:data%', 'C:\\\\data%', 'C:\\data\\|%', '%||%']) expect(await found(`name LIKE '${pattern}'`), pattern).toEqual([]);
    });

    it('experiments are listed by their newest run', async () => {
      const { id: a } = await tracking.createExperiment({ name: 'listed A' });
      const { id: b } = await tracking.createExperiment({ name: 'listed b' });
      await tracking.createRun({ experimentId: a, startTime: 9_000_000_000_000 });
      const { experiments } = await tracking.listExperiments({ q: 'LISTED', view: 'active', limit: 10 });
      expect(experiments.map(({ id, runCount, lastRunAt }) => [id, runCount, lastRunAt])).toEqual([
        [a, 1, 9_000_000_000_000],
        [b, 0, null],
      ]);
      const first = await tracking.listExperiments({ q: 'listed', view: 'all', limit: 1 });
      expect((await tracking.listExperiments({ q: 'listed', view: 'all', limit: 1, pageToken: first.nextPageToken })).experiments[0]?.id).toBe(b);
    });
  });
}
