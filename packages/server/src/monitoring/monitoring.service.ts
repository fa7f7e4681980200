import { MonitorConfig, type Alarm, type Distribution, type MonitorSummary, type monitoringOperations, type OperationResponse } from '@binnacle/contract';
import { type Clock, type EventBus, invalid, type Logger, notFound } from '../kernel/index.ts';
import type { ModelPackage } from '../registry/index.ts';
import type { PredictionSink } from '../serving/index.ts';
import { type DriftQuery, DriftService, type SourceChoice } from './drift.service.ts';
import type { Report } from './drift/drift-report.ts';
import type { IntakeLedger } from './intake-ledger.port.ts';
import { recover } from './intake/recovery.ts';
import { Recorder, type RecorderOptions } from './intake/recorder.ts';
import type { MonitoringStore, MonitorRecord } from './monitoring-store.port.ts';
import type { PredictionLog } from './prediction-log.port.ts';
import { type PredictionPage, type PredictionQuery, predictionPage } from './prediction-rows.ts';
import { prometheusText } from './prometheus.ts';
import { type QualityReport, QualityService, type SentLabel } from './quality.service.ts';
import { timeSeries, type TimeSeriesQuery } from './time-series.ts';
import type { TrainingDataReader } from './training-data.port.ts';
import { TrainingProfiles } from './training/training.service.ts';

type Operations = typeof monitoringOperations;

export interface MonitoringDeps {
  store: MonitoringStore;
  log: PredictionLog;
  ledger: IntakeLedger;
  trainingData: TrainingDataReader;
  /** The package of a version; throws `not_found`. */
  packageOf(model: string, version: number): Promise<ModelPackage>;
  /** Endpoints that exist, so that one without traffic has a monitor as well. */
  endpoints(): Promise<{ name: string; model: string }[]>;
  events: EventBus;
  logger: Logger;
  clock?: Clock;
  /** Seconds between two evaluations of drift and alarms. */
  evaluateSeconds?: number;
  limits?: RecorderOptions['limits'];
}

export interface MonitoringService {
  /** What serving and batch tell of every prediction. */
  readonly sink: PredictionSink;
  /** Settles what a crash has lost, and begins to evaluate by interval. */
  start(): Promise<void>;
  /** Stores what is recorded, then ends. */
  close(): Promise<void>;
  /** Everything recorded before is stored and can be read when this returns. */
  flush(): Promise<void>;
  listMonitors(): Promise<MonitorSummary[]>;
  getMonitor(endpoint: string): Promise<MonitorSummary>;
  setConfig(endpoint: string, config: MonitorConfig): Promise<MonitorConfig>;
  timeSeries(endpoint: string, query: TimeSeriesQuery): Promise<OperationResponse<Operations['getTimeSeries']>>;
  drift(endpoint: string, query: DriftQuery): Promise<Report>;
  distribution(endpoint: string, query: { feature: string; windowStart: number; version?: number | undefined; source: SourceChoice }): Promise<Distribution>;
  quality(endpoint: string, query: { from?: number | undefined; to?: number | undefined; version?: number | undefined }): Promise<QualityReport>;
  addGroundTruth(endpoint: string, labels: SentLabel[]): Promise<{ accepted: number; matched: number; unmatched: number }>;
  listAlarms(query: { endpoint?: string | undefined; state: 'open' | 'closed' | 'all'; limit: number }): Promise<Alarm[]>;
  /** Judges drift now and brings the alarms in line. */
  evaluate(endpoint: string): Promise<Report>;
  listPredictions(endpoint: string, query: PredictionQuery): Promise<PredictionPage>;
  /** Prometheus' text format, for /metrics. */
  renderMetrics(): Promise<string>;
}

const DEFAULTS: MonitorConfig = MonitorConfig.parse({});
const DAY = 86_400_000;
const HOUR = 3_600_000;

/** Watches what the models do: profiles, drift, alarms, ground truth, quality, the prediction log. */
export function createMonitoringService(deps: MonitoringDeps): MonitoringService {
  return new Monitoring(deps);
}

