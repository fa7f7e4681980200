import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OverviewStore } from '../../src/overview/index.ts';
import type { RegistryStore } from '../../src/registry/index.ts';
import type { TrackingStore } from '../../src/tracking/index.ts';
import { createTrackingService, type TrackingService } from '../../src/tracking/index.ts';

interface Subject {
  overview: OverviewStore;
  tracking: TrackingStore;
  registry: RegistryStore;
  close(): Promise<void>;
}

/** What every overview store must do, over stores that share its tables. */
export function overviewStoreSuite(name: string, open: () => Promise<Subject>): void {
  describe(`the overview store ${name}`, () => {
    let subject: Subject;
    let tracking: TrackingService;
    const find = async (text: string, limit = 10) => (await subject.overview.find(text, limit)).map((hit) => `${hit.kind} ${hit.name}`);
    const model = (modelName: string) => subject.registry.createModel({ name: modelName, description: '', tags: {} });

    beforeEach(async () => {
      subject = await open();
      tracking = createTrackingService({ store: subject.tracking });
    });
    afterEach(() => subject.close());

    it('a name that starts with the text comes before one of another kind that only has it', async () => {
      for (const one of ['big delay', 'my delay', 'old delay']) await model(one);
      const { id } = await tracking.createExperiment({ name: 'Delays' });
      await tracking.createRun({ experimentId: id, name: 'delay 1', startTime: 1 });
      expect(await find('delay')).toEqual(['experiment Delays', 'run delay 1', 'model big delay', 'model my delay', 'model old delay']);
      expect(await find('delay', 2)).toEqual(['experiment Delays', 'run delay 1']);
    });

    it('an id finds its run before any name', async () => {
      const { runId } = await tracking.createRun({ experimentId: '0', name: 'wanted' });
      for (const one of [`a ${runId}`, `b ${runId}`]) await model(one);
      expect(await find(runId, 1)).toEqual(['run wanted']);
    });

    it('case does not count in any script', async () => {
      await model('Übersicht');
      for (const text of ['Über', 'über', 'ÜBERSICHT', 'SICHT']) expect(await find(text)).toEqual(['model Übersicht']);
    });

    it('signs of LIKE stand for themselves', async () => {
      await model('50% off');
      await model('a_b');
      expect(await find('%')).toEqual(['model 50% off']);
      expect(await find('_')).toEqual(['model a_b']);
    });
  });
}
