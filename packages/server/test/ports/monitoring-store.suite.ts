import type { Alarm } from '@binnacle/contract';
import { MonitorConfig } from '@binnacle/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OutboxEvent } from '../../src/kernel/index.ts';
import type { MonitoringStore } from '../../src/monitoring/index.ts';
import type { ActivityDelta, BucketDelta } from '../../src/monitoring/monitoring-store.port.ts';
import { CategorySketch, LatencyHistogram, ProfileSet } from '../../src/monitoring/profile/index.ts';

const HOUR = 3_600_000;
const bucket = (change: Partial<BucketDelta> = {}): BucketDelta => ({
  endpoint: 'e',
  model: 'm',
  level: HOUR,
  start: 0,
  version: 1,
  source: 'live',
  requests: 1,
  predictions: 2,
  rows: 2,
  errors: 0,
  scoreSum: 0.5,
  scoreCount: 2,
  predictionSum: 1,
  predictionCount: 2,
  latency: null,
  profile: null,
  ...change,
});
const activity = (change: Partial<ActivityDelta> = {}): ActivityDelta => ({
  endpoint: 'e',
  model: 'm',
  predictions: 2,
  errors: 0,
  dropped: 0,
  firstAt: 1000,
  lastAt: 2000,
  watermark: 2000,
  lastReceivedAt: 5000,
  recorded: 2,
  ...change,
});
const alarm = (id: string, change: Partial<Alarm> = {}): Alarm => ({
  id,
  endpoint: 'e',
  version: 1,
  kind: 'feature-drift',
  feature: 'größe',
  state: 'open',
  severity: 'warning',
  message: 'moved',
  firstWindow: 0,
  lastWindow: HOUR,
  raisedAt: 10,
  closedAt: null,
  value: 0.3,
  threshold: 0.1,
  ...change,
});