class Monitoring implements MonitoringService {
  readonly #deps: MonitoringDeps;
  readonly #clock: Clock;
  readonly #profiles: TrainingProfiles;
  readonly #recorder: Recorder;
  readonly #drift: DriftService;
  readonly #quality: QualityService;
  readonly #latest = new Map<string, { key: string; value: Promise<Awaited<ReturnType<DriftService['latest']>>> }>();
  readonly #evaluated = new Map<string, { seen: number; at: number }>();
  readonly #unsubscribe: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #evaluating: Promise<void> = Promise.resolve();

  constructor(deps: MonitoringDeps) {
    this.#deps = deps;
    this.#clock = deps.clock ?? Date.now;
    const { store, log, ledger, logger, limits } = deps;
    this.#profiles = new TrainingProfiles({ store, data: deps.trainingData, packageOf: deps.packageOf, logger, clock: this.#clock });
    const options: RecorderOptions = { store, log, ledger, logger, describe: (batch) => this.#describe(batch) };
    this.#recorder = new Recorder(limits === undefined ? options : { ...options, limits });
    const onBaseline = (model: string, version: number) => this.#recorder.forget((context) => context.model === model && context.version === version);
    this.#drift = new DriftService({ store, log, profiles: this.#profiles, clock: this.#clock, logger, onBaseline });
    this.#quality = new QualityService({
      store,
      log,
      clock: this.#clock,
      settingsOf: (model, version) => (version === undefined ? Promise.resolve({}) : this.#settings(model, version)),
    });
  }

  get sink(): PredictionSink {
    return this.#recorder;
  }

