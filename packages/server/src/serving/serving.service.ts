import type { Endpoint, EndpointConfig, EndpointDetail, TrafficTarget } from '@binnacle/contract';
import { type Clock, type EventBus, invalid, type Logger, systemClock, unavailable } from '../kernel/index.ts';
import type { EndpointDirectory, ModelPackage } from '../registry/index.ts';
import { CanaryWatch } from './canary/watch.ts';
import { chooseRoute, infer, recordRefusal, unknownEndpoint } from './infer.ts';
import { isEndpointName } from './endpoint-name.ts';
import { createEnsembleRuntime } from './ensemble/ensemble-runtime.ts';
import { Fleet } from './fleet.ts';
import { changeBefore } from './history.ts';
import type { LiveEndpoint } from './live-endpoint.ts';
import type { MountedModel } from './mounts.ts';
import type { InferenceStatistics } from './inference-statistics.ts';
import type { LoadOptions, ModelRuntime } from './model-runtime.port.ts';
import { nullSink, type PredictionSink } from './prediction-sink.port.ts';
import { allRoutes, heaviest } from './routes.ts';
import type { EndpointChange, EndpointStore, ModelSource } from './serving.port.ts';
import { checkTraffic } from './traffic.ts';
import { trialLoad } from './trial-load.ts';
import type { InferReply, InferRequest, OpenVersion, VersionInfo } from './types.ts';
import { LoadedVersion, loadModel, notServable, type Runtimes } from './version.ts';
import { warmUpOf } from './warm-up.ts';
import { VersionPool } from './version-pool.ts';
import { endpointLogs, type EndpointLogs, type LogRequest } from './endpoint-logs.ts';
import { endpointDetail, type EndpointStats, endpointStats, endpointView } from './view.ts';

export interface ServingDeps {
  store: EndpointStore;
  models: ModelSource;
  runtime: ModelRuntime;
  /** What executes packages that are no ONNX graph. */
  runtimes?: Runtimes['others'];
  events: EventBus;
  logger: Logger;
  sink?: PredictionSink;
  clock?: Clock;
  /** Requests of one endpoint that wait or run before new ones are refused, where its configuration does not say; 1000 by default. */
  maxQueue?: number;
  /** Milliseconds between two looks at the desired state; 5000 by default. */
  reconcileMs?: number;
  /** Milliseconds between two judgements of guarded canaries; 10,000 by default. */
  canaryMs?: number;
  /** Milliseconds that `close` waits for what is under way; 30,000 by default. */
  closeMs?: number;
  /** Uniform in [0,1); replaced in tests. */
  random?: () => number;
}

export interface WantedEndpoint {
  model: string;
  traffic: TrafficTarget[];
  description?: string | undefined;
  /** Replaces the configuration; absent: it stays. */
  config?: EndpointConfig | undefined;
}

/** What a protocol may say about a served model. */
export interface ServedModel {
  name: string;
  /** Registry versions that answer now. */
  versions: number[];
  version: VersionInfo;
  config: EndpointConfig;
}

export interface VersionStatistics {
  version: number;
  shadow: boolean;
  statistics: InferenceStatistics;
  /** Requests in its queue; undefined when it does not answer now. */
  waiting: number | undefined;
  /** Bytes that it takes; undefined when that is not known, or it does not answer now. */
  memoryBytes: number | undefined;
}

