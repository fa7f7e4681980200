import type { MonitorConfig, QualityWindow } from '@binnacle/contract';
import { invalid } from '../kernel/index.ts';
import { windowStart } from './drift/windows.ts';
import { classKey } from './intake/roles.ts';
import type { MonitoringStore, MonitorRecord } from './monitoring-store.port.ts';
import type { Label, PredictionLog, QualitySums } from './prediction-log.port.ts';
import { qualityOf, positiveClass, type Task } from './quality/quality.ts';
import { sourcesOf } from './drift.service.ts';

export interface SentLabel {
  predictionId: string;
  label: string | number | boolean;
  labelTimestamp?: number | undefined;
}
interface QualityDeps {
  store: MonitoringStore;
  log: PredictionLog;
  clock(): number;
  /** The model's own settings, for the positive class. */
  settingsOf(model: string, version: number | undefined): Promise<Record<string, string>>;
}
export interface QualityReport {
  windowSeconds: number;
  windows: QualityWindow[];
  overall: QualityWindow | null;
}

const MAX_WINDOWS = 1000;
/** Numeric labels of more different values than this are a quantity, not classes. */
const MAX_CLASSES = 20;
const CACHED = 64;

/** Ground truth and the quality that follows from it. Every window is computed from its rows, so late or changed labels need no repair. */
export class QualityService {
  readonly #deps: QualityDeps;
  readonly #cache = new Map<string, Promise<QualityReport>>();
  #labels = 0;
  readonly #startedAt: number;

  constructor(deps: QualityDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock();
  }

  /** Stores labels durably. Of several labels for one prediction the last counts. */
  async add(monitor: MonitorRecord, sent: SentLabel[]): Promise<{ accepted: number; matched: number; unmatched: number }> {
    const labels = new Map<string, Label>();
    for (const [i, { predictionId, label, labelTimestamp }] of sent.entries()) {
      if (predictionId === '' || predictionId.includes('\0'))
        throw invalid(
          'invalid_prediction_id',
          `labels[${i}].predictionId is ${predictionId === '' ? 'empty' : 'not text'}; send the id that came with the prediction (request id, colon, index) or the one that you gave it.`,
        );
      const number = typeof label === 'number' ? label : Number.NaN;
      labels.set(predictionId, {
        predictionId,
        label: classKey(label),
        labelNumber: Number.isNaN(number) ? null : number,
        labelAt: labelTimestamp ?? this.#deps.clock(),
      });
    }
    const { matched, unmatched, newlyMatched } = await this.#deps.log.addLabels(monitor.endpoint, [...labels.values()]);
    this.#labels++;
    if (newlyMatched > 0) await this.#deps.store.addLabelled(monitor.endpoint, newlyMatched);
    return { accepted: sent.length, matched, unmatched };
  }

  /** Counts anew: labels that came before their predictions may have found them. */
  async recount({ endpoint, lastReceivedAt }: Pick<MonitorRecord, 'endpoint' | 'lastReceivedAt'>): Promise<void> {
    // Without new labels and new predictions the count that is stored holds, and an idle server need not open the log.
    if (this.#labels === 0 && (lastReceivedAt ?? 0) < this.#startedAt) return;
    await this.#deps.store.setLabelled(endpoint, await this.#deps.log.countLabelled(endpoint));
  }

  /** `revision` tells when the log has grown: until then, and until labels come, the same question has the same answer. */
  report(
    monitor: MonitorRecord,
    config: MonitorConfig,
    query: { from?: number | undefined; to?: number | undefined; version?: number | undefined },
    revision: number,
  ): Promise<QualityReport> {
    const key = JSON.stringify([monitor.endpoint, config, query, revision, this.#labels]);
    let found = this.#cache.get(key);
    if (found === undefined) {
      found = this.#compute(monitor, config, query);
      found.catch(() => this.#cache.delete(key));
      this.#cache.set(key, found);
      if (this.#cache.size > CACHED) this.#cache.delete(this.#cache.keys().next().value as string);
    }
    return found;
  }

  async #compute(
    monitor: MonitorRecord,
    config: MonitorConfig,
    query: { from?: number | undefined; to?: number | undefined; version?: number | undefined },
  ): Promise<QualityReport> {
    const windowMs = config.windowSeconds * 1000;
    const from = windowStart(query.from ?? monitor.firstAt ?? 0, windowMs);
    const to = windowStart((query.to ?? (monitor.lastAt ?? 0) + 1) - 1, windowMs) + windowMs;
    if (to <= from && query.from !== undefined) throw invalid('empty_range', `The range ends (${query.to}) before it begins (${query.from}).`);
    const origin = windowStart(from, windowMs);
    const span = (to - from) / windowMs;
    if (span > MAX_WINDOWS && query.from !== undefined)
      throw invalid(
        'range_too_long',
        `The range holds ${span} windows of ${config.windowSeconds} s; at most ${MAX_WINDOWS} can be asked for. Narrow from and to, or set longer windows.`,
      );
    const start = span > MAX_WINDOWS ? to - MAX_WINDOWS * windowMs : from;
    const classes = await this.#deps.log.labelValues(monitor.endpoint, MAX_CLASSES + 1);
    const settings = await this.#deps.settingsOf(monitor.model, query.version);
    const positive = positiveClass(
      classes,
      config.positiveLabel ?? settings['positiveLabel'] ?? settings['positive_label'] ?? settings['binnacle.positive_label'],
    );
    const task: Task =
      classes.length > MAX_CLASSES || classes.some((label) => label.includes('.') && Number.isFinite(Number(label))) ? 'regression' : 'classification';
    const base = {
      endpoint: monitor.endpoint,
      model: monitor.model,
      version: query.version,
      sources: sourcesOf('all', query.version),
      from: start,
      to,
      positive,
    };
    const sums = await this.#deps.log.quality({ ...base, windowMs, originMs: origin });
    const whole = await this.#deps.log.quality({ ...base, windowMs: to - start, originMs: start });
    const window = (row: QualitySums, end: number): QualityWindow => qualityOf(row, { start: row.start, end }, task);
    const [all] = whole;
    return {
      windowSeconds: config.windowSeconds,
      windows: sums.map((row) => window(row, row.start + windowMs)),
      overall: all === undefined || all.labelled === 0 ? null : window(all, to),
    };
  }
}
