import { BinnacleError, type Clock, systemClock } from '../kernel/index.ts';
import { entryUseCases } from './entries.ts';
import { experimentUseCases } from './experiments.ts';
import { loggedModelUseCases } from './logged-models.ts';
import { metricUseCases } from './metrics.ts';
import { groupUseCases } from './run-groups.ts';
import { runUseCases } from './runs.ts';
import type { TrackingStore } from './tracking.port.ts';

/** Use cases of tracking: what may be logged is checked here, what the data must say in the store. */
export type TrackingService = ReturnType<typeof createTrackingService>;

export function createTrackingService(deps: { store: TrackingStore; clock?: Clock }) {
  const { store } = deps;
  const now = deps.clock ?? systemClock;

  return {
    ...experimentUseCases(store),
    ...runUseCases(store, now),
    ...groupUseCases(store),
    ...metricUseCases(store),
    ...entryUseCases(store),
    ...loggedModelUseCases(store),

    /** Where a run keeps its files; undefined when there is no such run. */
    runArtifactUri: (runId: string): Promise<string | undefined> =>
      orUndefined(store.getRun(runId, { metrics: [], params: [], tags: [] }).then((run) => run.artifactUri)),
    loggedModelArtifactUri: (modelId: string): Promise<string | undefined> =>
      orUndefined(store.getLoggedModel(modelId, true).then((model) => model.artifactUri)),
  };
}

async function orUndefined<T>(value: Promise<T>): Promise<T | undefined> {
  try {
    return await value;
  } catch (error) {
    if (error instanceof BinnacleError && error.kind === 'not_found') return undefined;
    throw error;
  }
}
