import { BinnacleError, invalid, messageOf, notFound, unsupported } from '../../kernel/index.ts';
import { overriddenConfig, type RepositoryControl, type RepositoryLoad, type ServingService } from '../../serving/index.ts';
import type { IndexEntry } from './types.ts';

/** Triton's model repository extension over the registry's endpoints and, where there are some, mounted repositories. */
export interface ModelRepository {
  index(options: { repository?: string | undefined; ready?: boolean | undefined }): Promise<IndexEntry[]>;
  load(name: string, load: RepositoryLoad): Promise<void>;
  unload(name: string, options: { dependents: boolean }): Promise<void>;
}

/** How the registry's endpoints are asked for alone. */
const REGISTRY = 'registry';

export function createModelRepository(serving: ServingService, control: RepositoryControl | undefined): ModelRepository {
  /** Why the last load of an endpoint failed, and the revision that went on. */
  const failed = new Map<string, { reason: string; revision: number }>();
  const endpoints = (): IndexEntry[] =>
    serving
      .list()
      .filter(({ source }) => source === 'registry')
      .flatMap((endpoint) => {
        const last = failed.get(endpoint.name);
        return entriesOf(endpoint).map((entry) =>
          last === undefined || last.revision !== endpoint.revision || entry.state === 'LOADING' || entry.state === 'UNLOADING'
            ? entry
            : { ...entry, reason: `the last load failed: ${last.reason}` },
        );
      });
  const isEndpoint = (name: string): boolean => serving.list().some((endpoint) => endpoint.name === name && endpoint.source === 'registry');

  return {
    async index({ repository, ready }) {
      const named = repository !== undefined && repository !== '';
      if (named && repository !== REGISTRY && !(control?.repositories.includes(repository) ?? false))
        throw notFound(
          'repository_not_found',
          `there is no model repository '${repository}'; there are ${[REGISTRY, ...(control?.repositories ?? [])].join(', ')}`,
        );
      const mounted = control === undefined || repository === REGISTRY ? [] : await control.index(named ? repository : undefined);
      const all = [...(named && repository !== REGISTRY ? [] : endpoints()), ...mounted.map(entry)];
      return (ready === true ? all.filter(({ state }) => state === 'READY') : all).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    },

    async load(name, load) {
      // A load may bring a model that no folder holds.
      const brought = (load.files?.size ?? 0) > 0 && !isEndpoint(name);
      if (control !== undefined && (brought || (await control.has(name)))) return control.load(name, load);
      if (!isEndpoint(name)) throw invalid('load_failed', `failed to load '${name}', failed to poll from model repository`);
      if ((load.files?.size ?? 0) > 0)
        throw unsupported(
          'files_not_taken',
          `failed to load '${name}': it comes from the registry, whose versions do not change; register the file as a new version and move the alias`,
        );
      failed.delete(name);
      try {
        const { state, message } = await serving.load(name, load.config === undefined ? undefined : overriddenConfig(load.config, serving.get(name).config));
        if (state !== 'ready') throw invalid('load_failed', message);
      } catch (error) {
        if (!(error instanceof BinnacleError)) throw error;
        // An endpoint that has gone meanwhile has no entry.
        if (isEndpoint(name)) failed.set(name, { reason: error.message, revision: serving.get(name).revision });
        throw new BinnacleError(error.kind, error.code, `failed to load '${name}': ${messageOf(error)}`, { details: error.details, cause: error });
      }
    },

    async unload(name, options) {
      if (control !== undefined && (await control.has(name))) return control.unload(name, options);
      // What is not there is not loaded: Triton answers as if it had done it.
      failed.delete(name);
      if (isEndpoint(name)) await serving.unload(name);
    },
  };
}

function entriesOf({ name, versions, state, message }: ReturnType<ServingService['list']>[number]): IndexEntry[] {
  if (versions.length === 0) return [{ name, state: 'UNAVAILABLE', reason: state === 'unloaded' ? 'unloaded' : message }];
  return versions.map(({ version, state: of, error }) => ({ name, version: String(version), ...stateOf(of, error) }));
}

function stateOf(state: string, error: string | null): Pick<IndexEntry, 'state' | 'reason'> {
  if (state === 'ready') return { state: 'READY' };
  if (state === 'loading') return { state: 'LOADING' };
  if (state === 'draining') return { state: 'UNLOADING' };
  return { state: 'UNAVAILABLE', reason: error ?? '' };
}

const entry = ({ name, version, state, reason }: { name: string; version: string | undefined; state: string | undefined; reason: string }): IndexEntry => ({
  name,
  ...(version === undefined ? {} : { version }),
  ...(state === undefined ? {} : { state }),
  ...(reason === '' ? {} : { reason }),
});
