import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../../http/data-plane/index.ts';
import { type BinnacleError, invalid, isObject, shown, unsupported } from '../../kernel/index.ts';
import { sendError } from './errors.ts';
import { bodyOptions, type HttpOptions, report } from './http-infer.ts';
import { noRoute, only, sendEmpty, sendJson } from './http-reply.ts';
import { parametersOf } from './fields.ts';

type Json = Record<string, unknown>;
const bad = (text: string): BinnacleError => invalid('invalid_request', text);

/** A request of the control extensions, answered in the background; errors go out as the protocol has them. */
export function control(options: HttpOptions, request: IncomingMessage, response: ServerResponse, answer: (body: Json) => unknown): void {
  const run = async (): Promise<void> => {
    const reply = await answer(request.method === 'POST' ? await readJson(options, request) : {});
    if (reply === undefined) sendEmpty(response);
    else sendJson(response, reply as object);
  };
  run().catch((error: unknown) => {
    report(options.logger, error, request.url ?? '');
    sendError(response, error);
  });
}

/** An object, {} for an empty body. */
async function readJson(options: HttpOptions, request: IncomingMessage): Promise<Json> {
  const body = await readBody(request, bodyOptions(options));
  try {
    const text = body.bytes.toString('utf8');
    if (text.trim() === '') return {};
    const json: unknown = JSON.parse(text);
    if (!isObject(json)) throw bad('the request must be a JSON object');
    return json;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw bad(`failed to parse the request JSON buffer: ${cause.message}`);
  } finally {
    body.release();
  }
}

/** /v2/repository[/R]/index and /v2/repository[/R]/models/M/{load,unload}; `parts` begin behind `repository`. */
export function repositoryRoute(options: HttpOptions, request: IncomingMessage, response: ServerResponse, parts: string[], path: string): void {
  const { repository } = options.core;
  const rest = parts[0] === 'index' || (parts[0] === 'models' && parts.length === 3) ? parts : parts.slice(1);
  const named = rest === parts ? undefined : parts[0];
  const [what, model = '', action] = rest;
  if (what === 'index' && rest.length === 1) {
    if (only('POST', request, response)) control(options, request, response, (body) => repository.index({ repository: named, ready: body['ready'] === true }));
  } else if (what === 'models' && rest.length === 3 && action === 'load') {
    if (only('POST', request, response)) control(options, request, response, (body) => repository.load(model, loadOf(parametersOf(body, 'load'))));
  } else if (what === 'models' && rest.length === 3 && action === 'unload') {
    if (only('POST', request, response))
      control(options, request, response, (body) => repository.unload(model, { dependents: parametersOf(body, 'unload')['unload_dependents'] === true }));
  } else throw noRoute(path);
}

/** White space at the end is taken off first: two patterns in a row that both match it would take the square of its length. */
export const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/\s]*={0,2}$/.test(text.trimEnd());

/** `config` is JSON text, `file:<path>` base64. */
function loadOf(parameters: Json): { config?: string; files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  let config: string | undefined;
  for (const [name, value] of Object.entries(parameters)) {
    if (typeof value !== 'string') throw bad(`attempt to access JSON non-string as string (the parameter '${name}' is ${shown(value)})`);
    if (name === 'config') config = value;
    else if (name.startsWith('file:')) {
      if (!isBase64(value)) throw bad(`the parameter '${name}' is not base64`);
      files.set(name.slice('file:'.length), Buffer.from(value, 'base64'));
    } else throw bad(`the parameter '${name}' is not known; a load takes 'config' and 'file:<version>/<file name>'`);
  }
  return { ...(config === undefined ? {} : { config }), files };
}

/** /v2/{system,cuda}sharedmemory[/region/X]/{status,register,unregister}; `parts` begin with the first. */
export function memoryRoute(options: HttpOptions, request: IncomingMessage, response: ServerResponse, parts: string[], path: string): void {
  const { memory } = options.core;
  const cuda = parts[0] === 'cudasharedmemory';
  const named = parts[1] === 'region' && parts.length === 4;
  const name = named ? parts[2] : undefined;
  const action = parts[named ? 3 : 1];
  if (!named && parts.length !== 2) throw noRoute(path);
  if (action === 'status') {
    if (only('GET', request, response)) control(options, request, response, () => (cuda ? [] : memory.status(name)));
  } else if (action === 'unregister') {
    if (only('POST', request, response)) control(options, request, response, () => (cuda ? undefined : memory.unregister(name)));
  } else if (action === 'register' && name !== undefined) {
    if (only('POST', request, response))
      control(options, request, response, (body) => {
        if (cuda) throw noCuda();
        return memory.register({
          name,
          key: keyOf(body['key']),
          offset: sizeOf(body, 'offset') ?? 0,
          byte_size: needed(sizeOf(body, 'byte_size'), 'byte_size'),
        });
      });
  } else throw noRoute(path);
}

export const noCuda = (): BinnacleError =>
  unsupported('cuda_memory_unsupported', 'CUDA shared memory is not supported by this server; use system shared memory or binary tensors');

function needed<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw bad(`Shared memory register request has no '${field}' field`);
  return value;
}

function keyOf(value: unknown): string {
  if (typeof needed(value, 'key') !== 'string') throw bad("attempt to access JSON non-string as string ('key')");
  return value as string;
}

function sizeOf(body: Json, field: string): number | undefined {
  const value = body[field];
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)) return value as number | undefined;
  throw bad(`attempt to access JSON non-unsigned-integer as unsigned-integer ('${field}')`);
}

/** /v2[/models/M]/trace/setting, /v2/logging. */
export function traceRoute(options: HttpOptions, request: IncomingMessage, response: ServerResponse, model: string | undefined): void {
  if (!only('GET, POST', request, response)) return;
  control(options, request, response, (settings) => {
    const traces = there(options.core.traces, 'tracing');
    if (model !== undefined) options.core.traceable(model);
    return request.method === 'POST' ? traces.update(model, settings) : traces.settings(model);
  });
}

export function loggingRoute(options: HttpOptions, request: IncomingMessage, response: ServerResponse): void {
  if (!only('GET, POST', request, response)) return;
  control(options, request, response, (settings) => {
    const logs = there(options.core.logs, 'changing the log');
    return request.method === 'POST' ? logs.update(settings) : logs.get();
  });
}

function there<T>(part: T | undefined, what: string): T {
  if (part === undefined) throw unsupported('not_available', `${what} is not available in this server`);
  return part;
}
