import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duckDbPredictionLog } from '../../src/adapters/duckdb/prediction-log-thread.ts';
import { duckDbTrainingData } from '../../src/adapters/duckdb/profile-data.ts';
import { openIntakeLedger } from '../../src/adapters/fs/intake-ledger.ts';
import { openSqlite, storeProxy } from '../../src/adapters/sql/index.ts';
import { EventBus, type EventMap, notFound, silentLogger } from '../../src/kernel/index.ts';
import { createMonitoringService, type MonitoringDeps, type MonitoringService, type MonitoringStore } from '../../src/monitoring/index.ts';
import type { ModelPackage } from '../../src/registry/index.ts';

export interface Kit {
  dir: string;
  monitoring: MonitoringService;
  store: MonitoringStore;
  events: EventBus;
  /** What was raised, by `alarm.raised`. */
  raised: EventMap['alarm.raised'][];
  /** Packages by `model/version`. */
  packages: Map<string, Partial<ModelPackage>>;
  clock: { now: number };
  close(): Promise<void>;
  /** Leaves everything as a killed process would, and opens it again. */
  reopen(): Promise<Kit>;
}

/** Monitoring on its real adapters, in a folder of its own, without the rest of the house. */
export async function openKit(
  options: { dir?: string; clock?: { now: number }; packages?: Kit['packages']; limits?: MonitoringDeps['limits']; logOptions?: { sealRows?: number } } = {},
): Promise<Kit> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'binnacle-monitoring-'));
  const clock = options.clock ?? { now: Date.parse('2001-07-20T00:00:00Z') };
  const packages = options.packages ?? new Map<string, Partial<ModelPackage>>();
  const events = new EventBus(silentLogger);
  const raised: Kit['raised'] = [];
  events.on('alarm.raised', (alarm) => void raised.push(alarm));
  const engine = await openSqlite({ file: join(dir, 'binnacle.db'), onEvent: ({ type, payload }) => events.emit(type, payload as never) });
  const store = storeProxy<MonitoringStore>(engine, 'monitoring');
  const log = duckDbPredictionLog({ dir: join(dir, 'prediction-log'), manifest: store, ...options.logOptions });
  const failures: unknown[] = [];
  const deps: MonitoringDeps = {
    store,
    log,
    ledger: openIntakeLedger(join(dir, 'monitoring', 'intake.bin'), (error) => void failures.push(error)),
    trainingData: duckDbTrainingData(),
    packageOf: async (model, version) => {
      const found = packages.get(`${model}/${version}`);
      if (found === undefined) throw notFound('version_not_found', `${model}/${version}`);
      return {
        id: `id-of-${model}/${version}`,
        model,
        version,
        runId: null,
        dir,
        flavors: [],
        signature: null,
        runtime: null,
        onnxFile: null,
        problem: null,
        tensors: null,
        goldenFile: null,
        profileFile: null,
        trainingDataFile: null,
        settings: {},
        ...found,
      };
    },
    endpoints: async () => [{ name: 'quiet', model: 'm' }],
    events,
    logger: silentLogger,
    clock: () => clock.now,
    evaluateSeconds: 3600,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  };
  const monitoring = createMonitoringService(deps);
  await monitoring.start();
  const close = async () => {
    await monitoring.close();
    if (failures.length > 0) throw failures[0];
    await engine.close();
  };
  return {
    dir,
    monitoring,
    store,
    events,
    raised,
    packages,
    clock,
    close: async () => {
      await close();
      rmSync(dir, { recursive: true, force: true });
    },
    reopen: async () => {
      await close();
      return openKit({ ...options, dir, clock, packages });
    },
  };
}

/** Seeded uniform numbers in [0, 1). */
export function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}
