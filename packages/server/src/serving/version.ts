import type { ColumnSpec, TensorSpec } from '@binnacle/contract';
import { BinnacleError, internal, messageOf, unavailable, unsupported } from '../kernel/index.ts';
import type { ModelPackage } from '../registry/index.ts';
import { outputColumns, planColumns, type TablePlan } from './columns.ts';
import { checkInputs, checkOutputs, checkSameRows } from './check-inputs.ts';
import type { LoadedModel, LoadOptions, ModelRuntime, ModelTier, PackageRuntime, RunCall } from './model-runtime.port.ts';
import { asConfigured } from './repository/adapt.ts';
import { isMounted } from './repository/mounted-package.ts';
import { Executor } from './scheduling/executor.ts';
import { cacheKey } from './scheduling/cache-key.ts';
import type { EndpointPolicy } from './scheduling/endpoint-policy.ts';
import { Scheduler } from './scheduling/scheduler.ts';
import { sampleTable } from './sample.ts';
import type { Tensor } from './tensor.ts';
import type { Column, Table } from '../tables/index.ts';
import type { OpenVersion } from './types.ts';

/** A model version in memory, shared by everyone who uses it. */
export interface SharedModel {
  /** Another for every load, also of the same version. */
  readonly id: number;
  readonly pkg: ModelPackage;
  readonly loaded: LoadedModel;
  readonly executor: Executor;
  readonly sample: Table | undefined;
  readonly plan: TablePlan;
  readonly allOutputs: string[];
}

/** A model version for one user of it (a target of an endpoint, a gate, a batch job): its own queue before the shared model. */
export class LoadedVersion implements OpenVersion {
  readonly shared: SharedModel;
  readonly queue: Scheduler;
  readonly #onClose: () => Promise<void>;
  readonly #policy: EndpointPolicy | undefined;
  #closing: Promise<void> | undefined;

  constructor(shared: SharedModel, onClose: () => Promise<void>, policy?: EndpointPolicy) {
    this.shared = shared;
    this.queue = new Scheduler(shared.executor, policy);
    this.#onClose = onClose;
    this.#policy = policy;
  }

  get pkg(): ModelPackage {
    return this.shared.pkg;
  }
  get plan(): TablePlan {
    return this.shared.plan;
  }
  get sample(): Table | undefined {
    return this.shared.sample;
  }
  get loaded(): LoadedModel {
    return this.shared.loaded;
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
  get batchable(): boolean {
    return this.loaded.batchable;
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
    const { id, loaded, pkg, allOutputs } = this.shared;
    if (this.#closing !== undefined) return Promise.reject(closed(pkg.model));
    let checked = inputs;
    let names: string[];
    try {
      if (loaded.checksInputs !== true) {
        checked = checkInputs(loaded.inputs, inputs, pkg.model);
        if (loaded.batchable) checkSameRows(checked, pkg.model);
      }
      loaded.check?.(checked);
      names =
        outputs === undefined || outputs.length === 0
          ? allOutputs
          : loaded.checksInputs === true && loaded.outputs.length === 0
            ? [...new Set(outputs)]
            : checkOutputs(loaded.outputs, outputs, pkg.model);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const cache = this.#policy?.cache;
    // What an ensemble of endpoints answers changes with each of them; one of a model repository is loaded anew when they do.
    const followsOthers = loaded.tier === 'ensemble' && !isMounted(pkg);
    if (cache === undefined || call?.sequence !== undefined || followsOthers) return this.queue.submit(checked, names, call);
    const key = cacheKey(id, checked, names, loaded.usesParameters === true ? call?.parameters : undefined);
    // Asked again: whoever waited for another's answer in vain may come when the queue has been drained.
    return cache.through(id, key, call, () => (this.#closing === undefined ? this.queue.submit(checked, names, call) : Promise.reject(closed(pkg.model))));
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

  /** Refuses new requests, finishes those it has, then lets go of the model. */
  close(): Promise<void> {
    this.#closing ??= this.queue.drained().then(() => this.#onClose());
    return this.#closing;
  }
}

const closed = (model: string): BinnacleError => unavailable('model_closed', `Model '${model}' has been unloaded. Try again.`, { retryAfterSeconds: 1 });

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

let loads = 0;

/** Loads and warms a version; once `signal` is aborted nobody waits for it. Throws `unsupported` when nothing here can execute it, `invalid` when it does not load. */
export async function loadModel(pkg: ModelPackage, runtimes: Runtimes, options: LoadOptions = {}, signal?: AbortSignal): Promise<SharedModel> {
  const name = `${pkg.model} version ${pkg.version}`;
  const kind = pkg.runtime?.kind;
  const other = kind === undefined || kind === 'onnx' ? undefined : runtimes.others[kind];
  if (kind === undefined || (kind === 'onnx' ? pkg.onnxFile === null : other === undefined)) throw notServable(pkg);
  const table = await sampleTable(pkg);
  try {
    const full = { ...options, label: pkg.model, sample: sampleTensors(pkg, table), signal };
    const executed = other === undefined ? await runtimes.onnx.load(pkg.onnxFile as string, full) : await other.load(pkg, full);
    const loaded = isMounted(pkg) ? await asConfigured(executed, pkg.mounted) : executed;
    return {
      id: ++loads,
      pkg,
      loaded,
      executor: new Executor(loaded),
      sample: table,
      plan: planColumns(pkg.signature, loaded.inputs),
      allOutputs: loaded.outputs.map(({ name }) => name),
    };
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
