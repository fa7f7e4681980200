/** What a protocol on the hot path is handed, and how it reads a body: the face by which protocols enter http. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export { type Body, type BodyOptions, readBody, watchBody } from './body.ts';
export { headerOf, signalOf } from './call.ts';
export { sendJsonText } from './send-json.ts';

/**
 * A protocol on the hot path, served by bare node:http before the control plane sees the request. `path` is the URL's path, undecoded,
 * without the query. Returns false when the request is not its own; once it returns true it owes the reply.
 * Host, Origin and token have been checked.
 */
export type DataPlane = (request: IncomingMessage, response: ServerResponse, path: string) => boolean;
