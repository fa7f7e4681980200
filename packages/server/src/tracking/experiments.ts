import { checkArtifactPath, proxiedPath } from '../artifacts/index.ts';
import { BinnacleError, invalid } from '../kernel/index.ts';
import { keyToToken, type SearchRequest, toExperimentQuery, tokenToKey } from './search.ts';
import type { TrackingStore } from './tracking.port.ts';
import type { ExperimentRecord, ExperimentSummary, KeyValue, LifecycleStage, View } from './types.ts';
import * as check from './validation.ts';

/** Scheme and root of artifact locations that this server serves itself. */
export const ARTIFACT_ROOT = 'mlflow-artifacts:';

export function experimentUseCases(store: TrackingStore) {
  return {
    async createExperiment(input: { name: string; artifactLocation?: string | null | undefined; tags?: KeyValue[] }): Promise<ExperimentRecord> {
      check.checkExperimentName(input.name);
      const tags = input.tags ?? [];
      for (const tag of tags) check.checkExperimentTag(tag);
      const location = input.artifactLocation || null;
      if (location !== null) checkLocation(location);
      return store.createExperiment({ name: input.name, artifactLocation: location, tags, root: ARTIFACT_ROOT });
    },
    getExperiment: (id: string): Promise<ExperimentSummary> => store.getExperiment(id),
    findExperiment: (name: string): Promise<ExperimentRecord | undefined> => store.findExperiment(name),
    /** The experiment of that name, made when there is none. */
    async ensureExperiment(name: string): Promise<ExperimentRecord> {
      const found = await store.findExperiment(name);
      if (found !== undefined) return found;
      try {
        check.checkExperimentName(name);
        return await store.createExperiment({ name, artifactLocation: null, tags: [], root: ARTIFACT_ROOT });
      } catch (error) {
        // Somebody else was faster.
        const other = error instanceof BinnacleError && error.code === 'experiment_exists' ? await store.findExperiment(name) : undefined;
        if (other !== undefined) return other;
        throw error;
      }
    },
    async renameExperiment(id: string, name: string): Promise<ExperimentRecord> {
      check.checkExperimentName(name);
      return store.updateExperiment(id, { name });
    },
    setExperimentStage: (id: string, lifecycleStage: LifecycleStage): Promise<ExperimentRecord> => store.updateExperiment(id, { lifecycleStage }),
    async setExperimentTag(id: string, tag: KeyValue): Promise<void> {
      check.checkExperimentTag(tag);
      await store.setExperimentTag(id, tag);
    },
    deleteExperimentTag: (id: string, key: string): Promise<void> => store.deleteExperimentTag(id, key),
    async searchExperiments(request: SearchRequest): Promise<{ experiments: ExperimentRecord[]; nextPageToken: string | undefined }> {
      const { experiments, next } = await store.searchExperiments(toExperimentQuery(request));
      return { experiments, nextPageToken: keyToToken(next) };
    },
    async listExperiments(request: {
      q?: string | undefined;
      view: View;
      limit: number;
      pageToken?: string | undefined;
    }): Promise<{ experiments: ExperimentSummary[]; nextPageToken: string | undefined }> {
      const after = tokenToKey(request.pageToken);
      const { experiments, next } = await store.listExperiments({
        q: request.q ?? null,
        view: request.view,
        limit: request.limit,
        ...(after === undefined ? {} : { after }),
      });
      return { experiments, nextPageToken: keyToToken(next) };
    },
    listColumns: (id: string, q: string | undefined, limit: number) => store.listColumns(id, q ?? null, limit),
  };
}

/** Files of runs go through this server, or stay where the client itself puts them; a run's own URI would go in circles. */
export function checkLocation(location: string): void {
  if (location.startsWith('runs:')) throw invalid('invalid_artifact_location', `Artifact location cannot be a runs:/ URI. Given: '${location}'`);
  if (location.length > 2048)
    throw invalid('invalid_artifact_location', 'Invalid artifact path length. The length of the artifact path cannot be greater than 2048 characters.');
  if (/[?#]/.test(location.replace(/^[a-z0-9+-]+:\/\/[^/]*/i, '')) && location.startsWith('mlflow-artifacts:'))
    throw invalid('invalid_artifact_location', `'artifact_location' URL can't include fragments or params. Given: '${location}'`);
  const proxied = proxiedPath(location);
  // A folder that no file could be written to, nor collected from.
  if (proxied !== undefined) checkArtifactPath(proxied, { allowRoot: true, allowReserved: true });
  const top = topFolder(proxied ?? '');
  if (RESERVED.has(top))
    throw invalid('invalid_artifact_location', `Artifact location cannot be in ${top}, which belongs to the server. Give another folder. Given: '${location}'`);
}

/** Where the server keeps pushed models, and what it derives: gc takes what it finds there for its own. */
const RESERVED = new Set(['registry', '.binnacle']);

/** Escapes are read, since a client may send them as they are. */
function topFolder(path: string): string {
  const plain = path.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return plain.split('/').find((segment) => segment !== '' && segment !== '.') ?? '';
}
