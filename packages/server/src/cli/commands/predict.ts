import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { imageInput, imageRequest, type ImageScale, imageTensor, topScores } from '@binnacle/sdk';
import { type ConnectFlags, connect } from '../connect.ts';
import { UsageError } from '../usage.ts';
import { formatTable, print, printJson } from '../output.ts';
import { isImage, readImage, resize } from '../read-image.ts';

const JSON_FORMS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'];

/** The body and content type of an invocation, made of what a file holds. */
export function toInvocation(name: string, content: string): { body: string; contentType: string } {
  if (/\.csv$/i.test(name)) return { body: content, contentType: 'text/csv' };
  if (/\.(jsonl|ndjson)$/i.test(name)) {
    const rows = content
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line, i) => parse(`${name}, line ${i + 1}`, line));
    return { body: JSON.stringify({ dataframe_records: rows }), contentType: 'application/json' };
  }
  const value = parse(name, content);
  if (Array.isArray(value)) return { body: JSON.stringify({ dataframe_records: value }), contentType: 'application/json' };
  if (typeof value === 'object' && value !== null && JSON_FORMS.some((form) => form in value)) return { body: content, contentType: 'application/json' };
  if (typeof value === 'object' && value !== null) return { body: JSON.stringify({ dataframe_records: [value] }), contentType: 'application/json' };
  throw new UsageError(`${name} holds neither rows nor an invocations body.`);
}

function parse(where: string, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new UsageError(`${where} is not JSON: ${(error as Error).message}`);
  }
}

/** What the values of the pixels become, by the flag. */
const SCALES: Record<string, ImageScale> = { '0-1': '0–1', '0-255': '0–255', imagenet: 'ImageNet' };
/** Where a model takes any size. */
const MAX_FREE = 1024;

interface PredictOptions extends ConnectFlags {
  input: string;
  imageScale?: string | undefined;
  json?: true | undefined;
}

/** One image to a model whose only input looks like one; the best classes, or the whole answer. */
async function predictImage(endpoint: string, options: PredictOptions): Promise<void> {
  const scale = SCALES[options.imageScale ?? '0-1'];
  if (scale === undefined) throw new UsageError(`--image-scale takes ${Object.keys(SCALES).join(', ')}, not ${options.imageScale}`);
  const bytes = await readFile(options.input).catch((error: NodeJS.ErrnoException) =>
    Promise.reject(new UsageError(`${options.input} cannot be read (${error.code ?? error.message}).`)),
  );
  const picture = await readImage(options.input, bytes);
  const { client, close } = await connect(options);
  try {
    const { tensors, labels } = await client.call('getEndpoint', { params: { endpoint } });
    const input = imageInput(tensors?.inputs ?? []);
    if (input === undefined)
      throw new UsageError(`Endpoint ${endpoint} takes no image: its only input must be floats or bytes of four dimensions, with one or three channels.`);
    const shrink = Math.min(1, MAX_FREE / Math.max(picture.width, picture.height));
    const width = input.width ?? Math.max(1, Math.round(picture.width * shrink));
    const height = input.height ?? Math.max(1, Math.round(picture.height * shrink));
    const { body, headerBytes } = imageRequest(imageTensor(resize(picture, width, height), width, height, input, scale), width, height, input);
    const reply = await client.request(`/v2/models/${encodeURIComponent(endpoint)}/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(headerBytes) },
      body,
    });
    const answer: unknown = await reply.json();
    const scores = topScores(answer, 5, labels);
    if (options.json || scores === undefined) return printJson(answer);
    print(
      formatTable(scores, [
        { title: 'CLASS', align: 'right', value: ({ index, label }) => label ?? String(index) },
        { title: 'SCORE', align: 'right', value: ({ value }) => show(value) },
      ]),
    );
  } finally {
    await close();
  }
}

/** Predictions for a reader: a table of what has names, else a line for each. */
export function predictionLines(predictions: unknown): string[] {
  if (Array.isArray(predictions) && predictions.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row))) {
    const rows = predictions as Record<string, unknown>[];
    const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return [
      formatTable(
        rows,
        keys.map((key) => ({ title: key, value: (row) => show(row[key]) })),
      ),
    ];
  }
  if (typeof predictions === 'object' && predictions !== null && !Array.isArray(predictions)) {
    // An output of shape [] is answered as a bare value.
    const columns = Object.entries(predictions).map(([title, values]): [string, unknown[]] => [title, Array.isArray(values) ? values : [values]]);
    const rows = Array.from({ length: Math.max(0, ...columns.map(([, values]) => values.length)) }, (_, i) => i);
    return [
      formatTable(
        rows,
        // Outputs of different lengths: what one lacks stays empty.
        columns.map(([title, values]) => ({ title, value: (i) => (i < values.length ? show(values[i]) : '') })),
      ),
    ];
  }
  return (Array.isArray(predictions) ? predictions : [predictions]).map(show);
}

export async function predict(endpoint: string, options: PredictOptions): Promise<void> {
  if (isImage(options.input)) return predictImage(endpoint, options);
  const content =
    options.input === '-'
      ? await text(process.stdin)
      : await readFile(options.input, 'utf8').catch((error: NodeJS.ErrnoException) =>
          Promise.reject(new UsageError(`${options.input} cannot be read (${error.code ?? error.message}).`)),
        );
  const { body, contentType } = toInvocation(options.input, content);
  const { client, close } = await connect(options);
  try {
    const reply = await client.request(`/endpoints/${encodeURIComponent(endpoint)}/invocations`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
    const answer = (await reply.json()) as { predictions: unknown };
    if (options.json) return printJson({ requestId: reply.headers.get('x-request-id'), ...answer });
    for (const line of predictionLines(answer.predictions)) print(line);
  } finally {
    await close();
  }
}

const show = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number'
      ? String(Number(value.toPrecision(7)))
      : JSON.stringify(value, (_key, v: unknown) => (typeof v === 'number' ? Number(v.toPrecision(7)) : v));