/** What every MonitoringStore keeps. */
export function monitoringStoreSuite(name: string, open: () => Promise<{ store: MonitoringStore; events: OutboxEvent[]; close(): Promise<void> }>): void {
  describe(`monitoring store ${name}`, () => {
    let store: MonitoringStore;
    let events: OutboxEvent[];
    let close: () => Promise<void>;
    beforeEach(async () => ({ store, events, close } = await open()));
    afterEach(() => close());

    it('buckets and totals add up, whoever adds them', async () => {
      const profile = (word: string) => {
        const set = new ProfileSet();
        const sketch = new CategorySketch();
        sketch.add(word);
        set.put('feature', 'f', sketch);
        return set.encode();
      };
      const latency = (ms: number) => {
        const histogram = new LatencyHistogram();
        histogram.add(ms);
        return histogram.encode();
      };
      await Promise.all(
        ['a', 'b', 'a'].map((word, i) =>
          store.addActivity(`s${i}`, [bucket({ profile: profile(word), latency: latency(i + 1) })], [activity({ lastAt: 2000 + i, firstAt: 1000 - i })]),
        ),
      );
      const query = { endpoint: 'e', model: 'm', sources: ['live' as const], level: HOUR, from: 0, to: HOUR } as const;
      const [counts] = await store.counts({ ...query, sources: ['live'] });
      expect(counts).toMatchObject({ requests: 3, predictions: 6, rows: 6, scoreSum: 1.5, predictionCount: 6 });
      expect(LatencyHistogram.decode(counts?.latency as Uint8Array).count).toBe(3);
      const [row] = await store.profiles({ ...query, sources: ['live'], version: 1 });
      const [sketch] = ProfileSet.decode(row?.profile as Uint8Array).of('feature', 'f');
      expect(Object.fromEntries((sketch as CategorySketch).counts)).toEqual({ a: 2, b: 1 });
      expect(await store.getMonitor('e')).toMatchObject({ model: 'm', predictions: 6, firstAt: 998, lastAt: 2002, watermark: 2000, config: null });
    });

    it('totals of rows whose model is not known leave the model as it is', async () => {
      await store.addActivity('s', [], [activity()]);
      await store.addActivity('s', [], [activity({ model: '', dropped: 3 })]);
      expect(await store.getMonitor('e')).toMatchObject({ model: 'm', dropped: 3 });
    });

    it('buckets are told apart by model, version, source, level and start, and read by range', async () => {
      const all = [
        bucket(),
        bucket({ version: 2 }),
        bucket({ source: 'shadow' }),
        bucket({ start: HOUR }),
        bucket({ level: 86_400_000 }),
        bucket({ endpoint: 'other' }),
        bucket({ model: 'former' }),
        bucket({ version: 0, predictions: 0, rows: 0, errors: 1 }),
      ];
      await store.addActivity('s', all, []);
      expect(await store.counts({ endpoint: 'e', model: 'former', sources: ['live'], level: HOUR, from: 0, to: HOUR })).toHaveLength(1);
      const at = (change: object) => store.counts({ endpoint: 'e', model: 'm', sources: ['live'], level: HOUR, from: 0, to: HOUR, ...change });
      expect((await at({})).map(({ version }) => version)).toEqual([0, 1, 2]);
      expect(await at({ sources: ['live', 'shadow'] })).toHaveLength(4);
      expect(await at({ to: 2 * HOUR, version: 1 })).toHaveLength(2);
      expect(await at({ from: HOUR })).toHaveLength(0);
      expect(await store.profiles({ endpoint: 'e', model: 'm', sources: ['live'], level: HOUR, from: 0, to: HOUR })).toEqual([]);
      expect(await store.versions('e', 'm', ['live'])).toEqual([{ version: 1, rows: 2, newest: 0 }]);
    });

    it('what a session recorded and did not store is lost once, and only once', async () => {
      await store.addActivity('s1', [], [activity({ recorded: 70 })]);
      expect(await store.intakeMarks('s1')).toEqual([{ endpoint: 'e', recorded: 70 }]);
      const recorded = [
        { endpoint: 'e', rows: 100 },
        { endpoint: 'new', rows: 3 },
        { endpoint: 'even', rows: 0 },
      ];
      expect(await store.settleIntake('s1', recorded, { buckets: [], activity: [] })).toEqual([
        { endpoint: 'e', rows: 30 },
        { endpoint: 'new', rows: 3 },
      ]);
      expect((await store.getMonitor('e'))?.lost).toBe(30);
      expect((await store.getMonitor('new'))?.lost).toBe(3);
      expect(await store.settleIntake('s1', recorded, { buckets: [], activity: [] })).toEqual([]);
      expect((await store.getMonitor('e'))?.lost).toBe(30);
    });

    it('what is recovered of a session is added to its buckets and totals, and is not lost', async () => {
      await store.addActivity('s1', [bucket({ level: HOUR })], [activity({ recorded: 70, predictions: 70 })]);
      const recovered = { buckets: [bucket({ level: HOUR })], activity: [activity({ recorded: 95, predictions: 25 })] };
      expect(await store.settleIntake('s1', [{ endpoint: 'e', rows: 100 }], recovered)).toEqual([{ endpoint: 'e', rows: 5 }]);
      expect(await store.getMonitor('e')).toMatchObject({ predictions: 95, lost: 5 });
      const [found] = await store.counts({ endpoint: 'e', model: 'm', sources: ['live'], level: HOUR, from: 0, to: HOUR });
      expect(found?.predictions).toBe(2 * bucket({}).predictions);
    });

    it('configuration, labels and profiles are kept and replaced', async () => {
      const config = MonitorConfig.parse({ windowSeconds: 600, positiveLabel: true });
      await store.setConfig('fresh', 'm', config);
      expect(await store.getMonitor('fresh')).toMatchObject({ config, predictions: 0, firstAt: null });
      await store.addLabelled('fresh', 5);
      await store.addLabelled('fresh', 2);
      expect((await store.getMonitor('fresh'))?.labelled).toBe(7);
      await store.setLabelled('fresh', 1);
      expect((await store.listMonitors()).map(({ endpoint, labelled }) => [endpoint, labelled])).toEqual([['fresh', 1]]);
      const profile = {
        format: 'binnacle-training-profile' as const,
        version: 1 as const,
        source: 'package' as const,
        detail: 'ä',
        rows: 3,
        createdAt: 1,
        features: [],
        outputs: [],
      };
      await store.putTrainingProfile('m', 1, 'former', profile);
      await store.putTrainingProfile('m', 1, 'id', { ...profile, rows: 4 });
      expect(await store.getTrainingProfile('m', 1)).toEqual({ packageId: 'id', profile: { ...profile, rows: 4 } });
      await store.deleteTrainingProfile('m', 1);
      expect(await store.getTrainingProfile('m', 1)).toBeNull();
      expect(await store.getMonitor('nobody')).toBeNull();
    });

    it('alarms are raised with an event, changed without one, and counted while open', async () => {
      await store.saveAlarms([alarm('1'), alarm('2', { feature: null, kind: 'dataset-drift', firstWindow: HOUR, lastWindow: 2 * HOUR })], []);
      await store.saveAlarms([], [alarm('1', { state: 'closed', closedAt: 99 })]);
      expect((await store.listAlarms({ limit: 10 })).map(({ id }) => id)).toEqual(['2', '1']);
      expect(await store.listAlarms({ endpoint: 'e', state: 'closed', limit: 10 })).toEqual([alarm('1', { state: 'closed', closedAt: 99 })]);
      expect(await store.listAlarms({ version: 7, limit: 10 })).toEqual([]);
      expect(await store.openAlarms()).toEqual([{ endpoint: 'e', count: 1 }]);
      await expect.poll(() => events.filter(({ type }) => type === 'alarm.raised').length).toBe(2);
    });

    it('the manifest adds, forgets, and does not double', async () => {
      const segment = { id: 'a', kind: 'predictions' as const, path: 'segments/a.parquet', rows: 1, bytes: 2, minTs: 3, maxTs: 4, createdAt: 5 };
      await store.changeSegments([segment, { ...segment, id: 'b' }], []);
      await store.changeSegments([segment, { ...segment, id: 'c', minTs: 1 }], ['b', 'nothing']);
      expect((await store.listSegments()).map(({ id }) => id)).toEqual(['c', 'a']);
      expect((await store.listSegments())[1]).toEqual(segment);
    });
  });
}
