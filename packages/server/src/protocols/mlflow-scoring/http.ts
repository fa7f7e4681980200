import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Body, type DataPlane, readBody } from '../../http/data-plane/index.ts';
import { BinnacleError, invalid, type Logger, newRequestId } from '../../kernel/index.ts';
import { parseEventTime, parseRequestId, type ServingService, type Tensor, type VersionInfo } from '../../serving/index.ts';
import { namedAnswer, recordsAnswer } from './answer.ts';
import { parseCsv } from './csv.ts';
import { sendError, sendText } from './errors.ts';
import { asRows, asTable, parseScoringJson, type ScoringInput } from './input.ts';
import { arrayTensor, namedTensors } from './tensors.ts';

export interface ScoringOptions {
  serving: ServingService;
  logger: Logger;
  maxBodyBytes: number;
  /** Served at /invocations and /ping too. */
  defaultEndpoint?: string | undefined;
  stallMs?: number;
}

const PATH = /^\/endpoints\/([^/]+)\/(invocations|ping)$/;

/** MLflow's scoring protocol: POST /endpoints/{name}/invocations and, for a default endpoint, /invocations and /ping as `mlflow models serve` and SageMaker have them. */
export function mlflowScoring(options: ScoringOptions): DataPlane {
  return (request, response, path) => {
    let name: string | undefined;
    let action: string | undefined;
    if (path === '/invocations' || path === '/ping') {
      name = options.defaultEndpoint;
      action = path.slice(1);
      if (name === undefined) return false;
    } else {
      const match = PATH.exec(path);
      if (match === null) return false;
      [, name, action] = match;
      try {
        name = decodeURIComponent(name ?? '');
      } catch {
        sendError(response, invalid('invalid_path', 'the path holds a broken escape'));
        return true;
      }
    }
    if (action === 'ping') ping(options.serving, name ?? '', request, response);
    else if (request.method === 'POST') void invoke(options, name ?? '', request, response);
    else notAllowed(response, request.method, 'POST');
    return true;
  };
}

function notAllowed(response: ServerResponse, method: string | undefined, allow: string): void {
  const body = JSON.stringify({ error_code: 'BAD_REQUEST', message: `${method} is not allowed here; use ${allow}.` });
  response.writeHead(405, { allow, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
}

function ping(serving: ServingService, name: string, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed(response, request.method, 'GET');
  let status = 200;
  try {
    serving.served(name);
  } catch {
    status = 404;
  }
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': 1 }).end('\n');
}

/** 'csv' or 'json'; undefined after a 415 has been sent, in MLflow's words. */
function formatOf(request: IncomingMessage, response: ServerResponse): 'csv' | 'json' | undefined {
  const given = request.headers['content-type'] ?? '';
  const [mime, ...parameters] = given.split(';').map((part) => part.trim());
  for (const parameter of parameters) {
    const [key, value] = parameter.split('=').map((part) => part.trim());
    if (key?.toLowerCase() !== 'charset') return sendText(response, 415, `Unrecognized content type parameters: ${key}.`);
    if (value?.replaceAll('"', '').toLowerCase() !== 'utf-8') return sendText(response, 415, 'The scoring server only supports UTF-8');
  }
  if (mime?.toLowerCase() === 'application/json') return 'json';
  if (mime?.toLowerCase() === 'text/csv') return 'csv';
  return sendText(response, 415, `This predictor only supports the following content types: Types: ['text/csv', 'application/json']. Got '${given}'.`);
}

async function invoke(options: ScoringOptions, name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const receivedAt = Date.now();
  const startedAt = performance.now();
  let body: Body | undefined;
  let requestId: string | undefined;
  let asked = false;
  try {
    const format = formatOf(request, response);
    if (format === undefined) return;
    requestId = parseRequestId(request.headers['x-request-id']) ?? newRequestId(receivedAt);
    const eventTime = parseEventTime(request.headers['x-binnacle-event-time'] as string | undefined);
    body = await readBody(request, { maxBytes: options.maxBodyBytes, ...(options.stallMs === undefined ? {} : { stallMs: options.stallMs }) });
    if (!isUtf8(body.bytes)) throw invalid('invalid_input', 'Invalid input. Ensure that the input is a valid UTF-8 encoded string.');
    const text = body.bytes.toString('utf8');
    const input: ScoringInput = format === 'csv' ? { kind: 'table', table: parseCsv(text), text: true } : parseScoringJson(text);
    let asRecords = false;
    asked = true;
    const reply = await options.serving.infer({
      endpoint: name,
      requestId,
      eventTime,
      receivedAt,
      startedAt,
      inputs: (version) => {
        const fed = feed(version, input);
        asRecords = fed.asRecords;
        return fed.tensors;
      },
    });
    const rows = reply.outputs[0]?.shape[0] ?? 0;
    const aligned = asRecords && reply.outputs.every((output) => output.shape[0] === rows);
    const answer = aligned ? recordsAnswer(reply.outputs, rows) : namedAnswer(reply.outputs);
    response.writeHead(200, ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(answer)), 'x-request-id', requestId]).end(answer);
    await reply.finish();
  } catch (error) {
    if (!(error instanceof BinnacleError) || error.kind === 'internal') options.logger.error({ err: error, endpoint: name }, 'an invocation failed');
    if (!asked) options.serving.refused({ endpoint: name, receivedAt, startedAt }, error);
    sendError(response, error, requestId);
  } finally {
    body?.release();
  }
}

/** MLflow's column types are lower case, tensor datatypes upper case. */
const hasColumns = (version: VersionInfo): boolean => version.pkg.signature?.inputs.some(({ type }) => /^[a-z]/.test(type)) ?? false;

/** The graph's inputs; records answer a DataFrame, which a signature of columns makes of the other forms too. */
function feed(version: VersionInfo, input: ScoringInput): { tensors: Tensor[]; asRecords: boolean } {
  if (input.kind === 'table') {
    if (input.table.rows === 0) throw invalid('empty_table', 'Invalid input. The table has no rows.');
    const tensorSignature = version.pkg.signature !== null && version.pkg.signature.inputs.length > 0 && !hasColumns(version);
    return { tensors: version.toTensors(input.table, { text: input.text }), asRecords: !tensorSignature };
  }
  if (hasColumns(version)) {
    const table = input.kind === 'named' ? asTable(input.values) : asRows(input.value);
    if (table !== undefined) return { tensors: version.toTensors(input.kind === 'named' ? table : byPosition(version, table)), asRecords: true };
  }
  return { tensors: input.kind === 'named' ? namedTensors(version, input.values) : arrayTensor(version, input.value), asRecords: false };
}

/** Rows without names take the signature's, in order. */
function byPosition(version: VersionInfo, table: ReturnType<typeof parseCsv>): ReturnType<typeof parseCsv> {
  const names = version.columns;
  if (names === null || names.length !== table.columns.length) return table;
  return { rows: table.rows, columns: table.columns.map((column, i) => ({ name: names[i]?.name ?? column.name, values: column.values })) };
}
