import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OutboxEvent } from '../../src/kernel/index.ts';
import type { PackageFacts, RegistryStore } from '../../src/registry/index.ts';
import { createTrackingService, type TrackingService, type TrackingStore } from '../../src/tracking/index.ts';
import type { Garbage, GarbageStore } from '../../src/upkeep/index.ts';

interface Subject {
  garbage: GarbageStore;
  tracking: TrackingStore;
  registry: RegistryStore;
  events: OutboxEvent[];
  close(): Promise<void>;
}

const facts: PackageFacts = {
  storagePath: null,
  flavors: [],
  signature: null,
  tensors: null,
  graphPath: null,
  graphSha256: null,
  externalFiles: [],
  derivedPath: null,
  metadata: {},
  sizeBytes: null,
  servable: false,
  statusMessage: '',
};
const LATER = () => Date.now() + 60_000;

/** What every garbage store does, over stores that share its tables. `events` are those that were delivered so far. */
export function garbageStoreSuite(name: string, open: () => Promise<Subject>): void {
  describe(`the garbage store ${name}`, () => {
    let subject: Subject;
    let tracking: TrackingService;
    beforeEach(async () => {
      subject = await open();
      tracking = createTrackingService({ store: subject.tracking });
    });
    afterEach(() => subject.close());

    const names = (items: { kind: string; id: string }[]) => items.map(({ kind, id }) => `${kind} ${id}`).sort();
    const find = async (before = LATER()) => {
      const { garbage, kept } = await subject.garbage.find(before);
      return { garbage, going: names(garbage), kept: names(kept) };
    };
    const purgeAll = async () => subject.garbage.purge((await subject.garbage.find(LATER())).garbage, LATER());
    const runIn = async (experimentId: string) => (await tracking.createRun({ experimentId })).runId;
    const remove = (runId: string) => tracking.updateRun(runId, { lifecycleStage: 'deleted' });
    const version = (model: string, change: { runId?: string; storagePath?: string | null; derivedPath?: string | null }) =>
      subject.registry.createVersion({
        model,
        source: 's',
        storageUri: 'mlflow-artifacts:/x',
        runId: change.runId ?? null,
        runLink: null,
        loggedModelId: null,
        description: '',
        tags: {},
        facts: { ...facts, storagePath: change.storagePath ?? null, derivedPath: change.derivedPath ?? null },
      });

    it('finds what was deleted at a time or earlier, and takes it out with all that belongs to it', async () => {
      const { id } = await tracking.createExperiment({ name: 'e', tags: [{ key: 'k', value: 'v' }] });
      const [gone, stays] = [await runIn(id), await runIn(id)];
      const point = { step: 0, value: 1, timestamp: 1 };
      for (const run of [gone, stays])
        await tracking.logBatch(run, {
          metrics: [0, 1, 2].map((step) => ({ ...point, key: 'm', step })),
          params: [{ key: 'p', value: 'x' }],
          tags: [{ key: 't', value: 'x' }],
        });
      await remove(gone);
      expect((await find(Date.now() - 60_000)).going).toEqual([]);
      expect(await find()).toMatchObject({ going: [`run ${gone}`], kept: [] });
      const { purged, points } = await purgeAll();
      expect([names(purged), points]).toEqual([[`run ${gone}`], 3]);
      expect(await subject.garbage.exists('run', gone)).toBe(false);
      await expect(tracking.getRun(gone)).rejects.toMatchObject({ kind: 'not_found' });
      expect((await tracking.metricHistory(stays, 'm', null)).steps.length).toBe(3);
      await expect
        .poll(() => subject.events.filter(({ type }) => type === 'files.orphaned').map(({ payload }) => payload), { timeout: 10_000 })
        .toEqual([{ kind: 'run', id: gone, path: `${id}/${gone}` }]);
      // Once more finds nothing, and what is asked for in vain is no error.
      expect(await find()).toMatchObject({ going: [] });
      expect(await subject.garbage.purge([{ kind: 'run', id: gone, name: '', artifactUri: null }], LATER())).toEqual({ purged: [], points: 0 });
    });

    it('an experiment goes once nothing in it stays, its name is free, and its number is not given again', async () => {
      const { id } = await tracking.createExperiment({ name: 'again' });
      const run = await runIn(id);
      await tracking.setExperimentStage(id, 'deleted');
      await expect(tracking.createExperiment({ name: 'again' })).rejects.toMatchObject({ kind: 'conflict' });
      expect((await find()).going).toEqual([`experiment ${id}`, `run ${run}`]);
      await purgeAll();
      expect([await subject.garbage.exists('experiment', id), await subject.garbage.exists('run', run)]).toEqual([false, false]);
      const next = await tracking.createExperiment({ name: 'again' });
      expect(Number(next.id)).toBeGreaterThan(Number(id));
      // The names of its params are its own.
      const other = await runIn(next.id);
      await tracking.logBatch(other, { params: [{ key: 'p', value: 'x' }] });
      expect((await tracking.getRun(other)).params).toEqual(['p', 'x']);
    });

    it('what was restored or registered since it was found stays', async () => {
      const { id } = await tracking.createExperiment({ name: 'e' });
      const [restored, registered, goes] = [await runIn(id), await runIn(id), await runIn(id)];
      for (const run of [restored, registered, goes]) await remove(run);
      const { garbage, going } = await find();
      expect(going).toHaveLength(3);
      await tracking.updateRun(restored, { lifecycleStage: 'active' });
      await subject.registry.createModel({ name: 'm', description: '', tags: {} });
      await version('m', { runId: registered });
      expect(names((await subject.garbage.purge(garbage as Garbage[], LATER())).purged)).toEqual([`run ${goes}`]);
      expect(await find()).toMatchObject({ going: [], kept: [`run ${registered}`] });
      await tracking.getRun(restored);
    });

    it('runs that are restored while they are removed are whole or gone', async () => {
      const { id } = await tracking.createExperiment({ name: 'e' });
      const runs: string[] = [];
      for (let i = 0; i < 12; i++) {
        const run = await runIn(id);
        runs.push(run);
        await tracking.logBatch(run, { metrics: [{ key: 'm', step: 0, value: 1, timestamp: 1 }], params: [{ key: 'p', value: 'x' }] });
        await remove(run);
      }
      const { garbage } = await subject.garbage.find(LATER());
      const [{ purged }, ...restored] = await Promise.all([
        subject.garbage.purge(garbage, LATER()),
        ...runs.map((run) =>
          tracking.updateRun(run, { lifecycleStage: 'active' }).then(
            () => true,
            () => false,
          ),
        ),
      ]);
      const gone = new Set(purged.map(({ id: run }) => run));
      for (const [i, run] of runs.entries()) {
        expect(gone.has(run)).toBe(!restored[i]);
        if (!restored[i]) continue;
        expect(await tracking.getRun(run)).toMatchObject({ params: ['p', 'x'] });
        expect((await tracking.metricHistory(run, 'm', null)).steps.length).toBe(1);
      }
    });

    it('tells the paths that versions use', async () => {
      await subject.registry.createModel({ name: 'm', description: '', tags: {} });
      await version('m', { storagePath: 'registry/a', derivedPath: '.binnacle/graphs/b.onnx' });
      await version('m', {});
      expect((await subject.garbage.versionPaths()).sort()).toEqual(['.binnacle/graphs/b.onnx', 'registry/a']);
    });

    it('takes out the names that no run uses any more, in steps, and those that are used stay', async () => {
      const { id } = await tracking.createExperiment({ name: 'e' });
      const [gone, stays] = [await runIn(id), await runIn(id)];
      const log = (run: string, prefix: string) =>
        tracking.logBatch(run, {
          metrics: [0, 1, 2].map((i) => ({ key: `${prefix}m${i}`, step: 0, value: 1, timestamp: 1 })),
          params: [0, 1, 2].map((i) => ({ key: `${prefix}p${i}`, value: 'x' })),
          tags: [0, 1].map((i) => ({ key: `${prefix}t${i}`, value: 'x' })),
        });
      await log(gone, 'gone-');
      await log(gone, 'both-');
      await log(stays, 'both-');
      await remove(gone);
      const purgeNames = async () => {
        let sum = 0;
        for (let at: number | null = 0; at !== null; ) {
          const { purged, last }: { purged: number; last: number | null } = await subject.garbage.purgeNames(at, 3);
          sum += purged;
          at = last;
        }
        return sum;
      };
      expect(await purgeNames()).toBe(0);
      await purgeAll();
      expect(await purgeNames()).toBe(8);
      expect(await purgeNames()).toBe(0);
      const after = await tracking.getRun(stays);
      expect([after.params.filter((_, i) => i % 2 === 0).sort(), [...after.metrics.keys].sort()]).toEqual([
        ['both-p0', 'both-p1', 'both-p2'],
        ['both-m0', 'both-m1', 'both-m2'],
      ]);
      // A name that went comes back when it is used.
      await log(stays, 'gone-');
      expect((await tracking.metricHistory(stays, 'gone-m1', null)).steps.length).toBe(1);
      expect(await purgeNames()).toBe(0);
    });
  });
}
