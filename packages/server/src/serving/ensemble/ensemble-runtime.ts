import { setTimeout as wait } from 'node:timers/promises';
import { BinnacleError, invalid, messageOf, unavailable } from '../../kernel/index.ts';
import type { ModelPackage } from '../../registry/index.ts';
import type { LoadedModel, PackageRuntime } from '../model-runtime.port.ts';
import type { InferReply, InferRequest, VersionInfo } from '../types.ts';
import { EnsembleModel } from './ensemble-model.ts';
import { type PlannedStep, planEnsemble } from './plan.ts';

export interface EnsembleRuntimeDeps {
  infer(request: InferRequest): Promise<InferReply>;
  /** The version of an endpoint that answers, or the pinned one. Throws `not_found` or `unavailable`. */
  served(endpoint: string, version?: number): VersionInfo;
  /** The model of an endpoint, and whether it is being loaded; undefined: there is none. */
  endpoint(name: string): { model: string; loading: boolean } | undefined;
}

/** Endpoints load beside each other at the start: so long an ensemble waits for those that it is made of, milliseconds. */
const LONGEST_WAIT_MS = 5 * 60_000;
const LOOK_MS = 25;

/** Runs ensembles over the endpoints of this server. */
export function createEnsembleRuntime(deps: EnsembleRuntimeDeps): PackageRuntime {
  /** Endpoints that each ensemble uses, by its model; of those loaded or being loaded. */
  const uses = new Map<string, { endpoints: Set<string>; count: number }>();

  function checkCircle(model: string, path: readonly string[]): void {
    for (const endpoint of uses.get(model)?.endpoints ?? []) {
      const next = deps.endpoint(endpoint)?.model;
      if (next === undefined) continue;
      if (path.includes(next)) throw invalid('ensemble_invalid', `the ensembles ${[...path, next].join(' → ')} are made of each other`);
      checkCircle(next, [...path, next]);
    }
  }

  /** Until none of them is being loaded. */
  async function settled(endpoints: Iterable<string>): Promise<void> {
    const end = performance.now() + LONGEST_WAIT_MS;
    for (const name of endpoints)
      while (deps.endpoint(name)?.loading === true) {
        if (performance.now() > end) throw unavailable('ensemble_step_loading', `its step's model '${name}' is still being loaded`);
        await wait(LOOK_MS);
      }
  }

  return {
    async load(pkg: ModelPackage): Promise<LoadedModel> {
      const { model, runtime } = pkg;
      if (runtime?.kind !== 'ensemble') throw invalid('ensemble_invalid', `${model} is no ensemble`);
      const endpoints = new Set(runtime.steps.map((step) => step.model));
      const use = uses.get(model) ?? { endpoints: new Set<string>(), count: 0 };
      uses.set(model, use);
      use.count++;
      for (const endpoint of endpoints) use.endpoints.add(endpoint);
      const release = (): void => {
        if (--use.count === 0) uses.delete(model);
      };
      try {
        checkCircle(model, [model]);
        await settled(endpoints);
        const versionOf = (step: PlannedStep): VersionInfo => {
          try {
            return deps.served(step.model, step.version);
          } catch (error) {
            throw error instanceof BinnacleError
              ? unavailable('ensemble_step_missing', `step ${step.index} (model '${step.model}') does not answer: ${error.message}`, { cause: error })
              : error;
          }
        };
        const plan = planEnsemble(model, runtime, versionOf);
        const problemOf = (step: PlannedStep): string | undefined => {
          try {
            deps.served(step.model, step.version);
            return undefined;
          } catch (error) {
            return messageOf(error);
          }
        };
        return new EnsembleModel(model, runtime, plan, { infer: deps.infer, problemOf }, release);
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}
