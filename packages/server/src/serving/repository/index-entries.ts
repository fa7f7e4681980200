import type { Endpoint } from '@binnacle/contract';
import type { RepositoryIndexEntry } from '../repository-control.port.ts';
import type { KnownModel } from './known-models.ts';

/**
 * A model in the repository's index: an entry a version that was tried, one without a version for a model that never was. `explicit`: what is
 * served follows loads, not the folder.
 */
export function indexEntries({ name, problem, unloaded, versions }: KnownModel, endpoint: Endpoint | undefined, explicit: boolean): RepositoryIndexEntry[] {
  const mounted = endpoint?.source === 'repository' ? endpoint : undefined;
  if (mounted === undefined) {
    const reason = problem !== '' ? problem : unloaded ? 'unloaded' : '';
    if (reason === '') return [{ name, version: undefined, state: undefined, reason: '' }];
    const of = versions.length === 0 ? [undefined] : versions.slice(-1).map(String);
    return of.map((version) => ({ name, version, state: 'UNAVAILABLE' as const, reason }));
  }
  const ready = new Set(mounted.versions.filter(({ state }) => state === 'ready').map(({ version }) => version));
  const entries = mounted.versions
    // A version that serves on while its successor of the same number did not load, or leaves, is one entry.
    .filter(({ version, state }) => state === 'ready' || !ready.has(version))
    .map(({ version, state, error }): RepositoryIndexEntry => {
      const failed = mounted.versions.find((other) => other.version === version && other.state === 'failed')?.error;
      const is = ({ ready: 'READY', loading: 'LOADING', draining: 'UNLOADING', failed: 'UNAVAILABLE' } as const)[state];
      return { name, version: String(version), state: is, reason: error ?? failed ?? '' };
    });
  if (entries.length === 0) return [{ name, version: undefined, state: 'UNAVAILABLE', reason: problem !== '' ? problem : mounted.message }];
  if (problem === '') return entries;
  const why = `${explicit ? 'the last load failed' : 'what is in the folder now is not served'}: ${problem}`;
  return entries.map((entry) => (entry.state === 'READY' ? { ...entry, reason: why } : entry));
}