export interface ServingService extends EndpointDirectory {
  /** Learns what is to be served, and loads nothing: from then on an endpoint is 'loading', not unknown. Before the port opens. */
  prepare(): Promise<void>;
  /** Loads what the store wants served and keeps following it. Resolves when every endpoint has been tried once, and `beside` has been waited for. */
  start(beside?: () => Promise<void>): Promise<void>;
  /** True once every endpoint has been tried after the start. */
  readonly ready: boolean;
  deploy(name: string, wanted: WantedEndpoint): Promise<EndpointDetail>;
  /**
   * Loads what was unloaded, and tries again what failed. A `config` takes the place of the endpoint's once its versions have been loaded with it:
   * where they do not load, this throws why, and nothing has changed.
   */
  load(name: string, config?: EndpointConfig): Promise<EndpointDetail>;
  /** Frees an endpoint's models until `load` or `deploy`. */
  unload(name: string): Promise<EndpointDetail>;
  /** What Triton's statistics tell, a served (or once served) version a row; shadows apart. Throws `not_found`. */
  inferenceStatistics(name: string): VersionStatistics[];
  /** What the server of one of its versions said. Throws `not_found` where no version has one. */
  logs(name: string, wanted: LogRequest): EndpointLogs;
  list(): Endpoint[];
  get(name: string): EndpointDetail;
  delete(name: string): Promise<void>;
  /** Runs the sample of each served version once. Throws `not_found`; `unavailable` when nothing is loaded. */
  warm(name: string): Promise<{ version: number; millis: number | null }[]>;
  /** What an endpoint served since when, newest first. Throws `not_found`. */
  changes(name: string, limit: number): Promise<EndpointChange[]>;
  /** Serves again what a revision served; by default the newest whose traffic was another. Throws `not_found` where there is none. */
  rollBack(name: string, wanted?: { revision?: number | undefined; reason?: string | undefined }): Promise<EndpointDetail>;
  stats(name: string): EndpointStats;
  /** The version that answers for an endpoint (the heaviest, or the pinned one); throws `not_found` or `unavailable`. */
  served(name: string, version?: number): ServedModel;
  /** Versions by the aliases of an endpoint's model, as last seen; undefined for a name that is not served. */
  aliases(name: string): Readonly<Record<string, number>> | undefined;
  /** Counts what goes wrong by itself. */
  infer(request: InferRequest): Promise<InferReply>;
  /** Told by a front-end of a request that it refused before it came to `infer`: it counts as an error of its endpoint. */
  refused(request: Pick<InferRequest, 'endpoint' | 'receivedAt' | 'startedAt'>, error: unknown): void;
  /** A version in memory for gates and batch, shared with the endpoints unless `options` ask for something of its own. */
  openVersion(pkg: ModelPackage, options?: LoadOptions): Promise<OpenVersion>;
  /**
   * Serves a model that does not come from the registry, or serves it as it is now: what loads is swapped in, what does not leaves its predecessor serving.
   * Throws `conflict` when an endpoint of the registry has the name; whether it loaded is the endpoint's state. `whole`: where a version does not
   * load, nothing of what served changes.
   */
  mount(model: MountedModel, options?: { whole?: boolean }): Promise<Endpoint>;
  /** Ends what was mounted, after its last request. False when nothing was. */
  unmount(name: string): Promise<boolean>;
  /** Stops following, drains and frees every model; what does not end within 30 seconds is left behind, and logged. */
  close(): Promise<void>;
}

