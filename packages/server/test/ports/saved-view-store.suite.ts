import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createSavedViews,
  createTrackingService,
  type SavedViews,
  type SavedViewStore,
  type TrackingService,
  type TrackingStore,
} from '../../src/tracking/index.ts';
import type { GarbageStore } from '../../src/upkeep/index.ts';

interface Subject {
  views: SavedViewStore;
  tracking: TrackingStore;
  garbage: GarbageStore;
  close(): Promise<void>;
}

/** What every store of saved views must do, beside stores that share its experiments. */
export function savedViewStoreSuite(name: string, open: () => Promise<Subject>): void {
  describe(`the store of saved views ${name}`, () => {
    let subject: Subject;
    let views: SavedViews;
    let tracking: TrackingService;
    let experimentId: string;
    beforeAll(async () => {
      subject = await open();
      views = createSavedViews(subject.views);
      tracking = createTrackingService({ store: subject.tracking });
    }, 120_000);
    afterAll(() => subject?.close());
    const experiment = async (title: string) => ({ id: (experimentId = (await tracking.createExperiment({ name: title })).id) });
    const view = (viewName: string, state: Record<string, unknown> = {}) => ({ experimentId, name: viewName, page: 'runs' as const, state });
    const names = async () => (await views.list(experimentId)).map((one) => one.name);

    it('a view is kept whole, listed by name with its own experiment only, and deleted', async () => {
      await experiment('kept');
      const state = { filter: "params.`ä b` = '🦀'", cols: ['m:auc', 'p:lr'], unknown: { deep: [1, null, true] }, empty: '' };
      const saved = await views.put(view('best of ü/🦀 %', state));
      expect(saved).toMatchObject({ experimentId, name: 'best of ü/🦀 %', page: 'runs', state, isDefault: false, revision: 1 });
      expect(saved.updatedAt).toBe(saved.createdAt);
      await views.put(view('B'));
      await views.put(view('a'));
      expect(await names()).toEqual(['B', 'a', 'best of ü/🦀 %']);
      expect((await views.list(experimentId))[2]).toEqual(saved);
      expect(await views.list('0')).toEqual([]);
      expect(await views.delete(experimentId, 'a')).toBe(true);
      expect(await views.delete(experimentId, 'a')).toBe(false);
      expect(await names()).toEqual(['B', 'best of ü/🦀 %']);
    });

    it('a view is replaced by name, and not over what somebody else has changed meanwhile', async () => {
      await experiment('replaced');
      const first = await views.put(view('v', { n: 1 }), 0);
      const second = await views.put(view('v', { n: 2 }), first.revision);
      expect(second).toMatchObject({ revision: 2, state: { n: 2 }, createdAt: first.createdAt });
      await expect(views.put(view('v', { n: 3 }), first.revision)).rejects.toMatchObject({ kind: 'conflict', code: 'view_changed' });
      await expect(views.put(view('v', { n: 3 }), 0)).rejects.toThrow('There is a view');
      await expect(views.put(view('gone', { n: 3 }), 4)).rejects.toThrow('is gone');
      expect((await views.list(experimentId)).map(({ state }) => state)).toEqual([{ n: 2 }]);
      expect(await views.put(view('v', { n: 4 }))).toMatchObject({ revision: 3, state: { n: 4 } });
    });

    it('of writers that all replace the same revision one wins', async () => {
      await experiment('raced');
      const tries = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => views.put(view('v', { n }), 0)));
      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(tries.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []))).toEqual(Array(7).fill('view_changed'));
      expect((await views.list(experimentId))[0]?.revision).toBe(1);
    });

    it('an experiment has one default view, which stays it when it is renamed or replaced, and no comparison is one', async () => {
      await experiment('default');
      await views.put(view('a'));
      await views.put(view('b'));
      await views.put({ ...view('c'), page: 'compare' });
      const defaults = async () => (await views.list(experimentId)).filter(({ isDefault }) => isDefault).map((one) => one.name);
      await views.update(experimentId, 'a', { isDefault: true });
      expect(await defaults()).toEqual(['a']);
      await views.update(experimentId, 'b', { isDefault: true });
      expect(await defaults()).toEqual(['b']);
      await views.update(experimentId, 'b', { name: 'z' });
      await views.put(view('z', { n: 1 }));
      expect(await defaults()).toEqual(['z']);
      await views.update(experimentId, 'c', { isDefault: true });
      expect(await defaults()).not.toContain('c');
      await views.update(experimentId, 'z', { isDefault: false });
      expect(await defaults()).toEqual([]);
    });

    it('a name is taken once, and a view that is not there is said to be missing', async () => {
      await experiment('names');
      await views.put(view('a'));
      await views.put(view('b'));
      await expect(views.update(experimentId, 'a', { name: 'b' })).rejects.toMatchObject({ kind: 'conflict', code: 'view_exists' });
      await expect(views.update(experimentId, 'x', { name: 'y' })).rejects.toMatchObject({ kind: 'not_found', code: 'view_not_found' });
      for (const bad of ['', ' a', 'a ', 'a\nb', 'x'.repeat(201), '\ud800'])
        await expect(views.put(view(bad))).rejects.toMatchObject({ code: 'invalid_view_name' });
      await expect(views.put(view('big', { text: 'x'.repeat(60_000) }))).rejects.toMatchObject({ code: 'view_too_large' });
      await expect(views.put({ ...view('a'), experimentId: '999999' })).rejects.toMatchObject({ code: 'experiment_not_found' });
      expect(await names()).toEqual(['a', 'b']);
    });

    it('no more than 200 are kept', async () => {
      await experiment('many');
      for (let i = 0; i < 200; i++) await views.put(view(`v${i}`));
      await expect(views.put(view('one more'))).rejects.toMatchObject({ code: 'too_many_views' });
      expect(await views.put(view('v7', { again: true }))).toMatchObject({ revision: 2 });
    }, 60_000);

    it('views go with their experiment when it is purged', async () => {
      await experiment('purged');
      const gone = experimentId;
      await views.put(view('a'));
      await tracking.setExperimentStage(gone, 'deleted');
      await expect(views.put(view('b'))).rejects.toMatchObject({ code: 'experiment_deleted' });
      expect(await names()).toEqual(['a']);
      const before = Date.now() + 1_000_000;
      const { garbage } = await subject.garbage.find(before);
      await subject.garbage.purge(
        garbage.filter(({ kind, id }) => kind === 'experiment' && id === gone),
        before,
      );
      await expect(views.list(gone)).rejects.toMatchObject({ code: 'experiment_not_found' });
    });
  });
}
