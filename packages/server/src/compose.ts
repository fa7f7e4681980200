import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createDuckDbBatchInput, duckDbPredictionLog, duckDbTrainingData, readParquetTable } from './adapters/duckdb/index.ts';
import { openIntakeLedger } from './adapters/fs/index.ts';
import { createGraphInspector, createOnnxRuntime } from './adapters/onnx/index.ts';
import { databaseSnapshots, type DataDirLock, lockDataDir, openDatabase, type SqlEngine, storeProxy } from './adapters/sql/index.ts';
import { createArtifactService } from './artifacts/index.ts';
import { type BatchStore, createBatchService } from './batch/index.ts';
import { openArtifactStore } from './compose/artifact-store.ts';
import { batchAccess } from './compose/batch-access.ts';
import { modelRunner } from './compose/model-runner.ts';
import { openPython, sweepPython } from './compose/python.ts';
import { remoteRuntime } from './compose/remote-models.ts';
import { sharedTables } from './compose/tables.ts';
import { createLogger } from './compose/logger.ts';
import { type Config, packagedFolder } from './config/index.ts';
import { createGatesService, type GatesService } from './gates/index.ts';
import {
  artifactHandlers,
  batchHandlers,
  createGrpcServer,
  createHttpServer,
  type GrpcService,
  importHandlers,
  isLoopback,
  monitoringHandlers,
  nativeRoutes,
  registryHandlers,
  servingHandlers,
  systemHandlers,
  trackingHandlers,
  upkeepHandlers,
  viewHandlers,
} from './http/index.ts';
import { denied, EventBus, type EventMap, type LogControl, type Logger, notFound } from './kernel/index.ts';
import { createMonitoringService, type MonitoringService, type MonitoringStore, type SegmentManifest } from './monitoring/index.ts';
import { createOverviewService, type OverviewStore } from './overview/index.ts';
import { grpcHealth } from './protocols/grpc-health/index.ts';
import { artifactRoutes, mlflowRoutes, registryRoutes, SPOKEN_VERSION, trackingRoutes } from './protocols/mlflow/index.ts';
import { mlflowScoring } from './protocols/mlflow-scoring/index.ts';
import { createCore, openInference, openInferenceGrpc, tritonMetrics } from './protocols/open-inference/index.ts';
import { tfServing, tfServingGrpc } from './protocols/tf-serving/index.ts';
import { createRegistryImports, createRegistryService, createRegistryViews, type RegistryImports, type RegistryStore } from './registry/index.ts';
import { createModelRepositories, createServingService, type EndpointStore, type ModelSource, nullSink, type ServingService } from './serving/index.ts';
import {
  createRunDirectory,
  createSavedViews,
  createTrackingImports,
  createTrackingService,
  type SavedViewStore,
  type TrackingImports,
  type TrackingStore,
} from './tracking/index.ts';
import type { ImportMarks } from './transfer/index.ts';
import { createGarbageCollector, type GarbageStore, openBackup, sweepBackups } from './upkeep/index.ts';
import { VERSION } from './version.ts';

export interface App {
  /** Where it listens, such as http://127.0.0.1:8000. */
  readonly url: string;
  /** Where gRPC listens, such as 127.0.0.1:8001; undefined: nowhere. */
  readonly grpc: string | undefined;
  /** Takes no new requests, lets what runs finish, closes every part. */
  stop(): Promise<void>;
}

/** Builds every room with its adapters, wires them, and listens. The only file that names adapters. */
export async function startApp(config: Config): Promise<App> {
  if (config.token === undefined && !isLoopback(config.host))
    throw denied('token_required', `Listening on ${config.host} lets others in: set a token with --token (or BINNACLE_TOKEN), or listen on 127.0.0.1.`);
  const { logger, control: logControl } = await createLogger(config.logLevel);
  const lock = lockDataDir(config.dataDir);
  const closers: (() => Promise<void> | void)[] = [() => lock.release()];
  try {
    const { url, grpc } = await build(config, { logger, logControl }, lock, closers);
    return { url, grpc, stop: () => closeAll(closers, logger) };
  } catch (error) {
    await closeAll(closers, logger);
    throw error;
  }
}

/** Last opened, first closed; one that fails does not keep the others open. */
async function closeAll(closers: (() => Promise<void> | void)[], logger: Logger): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    try {
      await close();
    } catch (err) {
      logger.error({ err }, 'a part did not close cleanly');
    }
  }
}

