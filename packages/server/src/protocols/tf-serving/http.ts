import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Body, type DataPlane, headerOf, readBody, sendJsonText, signalOf } from '../../http/data-plane/index.ts';
import { BinnacleError, invalid, type Logger } from '../../kernel/index.ts';
import { parseEventTime, parseRequestId, type ServingService } from '../../serving/index.ts';
import { metadataReply, statusReply } from './control-json.ts';
import { type Answer, type CallMeta, createCore, type TfServingCore } from './core.ts';
import { type ModelSpec, sendError } from './errors.ts';
import { examplesOf } from './examples.ts';
import { bad, type Json, parseRequest, signatureNameOf } from './json.ts';
import { type LargeRequest, readLarge } from './large.ts';
import { predictInputOf, tensorsOf } from './predict-json.ts';
import { predictReply } from './reply-json.ts';
import { classifyReply, regressReply } from './results.ts';

export interface TfServingOptions {
  serving: ServingService;
  logger: Logger;
  /** Largest body, packed and unpacked. */
  maxBodyBytes: number;
  /** Milliseconds that a body may stall. */
  stallMs?: number;
}

const MODELS = /^\/v1\/models(?:$|[/:])/i;
const PREDICTION = /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+)|\/labels\/([^/:]+))?:(classify|regress|predict)$/i;
const STATUS = /^\/v1\/models(?:\/([^/:]+))?(?:\/versions\/(\d+)|\/labels\/([^/:]+))?(?:\/(metadata))?$/i;

/** TensorFlow Serving's REST API (https://www.tensorflow.org/tfx/serving/api_rest) with its paths, statuses and texts. */
export function tfServing(options: TfServingOptions): DataPlane {
  const core = createCore(options.serving);
  return (request, response, path) => {
    if (!MODELS.test(path)) return false;
    try {
      route(core, options, request, response, path);
    } catch (error) {
      fail(options, response, error, path);
    }
    return true;
  };
}

function route(core: TfServingCore, options: TfServingOptions, request: IncomingMessage, response: ServerResponse, path: string): void {
  const post = request.method === 'POST' ? PREDICTION.exec(path) : null;
  if (post !== null) {
    const [, name = '', version, label, method = ''] = post;
    const spec = specOf(name, version, label);
    void infer(core, options, request, response, spec, method.toLowerCase());
    return;
  }
  const get = request.method === 'GET' || request.method === 'HEAD' ? STATUS.exec(path) : null;
  if (get === null) throw bad(`Malformed request: ${request.method} ${path}`);
  const [, name = '', version, label, sub] = get;
  if (name === '') throw bad('Missing model name in request.');
  const spec = specOf(name, version, label);
  if (sub === undefined) return sendControl(response, statusReply(core.status(spec)));
  const metadata = core.signatures(spec);
  sendControl(response, metadataReply(spec.name, metadata.version, metadata.signatures));
}

function sendControl(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

function fail({ logger }: TfServingOptions, response: ServerResponse, error: unknown, path: string, requestId?: string): void {
  if (!(error instanceof BinnacleError) || error.kind === 'internal') logger.error({ err: error, path }, 'a request to the TensorFlow Serving API failed');
  sendError(response, error, requestId);
}

function specOf(name: string, version: string | undefined, label: string | undefined): ModelSpec {
  const number = version === undefined ? undefined : Number(version);
  if (number !== undefined && !Number.isSafeInteger(number)) throw bad(`Failed to convert version: ${version} to numeric.`);
  return { name: decode('model name', name), version: number, label: label === undefined ? undefined : decode('model version label', label) };
}

function decode(what: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw invalid('invalid_path', `Failed to decode ${what}:${part}`, { cause });
  }
}

async function infer(
  core: TfServingCore,
  options: TfServingOptions,
  request: IncomingMessage,
  response: ServerResponse,
  spec: ModelSpec,
  method: string,
): Promise<void> {
  const times = { receivedAt: Date.now(), startedAt: performance.now() };
  let body: Body | undefined;
  let requestId: string | undefined;
  // Whether the room has counted what went wrong.
  let counted = false;
  try {
    requestId = parseRequestId(request.headers['x-request-id']);
    const eventTime = parseEventTime(request.headers['x-binnacle-event-time'] as string | undefined);
    body = await readBody(request, { maxBytes: options.maxBodyBytes, ...(options.stallMs === undefined ? {} : { stallMs: options.stallMs }) });
    if (!isUtf8(body.bytes)) throw bad('JSON Parse error: Invalid encoding in string. (the body is not UTF-8)');
    const { bytes } = body;
    const whole = (): Json => parseRequest(bytes.toString('utf8'));
    const large = method === 'predict' ? readLarge(bytes) : undefined;
    const json = large?.json ?? whole();
    const call = METHODS[method] as (typeof METHODS)[string];
    const made = call(core, { ...spec, signature: signatureNameOf(json) }, json, large === undefined ? undefined : { ...large, whole });
    counted = true;
    const { text, answer } = await made({ ...times, requestId, eventTime, header: headerOf(request), signal: signalOf(response) });
    counted = false;
    await sendJsonText(request, response, text(), answer.requestId);
    await answer.finish();
    // The text is all that is left to be sent.
    answer.release?.();
  } catch (error) {
    if (!counted) core.refused(spec.name, times, error);
    fail(options, response, error, request.url ?? '', requestId);
  } finally {
    body?.release();
  }
}

type Call = (meta: CallMeta) => Promise<{ text: () => string; answer: Answer<unknown> }>;

/** Examples are read at once, before a version is chosen. */
const METHODS: Record<string, (core: TfServingCore, spec: ModelSpec, json: Json, large?: LargeRequest & { whole(): Json }) => Call> = {
  // The model first, then what it is to be fed, as TensorFlow Serving looks at them.
  predict: (core, spec, json, large) => async (meta) => {
    const answer = await core.predict(spec, (version) => large?.feed(version) ?? tensorsOf(version, predictInputOf(large?.whole() ?? json)), meta);
    return { text: () => predictReply(json['instances'] === undefined ? 'columnar' : 'row', answer.value), answer };
  },
  classify: (core, spec, json) => {
    const examples = examplesOf(json);
    return async (meta) => {
      const answer = await core.classify(spec, examples, meta);
      return { text: () => classifyReply(answer.value), answer };
    };
  },
  regress: (core, spec, json) => {
    const examples = examplesOf(json);
    return async (meta) => {
      const answer = await core.regress(spec, examples, meta);
      return { text: () => regressReply(answer.value), answer };
    };
  },
};
