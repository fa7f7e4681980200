import type { EndpointConfig } from '@binnacle/contract';
import type { LoadOptions } from './model-runtime.port.ts';

/** What of an endpoint's configuration decides how a version is loaded; a change of it loads the version anew. */
export function loadOptionsOf(config: EndpointConfig): LoadOptions {
  const { tier, isolation, instances, threads, providers, memoryLimitMiB, memoryArena, runTimeoutMs } = config;
  const all = { tier, isolation, instances, threads, providers, memoryLimitMiB, memoryArena, runTimeoutMs };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
