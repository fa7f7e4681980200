import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { describe, expect, it } from 'vitest';
import { migrations } from '../../src/adapters/sql/migrations/index.ts';
import { createTrackingService, type TrackingStore } from '../../src/tracking/index.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
/** What the codec wrote before steps had fractions: steps 0, 1, 2, 5, 2^52, and in two segments 6, 7, -8. */
const CHUNK = hex(
  '05010000000000000000000000000000f03f0000000000000040000000000000144000000000000030430080a0abfef9628b9cabfef962000000000000000000e03f000000000000f87f000000000000f07f000000000000008059f3f8c21f6ea501',
);
const TAIL = hex('02000c0900c4b3abfef962cfafabfef9620000000000000040000000000000084001000f000a0000000000001040');
const RUN = 'a'.repeat(32);

/** A database as an earlier version left it must be as good as a new one, on whatever engine. */
export function oldDatabaseSuite(
  name: string,
  open: () => Promise<{ old: Kysely<unknown>; reopen(): Promise<{ store: TrackingStore; close(): Promise<void> }> }>,
): void {
  describe(`${name}, written before steps had fractions`, { timeout: 60_000 }, () => {
    it('is read as it was, and takes fractions and forks', async () => {
      const { old, reopen } = await open();
      const { error } = await new Migrator({ db: old, provider: { getMigrations: async () => migrations } }).migrateTo('0006-batch');
      expect(error).toBeUndefined();
      await fill(old);
      await old.destroy();
      const { store, close } = await reopen();
      const tracking = createTrackingService({ store });
      const points = async (runId: string) => [...(await tracking.metricHistory(runId, 'loss', null)).steps].sort((a, b) => a - b);
      expect(await points(RUN)).toEqual([-8, 0, 1, 2, 5, 6, 7, 2 ** 52]);
      expect((await tracking.getRun(RUN)).metrics).toMatchObject({ keys: ['loss'], values: [1e-300], steps: [2 ** 52] });
      // What is there already is known for the same, and a fraction goes beside it.
      const point = { key: 'loss', timestamp: 1_700_000_001_250 };
      await tracking.logBatch(RUN, {
        metrics: [
          { ...point, step: 6, value: 2 },
          { ...point, step: 6.25, value: 9 },
        ],
      });
      expect(await points(RUN)).toEqual([-8, 0, 1, 2, 5, 6, 6.25, 7, 2 ** 52]);
      const [series] = await tracking.readSeries({ runIds: [RUN], keys: ['loss'], maxPoints: 100, from: 5.5, to: 6.5 });
      expect([...(series?.steps ?? [])]).toEqual([6, 6.25]);
      const { runId } = await tracking.createRun({ experimentId: '0', fork: { runId: RUN, step: 6.25 } });
      const [forked] = await tracking.readSeries({ runIds: [runId], keys: ['loss'], maxPoints: 100, from: null, to: null });
      expect([...(forked?.steps ?? [])]).toEqual([-8, 0, 1, 2, 5, 6, 6.25]);
      await close();
    });
  });
}

async function fill(db: Kysely<unknown>): Promise<void> {
  const insert = (table: string, row: Record<string, unknown>) =>
    db
      .insertInto(table as never)
      .values(row as never)
      .execute();
  const time = 1_700_000_000_000;
  await insert('runs', {
    rid: 1,
    run_id: RUN,
    experiment_id: 0,
    name: 'old',
    user_id: '',
    status: 'FINISHED',
    start_time: time,
    artifact_uri: `mlflow-artifacts:/0/${RUN}/artifacts`,
    deleted: 0,
  });
  await insert('run_keys', { id: 1, experiment_id: 0, kind: 0, name: 'loss' });
  await insert('latest_metrics', { rid: 1, key_id: 1, value: 1e-300, infinite: 0, step: 2 ** 52, timestamp: time + 1000 });
  const last = new Uint8Array(new Float64Array([1e-300]).buffer);
  const extent = { min_value: 0, max_value: 4, min_timestamp: 5, max_timestamp: time + 1500 };
  await insert('metric_series', {
    id: 1,
    rid: 1,
    key_id: 1,
    variant: '',
    points: 8,
    ...extent,
    min_step: -8,
    max_step: 2 ** 52,
    last_step: 2 ** 52,
    last_timestamp: time + 1000,
    last_value: last,
    chunks: 1,
    tail_points: 3,
    tail: TAIL,
  });
  await insert('metric_chunks', {
    series_id: 1,
    seq: 0,
    points: 5,
    ...extent,
    min_timestamp: time,
    min_step: 0,
    max_step: 2 ** 52,
    last_timestamp: time + 1000,
    last_value: last,
    data: CHUNK,
  });
}
