import type { MonitorConfig } from '@binnacle/contract';
import type { PredictionBatch } from '../../serving/index.ts';
import type { Column } from '../../tables/index.ts';
import type { LogContext, LogRowsBuilder } from '../log-rows.ts';
import { CategorySketch, type ColumnValues, LogSketch, looksNumeric, NumericSketch, type Role, type Sketch, toNumber } from '../profile/index.ts';
import { categoriesOf, type FeatureBaseline, layoutOf, type TrainingProfile } from '../training/training-profile.ts';
import type { StoredSource } from '../types.ts';
import { type OutputRoles, resolveRoles } from './roles.ts';

/** Features beyond this are not profiled or logged: an image is no table. */
const MAX_FEATURES = 512;

/** How one feature or output is profiled. */
interface Slot {
  role: Role;
  name: string;
  /** `,"name":` for the log's JSON, and `{"name":`. */
  prefix: string;
  first: string;
  make(): Sketch;
  add(sketch: Sketch, values: ColumnValues, from: number, to: number): void;
}

/** What is known of an endpoint's version when its first prediction comes. */
export interface Description {
  config: MonitorConfig;
  profile: TrainingProfile | null;
  /** The model package's settings, for the roles of outputs. */
  settings: Record<string, string>;
}

/** What the recorder must know of one endpoint, version and source; replaced as a whole when configuration or baseline change. */
export class IntakeContext {
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  readonly source: StoredSource;
  readonly config: MonitorConfig;
  readonly slots: Slot[] = [];
  roles: OutputRoles = { prediction: -1, score: -1, classes: [] };
  readonly #settings: Record<string, string>;
  readonly #baselines = new Map<string, FeatureBaseline>();
  readonly #slotOf = new Map<string, number>();
  #featureNames: string[] = [];
  #featureSlots: number[] = [];
  #outputNames: string[] = [];
  #logContext: LogContext | undefined;
  predictionSlot = -1;
  scoreSlot = -1;

  constructor(batch: Pick<PredictionBatch, 'endpoint' | 'model' | 'version'>, source: StoredSource, { config, profile, settings }: Description) {
    this.endpoint = batch.endpoint;
    this.model = batch.model;
    this.version = batch.version;
    this.source = source;
    this.config = config;
    this.#settings = settings;
    for (const feature of profile?.features ?? []) this.#baselines.set(`feature ${feature.name}`, feature);
    for (const output of profile?.outputs ?? []) this.#baselines.set(`output ${output.name}`, output);
  }

  /** What its rows in the log share. */
  logContext(session: string, weight: number): LogContext {
    if (this.#logContext?.weight === weight && this.#logContext.session === session) return this.#logContext;
    const { endpoint, model, version, source } = this;
    this.#logContext = { session, endpoint, model, version, source, samplingFraction: this.config.samplingFraction, weight };
    return this.#logContext;
  }

  /** The slots of these columns; the same array as long as the columns keep their names. */
  featureSlots(columns: readonly Column[]): readonly number[] {
    const same = columns.length === this.#featureNames.length && columns.every(({ name }, i) => name === this.#featureNames[i]);
    if (same) return this.#featureSlots;
    this.#featureNames = columns.map(({ name }) => name);
    this.#featureSlots = columns.slice(0, MAX_FEATURES).map(({ name, values }) => this.#slot('feature', name, values));
    return this.#featureSlots;
  }

  /** Finds prediction and score among these outputs. */
  prepareOutputs(columns: readonly Column[]): void {
    const same = columns.length === this.#outputNames.length && columns.every(({ name }, i) => name === this.#outputNames[i]);
    if (same) return;
    const names = columns.map(({ name }) => name);
    this.#use(columns, resolveRoles(names, this.config, this.#settings));
  }

  /** For rows read back from the log: two columns, prediction and score. */
  prepareLogged(columns: readonly [Column, Column]): void {
    this.#use(columns, { prediction: 0, score: 1, classes: [] });
  }

  #use(columns: readonly Column[], roles: OutputRoles): void {
    this.#outputNames = columns.map(({ name }) => name);
    this.roles = roles;
    const { prediction, score } = roles;
    this.predictionSlot = prediction < 0 ? -1 : this.#slot('output', 'prediction', columns[prediction]?.values ?? []);
    this.scoreSlot = score < 0 ? -1 : this.#slot('output', 'score', columns[score]?.values ?? []);
  }

  #slot(role: Role, name: string, values: ColumnValues): number {
    const key = `${role} ${name}`;
    const known = this.#slotOf.get(key);
    if (known !== undefined) return known;
    const way = wayOf(this.#baselines.get(key), values, role);
    this.#slotOf.set(key, this.slots.length);
    const quoted = `${JSON.stringify(name)}:`;
    return this.slots.push({ role, name, prefix: `,${quoted}`, first: `{${quoted}`, ...way }) - 1;
  }
}

function wayOf(baseline: FeatureBaseline | undefined, values: ColumnValues, role: Role): Pick<Slot, 'make' | 'add'> {
  if (baseline?.kind === 'numeric') {
    const layout = layoutOf(baseline);
    return { make: () => NumericSketch.over(layout), add: (sketch, column, from, to) => (sketch as NumericSketch).addColumn(column, from, to, layout) };
  }
  if (baseline?.kind === 'categorical') {
    const known = categoriesOf(baseline);
    return { make: () => new CategorySketch(), add: (sketch, column, from, to) => (sketch as CategorySketch).addColumn(column, from, to, known) };
  }
  // Without a baseline: a class label that is a whole number is a category all the same.
  const label = role === 'output' && ArrayBuffer.isView(values) && !(values instanceof Float32Array) && !(values instanceof Float64Array);
  if (!looksNumeric(values) || label)
    return { make: () => new CategorySketch(), add: (sketch, column, from, to) => (sketch as CategorySketch).addColumn(column, from, to) };
  let centre = 0;
  for (let i = 0; i < values.length; i++) {
    const value = toNumber(values[i]);
    if (!Number.isFinite(value)) continue;
    centre = value;
    break;
  }
  return { make: () => new LogSketch(centre), add: (sketch, column, from, to) => (sketch as LogSketch).addColumn(column, from, to) };
}

/** Puts one row's features as a JSON object; NaN is null there. */
export function putFeatures(text: LogRowsBuilder, context: IntakeContext, slots: readonly number[], columns: readonly Column[], row: number): void {
  for (let i = 0; i < slots.length; i++) {
    const { values } = columns[i] as Column;
    const { prefix, first } = context.slots[slots[i] as number] as Slot;
    text.put(i === 0 ? first : prefix);
    text.value(values[row], !(values instanceof Float64Array));
  }
  text.put(slots.length === 0 ? '{}' : '}');
}
