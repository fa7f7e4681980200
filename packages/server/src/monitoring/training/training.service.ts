import { readFile, stat } from 'node:fs/promises';
import { BinnacleError, type Clock, type Logger } from '../../kernel/index.ts';
import type { ModelPackage } from '../../registry/index.ts';
import type { MonitoringStore } from '../monitoring-store.port.ts';
import type { LogRow } from '../prediction-log.port.ts';
import type { TrainingDataReader } from '../training-data.port.ts';
import { buildTrainingProfile } from './build-profile.ts';
import { parseTrainingProfile, type TrainingProfile } from './training-profile.ts';

export interface TrainingProfilesDeps {
  store: MonitoringStore;
  data: TrainingDataReader;
  /** The package of a version; throws `not_found`. */
  packageOf(model: string, version: number): Promise<ModelPackage>;
  logger: Logger;
  clock: Clock;
}

/** Rows that a profile is computed from: enough for the noise floor of the largest windows, few enough to sort between two requests. */
const MAX_ROWS = 50_000;
const MAX_PROFILE_BYTES = 16 << 20;
/** A version without any data is asked again after this long. */
const RETRY_MS = 60_000;

/** The baseline of each model version: stored once, computed when first needed. */
export class TrainingProfiles {
  readonly #deps: TrainingProfilesDeps;
  readonly #known = new Map<string, Promise<TrainingProfile | null>>();
  readonly #without = new Map<string, number>();

  constructor(deps: TrainingProfilesDeps) {
    this.#deps = deps;
  }

  /** Null when the version carries neither a profile nor training data that can be read. */
  get(model: string, version: number): Promise<TrainingProfile | null> {
    const key = `${version} ${model}`;
    const without = this.#without.get(key);
    if (without !== undefined && this.#deps.clock() - without < RETRY_MS) return Promise.resolve(null);
    let found = this.#known.get(key);
    if (found === undefined) {
      found = this.#find(model, version).then((profile) => {
        if (profile === null) {
          this.#without.set(key, this.#deps.clock());
          this.#known.delete(key);
        }
        return profile;
      });
      found.catch(() => this.#known.delete(key));
      this.#known.set(key, found);
      if (this.#known.size > 200) this.#known.delete(this.#known.keys().next().value as string);
    }
    return found;
  }

  /** Looks again, as after the version's files have changed or a first window has been taken. */
  forget(model: string, version: number): void {
    this.#known.delete(`${version} ${model}`);
    this.#without.delete(`${version} ${model}`);
  }

  async #find(model: string, version: number): Promise<TrainingProfile | null> {
    const stored = await this.#deps.store.getTrainingProfile(model, version);
    const pkg = await this.#packageOf(model, version);
    if (stored !== null && (pkg === null || pkg.id === stored.packageId)) return stored.profile;
    const profile = pkg === null ? null : await this.#fromPackage(pkg);
    if (pkg !== null && profile !== null) await this.#deps.store.putTrainingProfile(model, version, pkg.id, profile);
    return profile;
  }

  /** Null when it cannot be had. */
  async #packageOf(model: string, version: number): Promise<ModelPackage | null> {
    try {
      return await this.#deps.packageOf(model, version);
    } catch (err) {
      if (!(err instanceof BinnacleError)) throw err;
      return null;
    }
  }

  async #fromPackage(pkg: ModelPackage): Promise<TrainingProfile | null> {
    const { clock, data, logger } = this.#deps;
    try {
      if (pkg.profileFile !== null) return await readProfile(pkg.profileFile, clock());
      if (pkg.trainingDataFile === null) return null;
      const { rows, columns, skipped } = await data.read(pkg.trainingDataFile, { maxRows: MAX_ROWS });
      const detail = `${rows} rows of the run's training data${rows > MAX_ROWS ? `, ${MAX_ROWS} of them sampled` : ''}${skipped.length > 0 ? `; left out: ${skipped.join(', ')}` : ''}`;
      return await buildTrainingProfile({ rows, columns, source: 'training-data', detail, createdAt: clock() });
    } catch (err) {
      logger.warn(
        { err, model: pkg.model, version: pkg.version },
        'the training profile of a model version cannot be made; its drift will be measured against a first window',
      );
      return null;
    }
  }

  /** Makes live rows the baseline of a version that has none. */
  async fromFirstWindow(
    model: string,
    version: number,
    rows: Pick<LogRow, 'features' | 'prediction' | 'predictionNumber' | 'score'>[],
    detail: string,
  ): Promise<TrainingProfile> {
    const parsed = rows.map(({ features }) => JSON.parse(features) as Record<string, string | number | boolean | null>);
    const names = [...new Set(parsed.flatMap((row) => Object.keys(row)))];
    const numeric = rows.every(({ prediction, predictionNumber }) => prediction === null || (predictionNumber !== null && !Number.isInteger(predictionNumber)));
    const columns = names.map((name) => ({ name, values: parsed.map((row) => row[name] ?? null) }));
    const outputs = [
      { name: 'prediction', values: rows.map((row) => (numeric ? row.predictionNumber : row.prediction)) },
      { name: 'score', values: rows.map(({ score }) => score) },
    ].filter(({ values }) => values.some((value) => value !== null));
    const input = { rows: rows.length, source: 'first-window' as const, detail, createdAt: this.#deps.clock() };
    const profile = await buildTrainingProfile({ ...input, columns: [] });
    // A feature may be called as an output is; here it is known which is which.
    profile.features = (
      await buildTrainingProfile({ ...input, columns: columns.map(({ name, values }) => ({ name: `feature ${name}`, values })) })
    ).features.map((feature) => ({ ...feature, name: feature.name.slice(8) }));
    profile.outputs = (await buildTrainingProfile({ ...input, columns: outputs })).outputs;
    await this.#deps.store.putTrainingProfile(model, version, (await this.#packageOf(model, version))?.id ?? '', profile);
    this.forget(model, version);
    return profile;
  }
}

async function readProfile(file: string, now: number): Promise<TrainingProfile> {
  if ((await stat(file)).size > MAX_PROFILE_BYTES) throw new Error('binnacle/profile.json is larger than 16 MB');
  const profile = parseTrainingProfile(JSON.parse(await readFile(file, 'utf8')), 'binnacle/profile.json');
  return { ...profile, source: 'package', createdAt: profile.createdAt || now };
}
