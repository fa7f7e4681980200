import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Body, headerOf, readBody, sendJsonText, signalOf } from '../../http/data-plane/index.ts';
import { BinnacleError, invalid, type Logger, newRequestId } from '../../kernel/index.ts';
import { parseEventTime, parseRequestId, type ServingService, type Tensor } from '../../serving/index.ts';
import type { Table } from '../../tables/index.ts';
import { csvAnswer, namedAnswer, recordsAnswer } from './answer.ts';
import { formatOf, type ScoringFormat, wantsCsv } from './content.ts';
import { parseCsv } from './csv.ts';
import { sendError, sendText } from './errors.ts';
import { checkParams, feed, parametersOf } from './feed.ts';
import { parseScoringJson, type ScoringInput } from './input.ts';
import { readLarge } from './large.ts';

export interface InvocationOptions {
  serving: ServingService;
  logger: Logger;
  /** Largest body, packed and unpacked. */
  maxBodyBytes: number;
  /** Milliseconds that a body may stall. */
  stallMs?: number;
  /** A Parquet file's rows. Throws `invalid` (parquet_invalid) for what is none. */
  readParquet(bytes: Uint8Array): Promise<Table>;
}

interface Scoring {
  input: ScoringInput;
  params: unknown;
}

async function parse(options: InvocationOptions, format: ScoringFormat, bytes: Buffer): Promise<Scoring> {
  if (format === 'parquet') return { input: { kind: 'table', table: await options.readParquet(bytes), text: false }, params: undefined };
  if (!isUtf8(bytes)) throw invalid('invalid_input', 'Invalid input. Ensure that the input is a valid UTF-8 encoded string.');
  const text = bytes.toString('utf8');
  return format === 'csv' ? { input: { kind: 'table', table: parseCsv(text), text: true }, params: undefined } : parseScoringJson(text);
}

/** POST …/invocations. */
export async function invoke(options: InvocationOptions, name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const receivedAt = Date.now();
  const startedAt = performance.now();
  let body: Body | undefined;
  let requestId: string | undefined;
  let asked = false;
  try {
    const type = formatOf(request);
    if ('refused' in type) return sendText(response, 415, type.refused);
    requestId = parseRequestId(request.headers['x-request-id']) ?? newRequestId(receivedAt);
    const eventTime = parseEventTime(request.headers['x-binnacle-event-time'] as string | undefined);
    body = await readBody(request, { maxBytes: options.maxBodyBytes, ...(options.stallMs === undefined ? {} : { stallMs: options.stallMs }) });
    const { bytes } = body;
    const large = type.format === 'json' && isUtf8(bytes) ? readLarge(bytes) : undefined;
    const parsed = large === undefined ? await parse(options, type.format, bytes) : undefined;
    const params = parsed === undefined ? large?.params : parsed.params;
    const parameters = parametersOf(params);
    const signal = signalOf(response);
    let asRecords = false;
    asked = true;
    const reply = await options.serving.infer({
      endpoint: name,
      requestId,
      eventTime,
      receivedAt,
      startedAt,
      header: headerOf(request),
      call: parameters === undefined ? { signal } : { signal, parameters },
      inputs: (version) => {
        checkParams(version, params);
        const floats = large?.feed(version);
        if (floats !== undefined) return floats;
        const fed = feed(version, (parsed ?? parseScoringJson(bytes.toString('utf8'))).input);
        asRecords = fed.asRecords;
        return fed.tensors;
      },
    });
    await send(request, response, reply.outputs, asRecords, requestId);
    await reply.finish();
    // The text is all that is left to be sent.
    reply.release?.();
  } catch (error) {
    if (!(error instanceof BinnacleError) || error.kind === 'internal') options.logger.error({ err: error, endpoint: name }, 'an invocation failed');
    if (!asked) options.serving.refused({ endpoint: name, receivedAt, startedAt }, error);
    sendError(response, error, requestId);
  } finally {
    body?.release();
  }
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  outputs: readonly Tensor[],
  asRecords: boolean,
  requestId: string,
): Promise<void> | undefined {
  const rows = outputs[0]?.shape[0] ?? 0;
  const aligned = outputs.every((output) => output.shape[0] === rows);
  if (aligned && wantsCsv(request)) {
    const text = csvAnswer(outputs, rows);
    response.writeHead(200, { 'content-type': 'text/csv; charset=utf-8', 'content-length': Buffer.byteLength(text), 'x-request-id': requestId }).end(text);
    return undefined;
  }
  return sendJsonText(request, response, asRecords && aligned ? recordsAnswer(outputs, rows) : namedAnswer(outputs), requestId);
}
