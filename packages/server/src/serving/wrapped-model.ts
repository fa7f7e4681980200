import type { TensorSpec } from '@binnacle/contract';
import type { LoadedModel, ModelTier, RunCall, RunMarks } from './model-runtime.port.ts';
import type { Tensor } from './tensor.ts';

/** A model that shows another in its own way: what it does not say itself is the other's. */
export abstract class WrappedModel implements LoadedModel {
  abstract readonly inputs: TensorSpec[];
  abstract readonly outputs: TensorSpec[];
  abstract readonly batchable: boolean;
  protected readonly inner: LoadedModel;

  constructor(inner: LoadedModel) {
    this.inner = inner;
  }

  get tier(): ModelTier {
    return this.inner.tier;
  }
  get runMicros(): number {
    return this.inner.runMicros;
  }
  get rowMicros(): number {
    return this.inner.rowMicros;
  }
  get slots(): number {
    return this.inner.slots;
  }
  get busyMicros(): number | undefined {
    return this.inner.busyMicros;
  }
  get memoryBytes(): number | undefined {
    return this.inner.memoryBytes;
  }
  get problem(): string | undefined {
    return this.inner.problem;
  }
  get shortage(): string | undefined {
    return this.inner.shortage;
  }
  get away(): boolean | undefined {
    return this.inner.away;
  }
  get usesParameters(): boolean | undefined {
    return this.inner.usesParameters;
  }
  get endsOnAbort(): boolean | undefined {
    return this.inner.endsOnAbort;
  }

  check(inputs: readonly Tensor[]): void {
    this.inner.check?.(inputs);
  }

  abstract execute(inputs: Tensor[], outputs: string[], call?: RunCall, marks?: RunMarks): Tensor[] | Promise<Tensor[]>;

  close(): Promise<void> {
    return this.inner.close();
  }
}
