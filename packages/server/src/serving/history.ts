import { notFound } from '../kernel/index.ts';
import type { EndpointChange, EndpointRecord } from './serving.port.ts';

/** What an endpoint goes back to: the revision asked for, or the newest (`changes` are newest first) whose traffic was another. Throws `not_found`. */
export function changeBefore(record: EndpointRecord, changes: readonly EndpointChange[], revision: number | undefined): EndpointChange {
  const { name, traffic, revision: current } = record;
  const found = changes.find((change) =>
    revision === undefined ? change.revision < current && JSON.stringify(change.traffic) !== JSON.stringify(traffic) : change.revision === revision,
  );
  if (found !== undefined) return found;
  throw notFound(
    'endpoint_change_not_found',
    revision === undefined
      ? `Endpoint '${name}' has never served anything else that is still remembered.`
      : `Endpoint '${name}' has no revision ${revision} that is still remembered.`,
  );
}
