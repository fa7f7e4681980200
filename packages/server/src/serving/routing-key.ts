import type { EndpointConfig } from '@binnacle/contract';
import type { InferRequest } from './types.ts';

/**
 * Where a request stands on the line from 0 to 1 that the weights divide: the same for the same value of the header (or cookie) that the endpoint is
 * split by, so that a user stays with a version, and stays with it when a canary's share grows. Undefined where the traffic is not split by one, or
 * the request has none: it is drawn.
 */
export function placeOf(request: Pick<InferRequest, 'endpoint' | 'header'>, routing: EndpointConfig['routing']): number | undefined {
  if (routing === undefined || routing.by !== 'header' || request.header === undefined) return undefined;
  const value =
    (routing.header === undefined ? undefined : request.header(routing.header.toLowerCase())) ??
    (routing.cookie === undefined ? undefined : request.header(`cookie:${routing.cookie}`));
  // With the endpoint's name, so that who is among the first of one experiment is not among the first of all.
  return value === undefined || value === '' ? undefined : hash(`${request.endpoint}\0${value}`) / 4294967296;
}

/** FNV-1a, then the finalizer of MurmurHash3, since FNV's high bits change little with the last characters. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