async function build(
  config: Config,
  { logger, logControl }: { logger: Logger; logControl: LogControl },
  lock: DataDirLock,
  closers: (() => Promise<void> | void)[],
): Promise<Pick<App, 'url' | 'grpc'>> {
  const events = new EventBus(logger);
  const databaseFile = join(config.dataDir, 'binnacle.db');
  const engine: SqlEngine = await openDatabase({
    url: config.database.url,
    file: databaseFile,
    synchronous: config.database.synchronous,
    onEvent: ({ type, payload }) => events.emit(type, payload as EventMap[typeof type]),
  });
  closers.push(() => engine.close());
  const artifactStore = await openArtifactStore(config);
  closers.push(() => artifactStore.close?.());
  const artifacts = createArtifactService({
    store: artifactStore,
    maxUploadBytes: config.limits.maxUploadBytes,
    logger,
  });

  const trackingStore = storeProxy<TrackingStore>(engine, 'tracking');
  const tracking = createTrackingService({ store: trackingStore });
  const runs = createRunDirectory(trackingStore);
  // The registry asks gates and serving, which need the registry: bound late.
  let gates: GatesService;
  let serving: ServingService;
  const endpoints = { endpointsOf: (model: string) => serving.endpointsOf(model) };
  const registryStore = storeProxy<RegistryStore & RegistryImports>(engine, 'registry');
  const inspector = createGraphInspector();
  const remotes = remoteRuntime(config);
  const registry = createRegistryService({
    store: registryStore,
    artifacts,
    inspector,
    remotes,
    python: config.serving.python,
    runs,
    guard: { check: (request) => gates.check(request) },
    endpoints,
    logger,
  });
  const models: ModelSource = { resolve: (model, ref) => registry.resolve(model, ref), aliases: async (model) => (await registry.getModel(model)).aliases };
  const { monitoring, sealPredictions } = await openMonitoring(config, engine, { events, logger, models, endpoints: () => serving.list() }, closers);
  const sink = config.monitoring.enabled ? monitoring.sink : nullSink;
  await sweepPython(config, logger);
  const python = openPython(config, logger);
  closers.push(() => python?.close());
  serving = createServingService({
    store: storeProxy<EndpointStore>(engine, 'serving'),
    models,
    sink,
    runtimes: { remote: remotes, ...(python === undefined ? {} : { python }) },
    runtime: createOnnxRuntime({
      instances: config.serving.instances,
      threads: config.serving.threads,
      knownModelsFile: join(config.dataDir, 'cache', 'known-models.json'),
      logger,
    }),
    events,
    logger,
    maxQueue: config.serving.maxQueue,
  });
  closers.push(() => serving.close());
  closers.push(() => python?.abandon());
  gates = createGatesService({ registry, runs, runner: modelRunner(() => serving), logger });
  const batch = createBatchService({
    store: storeProxy<BatchStore>(engine, 'batch'),
    input: createDuckDbBatchInput(),
    models,
    serving,
    sink,
    logger,
    workRoot: join(config.dataDir, 'batch'),
    workers: config.batch.workers,
    threads: availableParallelism(),
    access: batchAccess(config),
    lease: () => engine.lease('batch'),
  });
  closers.push(() => batch.close());
  const overview = createOverviewService(storeProxy<OverviewStore>(engine, 'overview'));
  await sweepBackups(config.dataDir);
  const database = databaseSnapshots({ url: config.database.url, file: databaseFile });
  const backup = () => openBackup({ dataDir: config.dataDir, version: VERSION, database, artifacts: artifactStore, sealPredictions });
  const garbage = createGarbageCollector({ store: storeProxy<GarbageStore>(engine, 'garbage'), artifacts: artifactStore, logger });
  events.on('files.orphaned', (orphans) => garbage.removeOrphans(orphans));

  let url = '';
  const startedAt = Date.now();
  const about = () => ({
    name: 'binnacle' as const,
    version: VERSION,
    dataDir: config.dataDir,
    url,
    startedAt,
    node: process.version,
    authentication: config.token === undefined ? ('none' as const) : ('token' as const),
  });
  const handlers = {
    ...systemHandlers({ overview, about }),
    ...trackingHandlers({ tracking, artifacts }),
    ...artifactHandlers({ tracking, artifacts, tables: sharedTables() }),
    ...registryHandlers({ registry, gates, views: createRegistryViews({ registry, runs, endpoints, artifacts }) }),
    ...servingHandlers({ serving }),
    ...batchHandlers({ batch }),
    ...monitoringHandlers({ monitoring }),
    ...upkeepHandlers({ backup, garbage }),
    ...importHandlers({
      tracking: createTrackingImports(storeProxy<TrackingImports>(engine, 'tracking')),
      registry: createRegistryImports({ store: registryStore, artifacts, inspector, remotes, python: config.serving.python, runs, logger }),
      marks: storeProxy<ImportMarks>(engine, 'transfer'),
      logger,
    }),
    ...viewHandlers({ views: createSavedViews(storeProxy<SavedViewStore>(engine, 'savedViews')) }),
  };
  const { maxBodyBytes, maxUploadBytes } = config.limits;
  const { modelRepositories, modelControlMode, repositoryPollSeconds, loadModels } = config.serving;
  const repositories =
    modelRepositories.length === 0
      ? undefined
      : createModelRepositories({
          serving,
          inspector,
          repositories: modelRepositories,
          mode: modelControlMode,
          pollSeconds: repositoryPollSeconds,
          loadModels,
          workDir: join(config.dataDir, 'repository'),
          logger,
        });
  closers.push(() => repositories?.close());
  const core = createCore({
    serving,
    repositories,
    logger,
    version: VERSION,
    sharedMemory: config.serving.sharedMemory,
    maxBodyBytes: config.limits.maxBodyBytes,
    traceFile: join(config.dataDir, 'traces', 'trace.json'),
    logControl,
  });
  closers.push(() => core.close());
  const http = await createHttpServer({
    config,
    logger,
    dataPlanes: [
      openInference({ core, logger, maxBodyBytes }),
      tfServing({ serving, logger, maxBodyBytes }),
      mlflowScoring({
        serving,
        logger,
        maxBodyBytes,
        readParquet: readParquetTable,
        mlflowVersion: SPOKEN_VERSION,
        defaultEndpoint: config.serving.defaultEndpoint,
      }),
    ],
    plugins: [
      { prefix: '/api/binnacle/v1', plugin: nativeRoutes(handlers, { version: VERSION, logger }) },
      {
        prefix: '',
        plugin: mlflowRoutes({
          logger,
          routes: [...trackingRoutes({ tracking, artifacts }), ...registryRoutes({ registry })],
          artifacts: artifactRoutes({ artifacts, maxUploadBytes }),
        }),
      },
    ],
    metrics: async () => (await monitoring.renderMetrics()) + tritonMetrics(serving),
    uiDir: packagedFolder('web'),
  });
  await serving.prepare();
  await repositories?.prepare();
  // What a crash left is set right before anybody can add to it.
  await monitoring.start();
  await batch.start();
  const { host, port } = await http.listen();
  closers.push(() => http.close());
  url = `http://${inUrl(host)}:${port}`;
  const grpc = await listenGrpc(
    config,
    [openInferenceGrpc({ core, logger }), ...tfServingGrpc({ serving, maxTensorBytes: maxBodyBytes })],
    { serving, logger },
    closers,
  );
  lock.announce(url);
  // Models load beside the open port: probes see a server that is live and not ready yet.
  serving.start(repositories?.start).catch((err: unknown) => logger.error({ err }, 'endpoints could not be loaded'));
  // Every room has subscribed by now.
  void engine.redeliver();
  return { url, grpc };
}

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** The port of gRPC, when there is to be one: the protocols' services and the health of all. */
async function listenGrpc(
  config: Config,
  services: GrpcService[],
  { serving, logger }: { serving: ServingService; logger: Logger },
  closers: (() => Promise<void> | void)[],
): Promise<string | undefined> {
  if (config.grpcPort === undefined) return undefined;
  const { host, token, allowedHosts } = config;
  const server = await createGrpcServer({
    host,
    port: config.grpcPort,
    token,
    allowedHosts,
    services: [...services, grpcHealth({ serving, services: services.map(({ name }) => name) })],
    maxMessageBytes: config.limits.maxBodyBytes,
    logger,
  });
  const { port } = await server.listen();
  closers.push(() => server.close());
  return `${inUrl(host)}:${port}`;
}

