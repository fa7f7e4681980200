import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Body, headerOf, readBody, signalOf } from '../../http/data-plane/index.ts';
import { BinnacleError, invalid, type Logger } from '../../kernel/index.ts';
import { parseEventTime, parseRequestId } from '../../serving/index.ts';
import type { OpenInferenceCore } from './core.ts';
import { sendError } from './errors.ts';
import { HEADER, sendReply } from './http-reply.ts';
import { parseInferenceRequest } from './request.ts';
import type { InferenceReply, InferenceRequest } from './types.ts';

export interface HttpOptions {
  core: OpenInferenceCore;
  logger: Logger;
  /** Largest body, packed and unpacked. */
  maxBodyBytes: number;
  /** Milliseconds that a body may stall. */
  stallMs?: number;
}

export const bodyOptions = ({ maxBodyBytes, stallMs }: HttpOptions): { maxBytes: number; stallMs?: number } => ({
  maxBytes: maxBodyBytes,
  ...(stallMs === undefined ? {} : { stallMs }),
});

/** What is no error of the caller's goes to the log. */
export function report(logger: Logger, error: unknown, path: string): void {
  if (!(error instanceof BinnacleError) || error.kind === 'internal') logger.error({ err: error, path }, 'an inference request failed');
}

function headerBytesOf(request: IncomingMessage): number | undefined {
  const value = request.headers[HEADER];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^\d{1,10}$/.test(value))
    throw invalid('invalid_header', `Unable to parse Inference-Header-Content-Length: ${JSON.stringify(value)} is not a number of bytes`);
  return Number(value);
}

/** POST …/infer, and what is like it: `parse` reads the message, `send` writes the reply. */
export async function runInference(
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
  target: { name: string; version: number | undefined },
  parse: (body: Buffer, headerBytes: number | undefined) => InferenceRequest,
  send: (reply: InferenceReply) => Promise<void> | undefined,
): Promise<void> {
  const { core, logger } = options;
  const receivedAt = Date.now();
  const startedAt = performance.now();
  let body: Body | undefined;
  let requestId: string | undefined;
  // Whether the core knows of this request's end.
  let counted = false;
  try {
    requestId = parseRequestId(request.headers['x-request-id']);
    const headerBytes = headerBytesOf(request);
    const eventTime = parseEventTime(request.headers['x-binnacle-event-time'] as string | undefined);
    body = await readBody(request, { ...bodyOptions(options), headerBytes });
    const parsed = parse(body.bytes, headerBytes);
    requestId = parsed.id ?? requestId;
    counted = true;
    const reply = await core.infer(target.name, target.version, parsed, {
      requestId,
      eventTime,
      receivedAt,
      startedAt,
      header: headerOf(request),
      signal: signalOf(response),
    });
    // An output that has no form in the reply makes an error of it after all.
    counted = false;
    await send(reply);
    counted = true;
    const after = reply.finish();
    if (after !== undefined) await after;
    if (reply.release === undefined) return;
    if (response.writableFinished) reply.release();
    else response.once('finish', reply.release);
  } catch (error) {
    report(logger, error, request.url ?? '');
    if (!counted) core.refused(target.name, { receivedAt, startedAt }, error);
    sendError(response, error, requestId);
  } finally {
    body?.release();
  }
}

export const infer = (
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
  target: { name: string; version: number | undefined },
): Promise<void> =>
  runInference(
    options,
    request,
    response,
    target,
    (body, headerBytes) => parseInferenceRequest(body, headerBytes, target.name, options.core.memory),
    (reply) => sendReply(request, response, reply),
  );
