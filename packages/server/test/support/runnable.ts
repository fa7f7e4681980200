import type { LoadedModel, RunCall, Tensor } from '../../src/serving/index.ts';
import type { EndpointPolicy } from '../../src/serving/scheduling/endpoint-policy.ts';
import { Executor } from '../../src/serving/scheduling/executor.ts';
import { LoadedVersion } from '../../src/serving/version.ts';
import type { ModelPackage } from '../../src/registry/index.ts';

export type Runnable = Pick<LoadedModel, 'inputs' | 'outputs' | 'tier' | 'runMicros' | 'batchable'> & {
  run(inputs: Tensor[], outputs?: string[], call?: RunCall): Promise<Tensor[]>;
  close(): Promise<void>;
};

/** What an adapter loaded, behind the checks and the queue of the serving room. */
export function runnable(loaded: LoadedModel, model: string, policy?: EndpointPolicy): Runnable {
  const version = new LoadedVersion(
    {
      id: 0,
      pkg: { model, version: 1 } as ModelPackage,
      loaded,
      executor: new Executor(loaded),
      sample: undefined,
      plan: { columns: null } as never,
      allOutputs: loaded.outputs.map(({ name }) => name),
    },
    () => loaded.close(),
    policy,
  );
  const { inputs, outputs, tier, runMicros, batchable } = loaded;
  return { inputs, outputs, tier, runMicros, batchable, run: (...args) => version.run(...args), close: () => version.close() };
}