interface MonitoringParts {
  events: EventBus;
  logger: Logger;
  models: ModelSource;
  endpoints: () => { name: string; model: string; source: 'registry' | 'repository' }[];
}

interface OpenMonitoring {
  monitoring: MonitoringService;
  /** Everything logged before is in sealed files afterwards. */
  sealPredictions(): Promise<void>;
}

async function openMonitoring(config: Config, engine: SqlEngine, parts: MonitoringParts, closers: (() => Promise<void> | void)[]): Promise<OpenMonitoring> {
  const { events, logger, models, endpoints } = parts;
  const dir = join(config.dataDir, 'monitoring');
  await mkdir(dir, { recursive: true });
  const ledger = openIntakeLedger(join(dir, 'intake.ledger'), (err) =>
    logger.error({ err }, 'the intake ledger cannot be written: a crash would leave its losses uncounted'),
  );
  const log = duckDbPredictionLog({ dir, manifest: storeProxy<SegmentManifest>(engine, 'monitoring') });
  const monitoring = createMonitoringService({
    store: storeProxy<MonitoringStore>(engine, 'monitoring'),
    log,
    ledger,
    trainingData: duckDbTrainingData(),
    packageOf: async (model, version) => {
      // A mounted model may be called as one of the registry is, whose profile is not its own.
      if (endpoints().some((endpoint) => endpoint.source === 'repository' && endpoint.model === model))
        throw notFound('version_not_found', `'${model}' comes from a model repository, which has no training profiles.`);
      return models.resolve(model, { version });
    },
    endpoints: async () => endpoints(),
    events,
    logger,
    evaluateSeconds: config.monitoring.evaluateSeconds,
  });
  // Closes the log and the ledger, too.
  closers.push(() => monitoring.close());
  const sealPredictions = async () => {
    await monitoring.flush();
    // Without the file nothing was ever logged, and DuckDB need not be loaded to find that out.
    if (existsSync(join(dir, 'hot.duckdb'))) await log.maintain(true);
  };
  return { monitoring, sealPredictions };
}