  async start(): Promise<void> {
    const { ledger, store, log, logger, events } = this.#deps;
    if (ledger.previous !== null) {
      const { session, recorded } = ledger.previous;
      const recovered = await recover(ledger.previous, { store, log, describe: (batch) => this.#describe(batch) }).catch((err: unknown) => {
        logger.error({ err }, 'the prediction log cannot be read; what the last process had not added to the profiles is counted as lost');
        return { buckets: [], activity: [] };
      });
      const lost = await store.settleIntake(session, recorded, recovered);
      for (const { endpoint, rows } of lost)
        logger.warn({ endpoint, rows }, 'the last process ended before these predictions were stored; they are counted as lost');
    }
    ledger.settled();
    const changed = ({ model, version }: { model: string; version: number }) => {
      this.#profiles.forget(model, version);
      this.#recorder.forget((context) => context.model === model && context.version === version);
    };
    this.#unsubscribe.push(
      events.on('model-version.created', async (version) => {
        changed(version);
        await this.#profiles.get(version.model, version.version);
      }),
      events.on('model-version.deleted', async (version) => {
        changed(version);
        await store.deleteTrainingProfile(version.model, version.version);
      }),
    );
    const seconds = this.#deps.evaluateSeconds ?? 60;
    this.#timer = setInterval(() => {
      this.#evaluating = this.#evaluating.then(() => this.#evaluateAll());
    }, seconds * 1000);
    this.#timer.unref();
  }

  /** What fails is said and tried again at the next interval, and keeps nothing else from its turn. */
  async #evaluateAll(): Promise<void> {
    const { log, store, logger } = this.#deps;
    const attempt = (what: Record<string, unknown>, work: () => Promise<void>) =>
      work().catch((err: unknown) => logger.error({ err, ...what }, 'monitoring could not do its regular work; trying again at the next interval'));
    await attempt({ part: 'prediction log' }, () => log.maintain());
    await attempt({ part: 'list of monitors' }, async () => {
      for (const monitor of await store.listMonitors()) await attempt({ endpoint: monitor.endpoint }, () => this.#evaluateOne(monitor));
    });
  }

  async #evaluateOne(monitor: MonitorRecord): Promise<void> {
    const seen = monitor.lastReceivedAt ?? 0;
    const last = this.#evaluated.get(monitor.endpoint);
    // Where nothing new came, a window may still have ended by the clock: looking once an hour is enough for that.
    if (seen === 0 || (last?.seen === seen && this.#clock() - last.at < HOUR)) return;
    await this.#drift.evaluate(monitor, monitor.config ?? DEFAULTS);
    await this.#quality.recount(monitor);
    this.#evaluated.set(monitor.endpoint, { seen, at: this.#clock() });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const off of this.#unsubscribe) off();
    await this.#evaluating;
    await this.#recorder.close();
    await this.#deps.log.close();
    this.#deps.ledger.close();
  }

  flush = (): Promise<void> => this.#recorder.flush();

  async #settings(model: string, version: number): Promise<Record<string, string>> {
    return this.#deps.packageOf(model, version).then(
      ({ settings }) => settings,
      () => ({}),
    );
  }

  async #describe({ endpoint, model, version }: { endpoint: string; model: string; version: number }) {
    const monitor = await this.#deps.store.getMonitor(endpoint);
    return { config: monitor?.config ?? DEFAULTS, profile: await this.#profiles.get(model, version), settings: await this.#settings(model, version) };
  }

  /** The stored monitor, or an empty one of an endpoint without traffic. Throws `not_found`. */
  async #monitor(endpoint: string): Promise<MonitorRecord> {
    const found = await this.#deps.store.getMonitor(endpoint);
    if (found !== null && found.model !== '') return found;
    const existing = (await this.#deps.endpoints()).find(({ name }) => name === endpoint);
    if (existing === undefined && found === null)
      throw notFound(
        'monitor_not_found',
        `There is no endpoint "${endpoint}" and nothing was ever predicted by one. Deploy it first, or look at the list of monitors.`,
      );
    return { ...(found ?? emptyMonitor(endpoint)), model: existing?.model ?? '' };
  }

  async listMonitors(): Promise<MonitorSummary[]> {
    const stored = await this.#deps.store.listMonitors();
    const fresh = (await this.#deps.endpoints()).filter(({ name }) => !stored.some(({ endpoint }) => endpoint === name));
    const all = [...stored, ...fresh.map(({ name, model }) => ({ ...emptyMonitor(name), model }))].sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1));
    const open = await this.#openAlarms();
    return Promise.all(all.map((monitor) => this.#summary(monitor, open.get(monitor.endpoint) ?? 0)));
  }

  async getMonitor(endpoint: string): Promise<MonitorSummary> {
    return this.#summary(await this.#monitor(endpoint), (await this.#openAlarms()).get(endpoint) ?? 0);
  }

  async #openAlarms(): Promise<Map<string, number>> {
    return new Map((await this.#deps.store.openAlarms()).map(({ endpoint, count }) => [endpoint, count]));
  }

  async #summary(monitor: MonitorRecord, openAlarms: number): Promise<MonitorSummary> {
    const config = monitor.config ?? DEFAULTS;
    const latest = await this.#latestDrift(monitor, config);
    const { lastAt } = monitor;
    const lastDay =
      lastAt === null
        ? []
        : await this.#deps.store.counts({
            endpoint: monitor.endpoint,
            model: monitor.model,
            sources: ['live', 'batch'],
            level: 300_000,
            from: lastAt - DAY,
            to: lastAt + 1,
          });
    const profile = latest.version === null ? null : await this.#profiles.get(monitor.model, latest.version);
    return {
      endpoint: monitor.endpoint,
      model: monitor.model,
      predictions: monitor.predictions,
      predictionsLastDay: lastDay.reduce((sum, { predictions }) => sum + predictions, 0),
      errors: monitor.errors,
      labelled: monitor.labelled,
      firstPredictionAt: monitor.firstAt,
      lastPredictionAt: lastAt,
      hasBaseline: profile !== null,
      driftedFeatures: latest.drifted,
      openAlarms,
      config,
    };
  }

  /** Kept until something is recorded or configured anew. */
  #latestDrift(monitor: MonitorRecord, config: MonitorConfig): ReturnType<DriftService['latest']> {
    const key = `${monitor.predictions} ${monitor.lastReceivedAt} ${JSON.stringify(config)} ${Math.floor(this.#clock() / 60_000)}`;
    const known = this.#latest.get(monitor.endpoint);
    if (known?.key === key) return known.value;
    const value = this.#drift.latest(monitor, config);
    this.#latest.set(monitor.endpoint, { key, value });
    value.catch(() => this.#latest.delete(monitor.endpoint));
    return value;
  }

  async setConfig(endpoint: string, config: MonitorConfig): Promise<MonitorConfig> {
    const { model } = await this.#monitor(endpoint);
    if (config.windowSeconds % 300 !== 0)
      throw invalid('invalid_window', `windowSeconds is ${config.windowSeconds}; windows are made of five-minute buckets, so it must be a multiple of 300.`);
    await this.#deps.store.setConfig(endpoint, model, config);
    this.#recorder.forget((context) => context.endpoint === endpoint);
    return config;
  }

  async timeSeries(endpoint: string, query: TimeSeriesQuery): Promise<OperationResponse<Operations['getTimeSeries']>> {
    return timeSeries(this.#deps.store, await this.#monitor(endpoint), query);
  }

  async drift(endpoint: string, query: DriftQuery): Promise<Report> {
    const monitor = await this.#monitor(endpoint);
    return this.#drift.report(monitor, monitor.config ?? DEFAULTS, query);
  }

  async distribution(
    endpoint: string,
    query: { feature: string; windowStart: number; version?: number | undefined; source: SourceChoice },
  ): Promise<Distribution> {
    const monitor = await this.#monitor(endpoint);
    return this.#drift.distribution(monitor, monitor.config ?? DEFAULTS, query);
  }

  async quality(endpoint: string, query: { from?: number | undefined; to?: number | undefined; version?: number | undefined }): Promise<QualityReport> {
    const monitor = await this.#monitor(endpoint);
    const config = monitor.config ?? DEFAULTS;
    if (monitor.firstAt === null) return { windowSeconds: config.windowSeconds, windows: [], overall: null };
    return this.#quality.report(monitor, config, query, this.#recorder.revision);
  }

  async addGroundTruth(endpoint: string, labels: SentLabel[]): Promise<{ accepted: number; matched: number; unmatched: number }> {
    await this.#recorder.flush();
    return this.#quality.add(await this.#monitor(endpoint), labels);
  }

  listAlarms({ endpoint, state, limit }: { endpoint?: string | undefined; state: 'open' | 'closed' | 'all'; limit: number }): Promise<Alarm[]> {
    return this.#deps.store.listAlarms({ endpoint, state: state === 'all' ? undefined : state, limit });
  }

  async evaluate(endpoint: string): Promise<Report> {
    await this.#recorder.flush();
    const monitor = await this.#monitor(endpoint);
    const report = await this.#drift.evaluate(monitor, monitor.config ?? DEFAULTS);
    if (monitor.labelled > 0 || monitor.firstAt !== null) await this.#quality.recount(monitor);
    return report;
  }

  async listPredictions(endpoint: string, query: PredictionQuery): Promise<PredictionPage> {
    const monitor = await this.#monitor(endpoint);
    await this.#recorder.flush();
    if (monitor.firstAt === null && monitor.predictions === 0 && (await this.#deps.store.getMonitor(endpoint))?.firstAt == null) return { predictions: [] };
    return predictionPage(this.#deps.log, endpoint, query);
  }

  async renderMetrics(): Promise<string> {
    const open = await this.#openAlarms();
    const stored = await this.#deps.store.listMonitors();
    const drift = await Promise.all(stored.map(async (monitor) => ({ monitor, latest: await this.#latestDrift(monitor, monitor.config ?? DEFAULTS) })));
    const cpu = process.cpuUsage();
    const memory = process.memoryUsage();
    return prometheusText({
      requests: this.#recorder.requests.all,
      monitors: stored.map(({ endpoint, dropped, lost, labelled }) => ({ endpoint, dropped, lost, labelled, openAlarms: open.get(endpoint) ?? 0 })),
      drift: drift.flatMap(({ monitor, latest }) =>
        latest.cells.map(({ feature, cell }) => ({
          endpoint: monitor.endpoint,
          version: latest.version,
          feature: feature.name,
          js: cell.js,
          threshold: cell.threshold,
        })),
      ),
      process: {
        residentBytes: memory.rss,
        heapBytes: memory.heapUsed,
        cpuSeconds: (cpu.user + cpu.system) / 1e6,
        startedAtSeconds: performance.timeOrigin / 1000,
        uptimeSeconds: process.uptime(),
      },
    });
  }
}

const emptyMonitor = (endpoint: string): MonitorRecord => ({
  endpoint,
  model: '',
  config: null,
  predictions: 0,
  errors: 0,
  labelled: 0,
  dropped: 0,
  lost: 0,
  firstAt: null,
  lastAt: null,
  watermark: null,
  lastReceivedAt: null,
});
