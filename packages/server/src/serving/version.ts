import type { ColumnSpec, TensorSpec } from '@binnacle/contract';
import { BinnacleError, internal, messageOf, unsupported } from '../kernel/index.ts';
import type { ModelPackage } from '../registry/index.ts';
import { outputColumns, planColumns, type TablePlan } from './columns.ts';
import type { LoadedModel, LoadOptions, ModelRuntime, ModelTier, PackageRuntime, RunCall } from './model-runtime.port.ts';
import { sampleTable } from './sample.ts';
import type { Tensor } from './tensor.ts';
import type { Column, Table } from '../tables/index.ts';
import type { OpenVersion } from './types.ts';

/** A model version in memory. `pending` counts the requests that wait for it or run. */
export class LoadedVersion implements OpenVersion {
  readonly pkg: ModelPackage;
  readonly sample: Table | undefined;
  readonly plan: TablePlan;
  pending = 0;
  readonly loaded: LoadedModel;
  readonly #onClose: () => Promise<void>;

  constructor(pkg: ModelPackage, loaded: LoadedModel, sample: Table | undefined, onClose?: () => Promise<void>) {
    this.pkg = pkg;
    this.sample = sample;
    this.plan = planColumns(pkg.signature, loaded.inputs);
    this.loaded = loaded;
    this.#onClose = onClose ?? (() => loaded.close());
  }

  get model(): string {
    return this.pkg.model;
  }
  get version(): number {
    return this.pkg.version;
  }
  get inputs(): TensorSpec[] {
    return this.loaded.inputs;
  }
  get outputs(): TensorSpec[] {
    return this.loaded.outputs;
  }
  get tier(): ModelTier {
    return this.loaded.tier;
  }
  get runMicros(): number {
    return this.loaded.runMicros;
  }
  get busyMicros(): number | undefined {
    return this.loaded.busyMicros;
  }
  get memoryBytes(): number | undefined {
    return this.loaded.memoryBytes;
  }
  get columns(): ColumnSpec[] | null {
    return this.plan.columns;
  }

  toTensors(table: Table, options?: { text?: boolean }): Tensor[] {
    return this.plan.toTensors(table, options);
  }

  run(inputs: Tensor[], outputs?: string[], call?: RunCall): Promise<Tensor[]> {
    return this.loaded.run(inputs, outputs, call);
  }

  async predictTable(table: Table): Promise<Column[]> {
    if (table.rows === 0)
      return this.outputs.flatMap(({ name, shape }) =>
        shape.length > 1 && (shape[1] ?? 0) > 1
          ? Array.from({ length: shape[1] ?? 0 }, (_, k) => ({ name: `${name}[${k}]`, values: [] }))
          : [{ name, values: [] }],
      );
    const outputs = await this.run(this.toTensors(table));
    const off = outputs.find((output) => output.shape[0] !== table.rows);
    if (off !== undefined)
      throw internal(
        'wrong_output_rows',
        `the model's output '${off.name}' has the shape [${off.shape}] for ${table.rows} rows; a model that predicts tables must answer one row a row`,
      );
    return outputColumns(outputs, table.rows);
  }

  close(): Promise<void> {
    return this.#onClose();
  }
}

/** The same model for one more user, whose `close` only lets go of it. */
export const shareVersion = (version: LoadedVersion, release: () => Promise<void>): OpenVersion =>
  new LoadedVersion(version.pkg, version.loaded, version.sample, release);

/** What executes packages: ONNX graphs here, the others by their kind. */
export interface Runtimes {
  onnx: ModelRuntime;
  others: Partial<Record<'remote' | 'python' | 'ensemble', PackageRuntime>>;
}

export const notServable = (pkg: ModelPackage): BinnacleError =>
  unsupported(
    'not_servable',
    `${pkg.model} version ${pkg.version} cannot be served. ${pkg.problem ?? `It has no ONNX graph (flavours: ${pkg.flavors.join(', ') || 'none'}): log it with mlflow.onnx, or push an .onnx file.`}`,
  );

/** Loads and warms a version. Throws `unsupported` when nothing here can execute it, `invalid` when it does not load. */
export async function loadVersion(pkg: ModelPackage, runtimes: Runtimes, options: LoadOptions = {}): Promise<LoadedVersion> {
  const name = `${pkg.model} version ${pkg.version}`;
  const kind = pkg.runtime?.kind;
  const other = kind === undefined || kind === 'onnx' ? undefined : runtimes.others[kind];
  if (kind === undefined || (kind === 'onnx' ? pkg.onnxFile === null : other === undefined)) throw notServable(pkg);
  const table = await sampleTable(pkg);
  try {
    const full = { ...options, label: pkg.model, sample: sampleTensors(pkg, table) };
    const loaded = other === undefined ? await runtimes.onnx.load(pkg.onnxFile as string, full) : await other.load(pkg, full);
    return new LoadedVersion(pkg, loaded, table);
  } catch (error) {
    if (error instanceof BinnacleError)
      throw new BinnacleError(error.kind, error.code, `${name} could not be loaded: ${error.message}`, { details: error.details, cause: error });
    throw internal('load_failed', `${name} could not be loaded: ${messageOf(error)}`, { cause: error });
  }
}

/** The sample as the graph's inputs, for the warm-up; a sample that does not fit is no reason to refuse the model. */
function sampleTensors(pkg: ModelPackage, table: Table | undefined): Tensor[] | undefined {
  if (table === undefined || pkg.tensors === null) return undefined;
  try {
    return planColumns(pkg.signature, pkg.tensors.inputs).toTensors(table);
  } catch {
    return undefined;
  }
}