export function createServingService(deps: ServingDeps): ServingService {
  const { store, models, logger } = deps;
  const ensemble = createEnsembleRuntime({
    infer: (request) => infer(inferDeps, request),
    served: (name, version) => chooseRoute(known(name), version, heaviest).loaded,
    endpoint: (name) => {
      const endpoint = endpoints.get(name);
      return endpoint === undefined ? undefined : { model: endpoint.record.model, loading: endpoint.state === 'loading' };
    },
  });
  const runtimes: Runtimes = { onnx: deps.runtime, others: { ensemble, ...deps.runtimes } };
  const now = deps.clock ?? systemClock;
  const pool = new VersionPool(runtimes);
  const fleet = new Fleet({ store, models, pool, events: deps.events, logger, maxQueue: deps.maxQueue ?? 1000, now });
  const { endpoints, mounts } = fleet;
  const known = (name: string): LiveEndpoint => fleet.known(name);
  const detail = (name: string): EndpointDetail => endpointDetail(known(name), runtimes, now());
  const inferDeps = { endpoints, sink: deps.sink ?? nullSink, now, random: deps.random ?? Math.random };
  const canaries = new CanaryWatch({ endpoints, store, logger, now });
  let ready = false;

  return {
    get ready() {
      return ready;
    },

    prepare: () => fleet.prepare(),

    async start(beside) {
      const first = fleet.follow(deps.reconcileMs ?? 5000);
      canaries.start(deps.canaryMs ?? 10_000);
      await Promise.all([first, beside?.()]);
      ready = true;
    },

    async deploy(name, { model, traffic, description, config }) {
      if (!isEndpointName(name))
        throw invalid(
          'invalid_endpoint_name',
          `'${name.slice(0, 140)}' cannot name an endpoint: use letters, digits, '.', '_' and '-', 128 at most, beginning with a letter or digit.`,
        );
      checkTraffic(traffic);
      mounts.refuseChange(name, 'deployed to');
      // What cannot be found or served at all is refused before anything changes; what fails to load leaves the old one serving.
      for (const target of traffic) {
        const pkg = await models.resolve(model, target.alias === undefined ? { version: target.version ?? 0 } : { alias: target.alias });
        if (pkg.runtime === null) throw notServable(pkg);
      }
      await store.putEndpoint({ name, model, traffic, description, config });
      await fleet.bring(name, true);
      return detail(name);
    },

    async load(name, config) {
      mounts.refuseChange(name, 'loaded');
      const endpoint = config === undefined ? undefined : known(name);
      const release = config && (await endpoint?.attempt((signal) => trialLoad(pool, models, endpoint.record, config, signal)));
      try {
        if (config !== undefined) {
          const { model, traffic } = known(name).record;
          await store.putEndpoint({ name, model, traffic, config });
        }
        if (!(await store.setSuspended(name, false))) known(name);
        await fleet.bring(name, true);
      } finally {
        await release?.();
      }
      return detail(name);
    },

    async unload(name) {
      mounts.refuseChange(name, 'unloaded');
      if (!(await store.setSuspended(name, true))) known(name);
      endpoints.get(name)?.giveUpLoads();
      await fleet.bring(name);
      return detail(name);
    },

    inferenceStatistics: (name) => {
      const endpoint = endpoints.get(name);
      if (endpoint === undefined) throw unknownEndpoint(name);
      const routes = allRoutes(endpoint.routes);
      return endpoint.statsByVersion().map(({ version, shadow, inference }) => {
        const loaded = routes.find((route) => route.version === version && route.shadow === shadow)?.loaded;
        return { version, shadow, statistics: inference, waiting: loaded?.queue.waiting, memoryBytes: loaded?.memoryBytes };
      });
    },

    logs: (name, wanted) => endpointLogs(known(name), runtimes, wanted),

    list: () => [...endpoints.values()].map((endpoint) => endpointView(endpoint, now())).sort((a, b) => (a.name < b.name ? -1 : 1)),
    get: detail,

    async delete(name) {
      mounts.refuseChange(name, 'deleted');
      if (!(await store.deleteEndpoint(name)) && !endpoints.has(name)) known(name);
      await fleet.remove(name);
    },

    async warm(name) {
      const endpoint = known(name);
      // Refuses where nothing is loaded.
      if (endpoint.routes === undefined) chooseRoute(endpoint, undefined, () => undefined);
      return Promise.all(
        allRoutes(endpoint.routes).map(async ({ version, loaded }) => {
          const inputs = warmUpOf(loaded);
          if (inputs === undefined) return { version, millis: null };
          const begun = performance.now();
          await loaded.run(inputs);
          return { version, millis: Math.round((performance.now() - begun) * 100) / 100 };
        }),
      );
    },

    async changes(name, limit) {
      known(name);
      if (mounts.has(name)) return [];
      return store.listChanges(name, limit);
    },

    async rollBack(name, { revision, reason } = {}) {
      mounts.refuseChange(name, 'rolled back');
      const { record } = known(name);
      const { model } = record;
      const found = changeBefore(record, await store.listChanges(name, 200), revision);
      for (const target of found.traffic) await models.resolve(model, target.alias === undefined ? { version: target.version ?? 0 } : { alias: target.alias });
      const why = `Back to revision ${found.revision}${reason === undefined || reason === '' ? '' : `: ${reason}`}`;
      await store.putEndpoint({ name, model, traffic: found.traffic, change: { kind: 'rolled_back', reason: why } });
      await fleet.bring(name, true);
      return detail(name);
    },

    stats: (name) => endpointStats(known(name), now()),

    served(name, version) {
      const endpoint = endpoints.get(name);
      if (endpoint === undefined) throw unknownEndpoint(name);
      const versions = [...new Set(allRoutes(endpoint.routes).map((route) => route.version))].sort((a, b) => a - b);
      const { loaded } = chooseRoute(endpoint, version, heaviest);
      if (loaded.loaded.away === true) throw unavailable('model_restarting', `The server of '${name}' is being started again.`, { retryAfterSeconds: 2 });
      return { name, versions, version: loaded, config: endpoint.record.config };
    },

    aliases: (name) => endpoints.get(name)?.aliases,
    infer: (request) => infer(inferDeps, request),
    refused: (request, error) => recordRefusal(inferDeps, request, error),

    async openVersion(pkg, options) {
      if (options !== undefined && (options.instances !== undefined || options.tier !== undefined || options.threads !== undefined)) {
        const own = await loadModel(pkg, runtimes, options);
        return new LoadedVersion(own, () => own.loaded.close());
      }
      return pool.acquire(pkg);
    },

    async endpointsOf(model) {
      // From the store, so that an endpoint whose version is not loaded (or not here) counts too.
      const records = (await store.listEndpoints()).filter((record) => record.model === model);
      const aliases = records.length === 0 ? {} : await models.aliases(model).catch(() => ({}) as Record<string, number>);
      return records.map((record) => {
        const wanted = record.traffic.map((target) => target.version ?? (target.alias === undefined ? undefined : aliases[target.alias]));
        const live = allRoutes(endpoints.get(record.name)?.routes).map((route) => route.version);
        return { endpoint: record.name, versions: [...new Set([...wanted, ...live])].filter((v): v is number => v !== undefined).sort((a, b) => a - b) };
      });
    },

    mount: async (model, { whole = false } = {}) => endpointView(await fleet.mount(model, whole), now()),
    unmount: (name) => fleet.unmount(name),

    async close() {
      fleet.stopFollowing();
      await canaries.stop();
      const millis = deps.closeMs ?? 30_000;
      if (!(await fleet.drain(millis))) logger.warn({ millis }, 'requests or loads did not end in time; serving is closed without them');
    },
  };
}
