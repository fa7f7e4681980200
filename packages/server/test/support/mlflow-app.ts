import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { openFolderArtifactStore } from '../../src/adapters/fs/index.ts';
import { openSqlite, type SqlEngine, storeProxy } from '../../src/adapters/sql/index.ts';
import { createArtifactService } from '../../src/artifacts/index.ts';
import type { Logger } from '../../src/kernel/index.ts';
import { artifactRoutes, mlflowRoutes, trackingRoutes } from '../../src/protocols/mlflow/index.ts';
import { createTrackingService, type TrackingService, type TrackingStore } from '../../src/tracking/index.ts';

export interface MlflowApp {
  app: FastifyInstance;
  engine: SqlEngine;
  store: TrackingStore;
  tracking: TrackingService;
  close(): Promise<void>;
}

const logger: Logger = { debug() {}, info() {}, warn() {}, error: (obj, msg) => console.error(msg, obj) };

/** The tracking half of the MLflow protocol over a SQLite database and a folder, without the rest of the server. */
export async function createMlflowApp(keep?: string): Promise<MlflowApp> {
  const dir = keep ?? mkdtempSync(join(tmpdir(), 'binnacle-mlflow-'));
  const engine = await openSqlite({ file: join(dir, 'binnacle.db') });
  const store = storeProxy<TrackingStore>(engine, 'tracking');
  const tracking = createTrackingService({ store });
  const maxUploadBytes = 64 * 1024 * 1024;
  const artifacts = createArtifactService({ store: await openFolderArtifactStore({ root: join(dir, 'artifacts') }), maxUploadBytes });
  const app = Fastify({ bodyLimit: 32 * 1024 * 1024, routerOptions: { maxParamLength: 5000 } });
  await app.register(mlflowRoutes({ logger, routes: trackingRoutes({ tracking, artifacts }), artifacts: artifactRoutes({ artifacts, maxUploadBytes }) }));
  await app.ready();
  return {
    app,
    engine,
    store,
    tracking,
    async close() {
      await app.close();
      await engine.close();
      if (keep === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
}
