import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Alarm, Distribution, MonitorConfig } from '@binnacle/contract';
import { type Clock, invalid, type Logger, newId, notFound } from '../kernel/index.ts';
import { type Episode, findEpisodes, reconcileAlarms } from './drift/alarms.ts';
import { compare, onBaseline } from './drift/compare.ts';
import { shapeOf } from './drift/distribution.ts';
import { cellOf, type Feature, judge, missingShare, type Report, subjectsOf, type WindowProfile } from './drift/drift-report.ts';
import { isComplete, levelFor, windowStart } from './drift/windows.ts';
import type { MonitoringStore, MonitorRecord } from './monitoring-store.port.ts';
import type { PredictionLog } from './prediction-log.port.ts';
import { ProfileSet, type Sketch } from './profile/index.ts';
import type { FeatureBaseline } from './training/training-profile.ts';
import type { TrainingProfiles } from './training/training.service.ts';
import type { StoredSource } from './types.ts';

/** The last millisecond that a Date can tell. */
const MAX_TIME = 8.64e15;

export type SourceChoice = 'live' | 'batch' | 'all';
export interface DriftQuery {
  from?: number | undefined;
  to?: number | undefined;
  version?: number | undefined;
  source: SourceChoice;
}
interface DriftDeps {
  store: MonitoringStore;
  log: PredictionLog;
  profiles: TrainingProfiles;
  clock: Clock;
  logger: Logger;
  /** A version got its first baseline. */
  onBaseline(model: string, version: number): void;
}

const DEFAULT_WINDOWS = 60;
const MAX_WINDOWS = 1000;
const FIRST_WINDOW_ROWS = 20_000;

/** Shadow traffic is looked at only where its version is named. */
export const sourcesOf = (source: SourceChoice, version: number | undefined): StoredSource[] => [
  ...(source === 'batch' ? [] : (['live'] as const)),
  ...(source === 'live' ? [] : (['batch'] as const)),
  ...(version !== undefined && source !== 'batch' ? (['shadow'] as const) : []),
];

/** Drift reports, the two distributions behind a cell, and the alarms that follow. */
export class DriftService {
  readonly #deps: DriftDeps;
  constructor(deps: DriftDeps) {
    this.#deps = deps;
  }

  async report(monitor: MonitorRecord, config: MonitorConfig, query: DriftQuery): Promise<Report> {
    const { report } = await this.#judge(monitor, config, query);
    const alarms = await this.#deps.store.listAlarms({ endpoint: monitor.endpoint, limit: 200 });
    return { ...report, alarms };
  }

  async #judge(monitor: MonitorRecord, config: MonitorConfig, query: DriftQuery) {
    const windowMs = config.windowSeconds * 1000;
    const version = query.version ?? (await this.#mainVersion(monitor, sourcesOf(query.source, undefined)));
    const profile = version === null ? null : await this.#deps.profiles.get(monitor.model, version);
    const windows = version === null ? [] : await this.#windows(monitor, windowMs, version, query);
    const subjects = subjectsOf(profile, windows, config);
    const { features, judged, shares } = await judge(subjects, windows, config);
    const report: Report = {
      endpoint: monitor.endpoint,
      version,
      windowSeconds: config.windowSeconds,
      baseline: profile === null ? null : { source: profile.source, rows: profile.rows },
      windows: windows.map(({ start, rows, complete }, i) => ({ start, end: start + windowMs, rows, complete, driftedShare: shares[i] ?? null })),
      features,
      alarms: [],
    };
    return { report, judged: judged.filter((_, i) => windows[i]?.complete) };
  }

  /** The version with most rows on the newest day that has any. */
  async #mainVersion({ endpoint, model }: MonitorRecord, sources: StoredSource[]): Promise<number | null> {
    const versions = (await this.#deps.store.versions(endpoint, model, sources)).filter(({ rows }) => rows > 0);
    const newest = Math.max(...versions.map((version) => version.newest));
    const current = versions.filter((version) => version.newest === newest).sort((a, b) => b.rows - a.rows);
    return current[0]?.version ?? null;
  }

