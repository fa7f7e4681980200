import { notFound } from '../kernel/index.ts';
import type { LiveEndpoint } from './live-endpoint.ts';
import type { VersionLog } from './model-runtime.port.ts';
import { allRoutes, heaviest } from './routes.ts';
import type { Runtimes } from './version.ts';

export interface LogRequest {
  /** By default one that is on its way or has failed, else the one that gets the most requests. */
  version?: number | undefined;
  limit: number;
  after?: string | undefined;
}

export interface EndpointLogs extends ReturnType<VersionLog['read']> {
  version: number;
}

/** Versions that may have a log. One that does not come up is what somebody who asks for a log most likely asks about. */
function candidates(endpoint: LiveEndpoint): number[] {
  const top = endpoint.routes === undefined ? undefined : heaviest(endpoint.routes.live);
  return [
    ...new Set([
      ...endpoint.transitions.keys(),
      ...(top === undefined ? [] : [top.version]),
      ...allRoutes(endpoint.routes).map((route) => route.version),
      ...endpoint.record.lastServed.map((target) => target.version),
    ]),
  ];
}

/** Versions of an endpoint that have a log, the likeliest first. */
export const loggedVersions = (endpoint: LiveEndpoint, runtimes: Runtimes): number[] =>
  candidates(endpoint).filter((version) => runtimes.others.python?.logs?.({ model: endpoint.record.model, version }) !== undefined);

/** The log of one version of an endpoint. Throws `not_found` (no_log): models that run in this process have none. */
export function endpointLogs(endpoint: LiveEndpoint, runtimes: Runtimes, { version, limit, after }: LogRequest): EndpointLogs {
  const { name, model } = endpoint.record;
  for (const candidate of version === undefined ? candidates(endpoint) : [version]) {
    const log = runtimes.others.python?.logs?.({ model, version: candidate });
    if (log !== undefined) return { version: candidate, ...log.read(limit, after) };
  }
  throw notFound(
    'no_log',
    `${version === undefined ? `No version of the endpoint '${name}'` : `Version ${version} of the endpoint '${name}'`} has a log: only the servers of Python models have one.`,
  );
}
