import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DataPlane } from '../../http/data-plane/index.ts';
import { invalid } from '../../kernel/index.ts';
import { sendError } from './errors.ts';
import { loggingRoute, memoryRoute, repositoryRoute, traceRoute } from './http-control.ts';
import { generate } from './http-generate.ts';
import { type HttpOptions, infer, report } from './http-infer.ts';
import { noRoute, only, sendJson, sendReady } from './http-reply.ts';

export type OpenInferenceOptions = HttpOptions;

/** Open Inference v2 over REST (https://github.com/kserve/open-inference-protocol), with Triton's extensions, statuses and texts. */
export function openInference(options: OpenInferenceOptions): DataPlane {
  return (request, response, path) => {
    if (path !== '/v2' && !path.startsWith('/v2/')) return false;
    try {
      route(options, request, response, path);
    } catch (error) {
      report(options.logger, error, path);
      sendError(response, error);
    }
    return true;
  };
}

/** A path's part, decoded. */
function decode(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw invalid('invalid_path', `the path holds a broken escape in '${part}'`, { cause });
  }
}

function route(options: HttpOptions, request: IncomingMessage, response: ServerResponse, path: string): void {
  const parts = path.split('/').slice(2);
  // One slash at the end does no harm.
  if (parts.at(-1) === '') parts.pop();
  const [first, second] = parts;
  if (first === 'models' && second !== undefined && second !== '' && !(second === 'stats' && parts.length === 2))
    return modelRoute(options, request, response, parts, path);
  const { core } = options;
  if (first === undefined) {
    if (only('GET', request, response)) sendJson(response, core.serverMetadata());
  } else if (first === 'health' && parts.length === 2 && second === 'live') {
    if (only('GET', request, response)) sendJson(response, { live: true });
  } else if (first === 'health' && parts.length === 2 && second === 'ready') {
    if (only('GET', request, response)) sendReady(response, core.ready(), { ready: true }, '');
  } else if (first === 'models' && second === 'stats') {
    if (only('GET', request, response)) sendJson(response, { model_stats: core.statistics() });
  } else if (first === 'repository') repositoryRoute(options, request, response, parts.slice(1).map(decode), path);
  else if (first === 'systemsharedmemory' || first === 'cudasharedmemory') memoryRoute(options, request, response, parts.map(decode), path);
  else if (first === 'trace' && second === 'setting' && parts.length === 2) traceRoute(options, request, response, undefined);
  else if (first === 'logging' && parts.length === 1) loggingRoute(options, request, response);
  else throw noRoute(path);
}

/** /v2/models/M[/versions/N][/…] */
function modelRoute(options: HttpOptions, request: IncomingMessage, response: ServerResponse, parts: string[], path: string): void {
  const { core } = options;
  const name = decode(parts[1] as string);
  const pinned = parts[2] === 'versions' && parts.length >= 4;
  // As Triton's routes have it: what is no number names nothing.
  if (pinned && !/^\d{1,9}$/.test(parts[3] as string)) throw noRoute(path);
  const version = pinned ? Number(parts[3]) : undefined;
  const rest = parts.slice(pinned ? 4 : 2);
  const [action] = rest;
  if (rest.length === 0) {
    if (only('GET', request, response)) sendJson(response, core.modelMetadata(name, version));
  } else if (action === 'infer' && rest.length === 1) {
    if (only('POST', request, response)) void infer(options, request, response, { name, version });
  } else if ((action === 'generate' || action === 'generate_stream') && rest.length === 1) {
    if (only('POST', request, response)) void generate(options, request, response, { name, version }, action === 'generate_stream');
  } else if (action === 'ready' && rest.length === 1) {
    if (only('GET', request, response)) sendReady(response, core.modelReady(name, version), { name, ready: true }, 'Model version not ready');
  } else if (action === 'config' && rest.length === 1) {
    if (only('GET', request, response)) sendJson(response, core.modelConfig(name, version));
  } else if (action === 'stats' && rest.length === 1) {
    if (only('GET', request, response)) sendJson(response, { model_stats: core.statistics(name, version) });
  } else if (action === 'trace' && rest[1] === 'setting' && rest.length === 2 && !pinned) traceRoute(options, request, response, name);
  else throw noRoute(path);
}