  /** Windows from the first to the last with rows in the range, gaps included, oldest first. */
  async #windows(monitor: MonitorRecord, windowMs: number, version: number, query: DriftQuery): Promise<WindowProfile[]> {
    const last = Math.max(monitor.lastAt ?? 0, monitor.watermark ?? 0);
    const to = windowStart((query.to ?? last + 1) - 1, windowMs) + windowMs;
    const from = windowStart(query.from ?? Math.max(monitor.firstAt ?? 0, to - DEFAULT_WINDOWS * windowMs), windowMs);
    if (to <= from && query.from !== undefined) throw invalid('empty_range', `The range ends (${query.to}) before it begins (${query.from}).`);
    if ((to - from) / windowMs > MAX_WINDOWS)
      throw invalid(
        'range_too_long',
        `The range holds ${(to - from) / windowMs} windows of ${windowMs / 1000} s; at most ${MAX_WINDOWS} can be asked for. Narrow from and to, or set longer windows.`,
      );
    const rows = await this.#deps.store.profiles({
      endpoint: monitor.endpoint,
      model: monitor.model,
      sources: sourcesOf(query.source, query.version),
      level: levelFor(windowMs),
      from,
      to,
      version,
    });
    const found = new Map<number, WindowProfile>();
    const progress = { watermark: monitor.watermark ?? Number.NEGATIVE_INFINITY, lastReceivedAt: monitor.lastReceivedAt ?? 0 };
    for (const [i, row] of rows.entries()) {
      const start = windowStart(row.start, windowMs);
      const window = found.get(start) ?? {
        start,
        rows: 0,
        complete: isComplete(start + windowMs, windowMs, progress, this.#deps.clock()),
        set: new ProfileSet(),
      };
      window.rows += row.rows;
      window.set.merge(ProfileSet.decode(row.profile));
      found.set(start, window);
      if (i % 50 === 49) await nextTurn();
    }
    const starts = [...found.keys()];
    const windows: WindowProfile[] = [];
    if (starts.length === 0) return windows;
    for (let start = Math.min(...starts); start <= Math.max(...starts); start += windowMs) {
      windows.push(
        found.get(start) ?? { start, rows: 0, complete: isComplete(start + windowMs, windowMs, progress, this.#deps.clock()), set: new ProfileSet() },
      );
    }
    return windows;
  }

  /** Judges every version's complete windows and brings the stored alarms in line. Live traffic only. */
  async evaluate(monitor: MonitorRecord, config: MonitorConfig): Promise<Report> {
    const { store } = this.#deps;
    const main = await this.#mainVersion(monitor, ['live']);
    let result: Report | undefined;
    for (const { version } of await store.versions(monitor.endpoint, monitor.model, ['live'])) {
      if ((await this.#deps.profiles.get(monitor.model, version)) === null) await this.#takeFirstWindow(monitor, config, version);
      const { report, judged } = await this.#judge(monitor, config, { version, source: 'live' });
      if (version === main) result = report;
      const stored = await store.listAlarms({ endpoint: monitor.endpoint, version, limit: 1000 });
      // Windows with too few rows say nothing, so they end nothing.
      const telling = judged.some(({ features }) => [...features.values()].some(({ comparison }) => comparison !== null));
      const from = telling ? (judged[0] as (typeof judged)[number]).start : Number.POSITIVE_INFINITY;
      const changes = reconcileAlarms(stored, findEpisodes(judged, config), { from });
      const now = this.#deps.clock();
      const raised = changes.raise.map(
        (episode): Alarm => ({ id: newId(), endpoint: monitor.endpoint, version, raisedAt: now, ...fromEpisode(episode, config, now, null) }),
      );
      const byId = new Map(stored.map((alarm) => [alarm.id, alarm]));
      const changed = [
        ...changes.update.map(
          ({ id, episode }): Alarm => ({ ...(byId.get(id) as Alarm), ...fromEpisode(episode, config, now, byId.get(id)?.closedAt ?? null) }),
        ),
        ...changes.close.map((id): Alarm => ({ ...(byId.get(id) as Alarm), state: 'closed', closedAt: now })),
      ];
      if (raised.length + changed.length > 0) await store.saveAlarms(raised, changed);
    }
    result ??= (await this.#judge(monitor, config, { source: 'live' })).report;
    return { ...result, alarms: await store.listAlarms({ endpoint: monitor.endpoint, limit: 200 }) };
  }

  /** A version that carries no training data is compared with its own first full window. */
  async #takeFirstWindow(monitor: MonitorRecord, config: MonitorConfig, version: number): Promise<void> {
    const windowMs = config.windowSeconds * 1000;
    const windows = await this.#windows({ ...monitor, firstAt: monitor.firstAt }, windowMs, version, { source: 'live', version });
    const first = windows.find(({ rows, complete }) => complete && rows >= config.minimumRows);
    if (first === undefined) return;
    const rows = await this.#deps.log.sample({
      endpoint: monitor.endpoint,
      model: monitor.model,
      version,
      from: first.start,
      to: first.start + windowMs,
      limit: FIRST_WINDOW_ROWS,
    });
    if (rows.length < config.minimumRows) return;
    const detail = `live predictions of ${new Date(first.start).toISOString()} to ${new Date(first.start + windowMs).toISOString()}`;
    await this.#deps.profiles.fromFirstWindow(monitor.model, version, rows, detail);
    this.#deps.onBaseline(monitor.model, version);
    this.#deps.logger.info({ endpoint: monitor.endpoint, version, detail }, 'no training profile: the first window is the baseline');
  }

  /** Throws `not_found` for a feature or window without rows. */
  async distribution(
    monitor: MonitorRecord,
    config: MonitorConfig,
    query: { feature: string; windowStart: number; version?: number | undefined; source: SourceChoice },
  ): Promise<Distribution> {
    const windowMs = config.windowSeconds * 1000;
    const start = windowStart(query.windowStart, windowMs);
    if (!(Math.abs(start) <= MAX_TIME))
      throw invalid('invalid_window', `windowStart ${query.windowStart} is no time: milliseconds since the epoch are asked for.`);
    const version = query.version ?? (await this.#mainVersion(monitor, sourcesOf(query.source, undefined)));
    const windows = version === null ? [] : await this.#windows(monitor, windowMs, version, { ...query, from: start, to: start + windowMs });
    const profile = version === null ? null : await this.#deps.profiles.get(monitor.model, version);
    const subject = subjectsOf(profile, windows, config, true).find(({ title }) => title === query.feature);
    if (subject === undefined)
      throw notFound(
        'feature_not_found',
        `The monitor of "${monitor.endpoint}" has seen no feature "${query.feature}" in the window from ${new Date(start).toISOString()}, and the training profile has none.`,
      );
    const window = windows[0] ?? { start, rows: 0, complete: false, set: new ProfileSet() };
    const sketches = window.set.of(subject.role, subject.name);
    const baseline = subject.baseline ?? binsOfOwn(subject.name, sketches);
    const sketch = baseline === null ? null : onBaseline(sketches, baseline);
    const comparison = subject.baseline === null || window.rows === 0 ? null : compare(subject.baseline, sketch, window.rows, config.thresholds);
    const shape = baseline === null ? { edges: null, categories: null, baseline: [], current: [] } : shapeOf(baseline, sketch);
    const moments = sketch?.kind === 'numeric' && sketch.moments.count > 0 ? sketch.moments : null;
    const known = subject.baseline;
    const numbers = known?.kind === 'numeric' ? known : null;
    return {
      feature: subject.title,
      kind: subject.role === 'output' ? 'prediction' : (baseline?.kind ?? 'numeric'),
      edges: shape.edges,
      categories: shape.categories,
      baseline:
        known === null
          ? null
          : {
              rows: known.rows,
              shares: shape.baseline,
              mean: numbers?.mean ?? null,
              std: numbers?.std ?? null,
              missingShare: known.missing.share,
              min: numbers?.min ?? null,
              max: numbers?.max ?? null,
            },
      current: {
        rows: window.rows,
        shares: shape.current,
        mean: moments?.mean ?? null,
        std: moments?.std ?? null,
        missingShare: missingShare(window.rows, sketches) ?? 0,
        unseenShare: comparison?.unseenShare ?? null,
        min: moments?.min ?? null,
        max: moments?.max ?? null,
      },
      cell: cellOf(window, subject, comparison, window.rows >= config.minimumRows, sketches),
    };
  }

  /** What has drifted in the newest complete window; every feature's distance there. */
  async latest(
    monitor: MonitorRecord,
    config: MonitorConfig,
  ): Promise<{ drifted: string[]; cells: { feature: Feature; cell: Feature['cells'][number] }[]; version: number | null }> {
    const windowMs = config.windowSeconds * 1000;
    const last = Math.max(monitor.lastAt ?? 0, monitor.watermark ?? 0);
    const report = (await this.#judge(monitor, config, { source: 'live', from: windowStart(last, windowMs) - 2 * windowMs })).report;
    const index = report.windows.findLastIndex(({ complete, rows }) => complete && rows >= config.minimumRows);
    const cells = report.features.flatMap((feature) => (feature.cells[index] === undefined ? [] : [{ feature, cell: feature.cells[index] }]));
    return { drifted: cells.filter(({ cell }) => cell.status === 'drift').map(({ feature }) => feature.name), cells, version: report.version };
  }
}

/** A window without a baseline, drawn on bins of its own: shapes only, nothing is compared with it. */
function binsOfOwn(name: string, [sketch]: Sketch[]): FeatureBaseline | null {
  const none = { name, rows: 0, missing: { share: 0, std: 0 } };
  if (sketch === undefined) return null;
  if (sketch.kind === 'categorical') return { ...none, kind: 'categorical', categories: [], other: 0, distinct: 0, singletons: 0 };
  const { min, max, mean, std, count } = sketch.moments;
  if (count === 0) return null;
  const width = Math.max((max - min) / 64, Math.abs(max) * 1e-9, 1e-9);
  const edges = Array.from({ length: 66 }, (_, i) => min + width * i);
  return { ...none, kind: 'numeric', mean, std, min, max, edges, counts: edges.map(() => 0).concat(0), means: edges.map(() => null).concat([]) };
}

function fromEpisode(
  episode: Episode,
  config: MonitorConfig,
  now: number,
  closedAt: number | null,
): Pick<Alarm, 'kind' | 'feature' | 'state' | 'severity' | 'message' | 'firstWindow' | 'lastWindow' | 'closedAt' | 'value' | 'threshold'> {
  const { kind, feature, severity, firstWindow, lastWindow, value, threshold, open } = episode;
  const day = (at: number): string => new Date(at).toISOString().slice(0, config.windowSeconds % 86_400 === 0 ? 10 : 16);
  const span = `${day(firstWindow)} to ${day(lastWindow + config.windowSeconds * 1000)} UTC`;
  return {
    kind,
    feature,
    severity,
    firstWindow,
    lastWindow,
    value,
    threshold,
    state: open ? 'open' : 'closed',
    closedAt: open ? null : (closedAt ?? now),
    message: `${episode.message} (${span})`,
  };
}
