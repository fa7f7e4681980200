import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type ConnectFlags, connect } from '../connect.ts';
import { UsageError } from '../usage.ts';
import { formatTable, print, printJson } from '../output.ts';

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

export async function predict(endpoint: string, options: ConnectFlags & { input: string; json?: true | undefined }): Promise<void> {
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
    const { predictions } = answer;
    if (Array.isArray(predictions) && predictions.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row))) {
      const rows = predictions as Record<string, unknown>[];
      const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
      print(
        formatTable(
          rows,
          keys.map((key) => ({ title: key, value: (row) => show(row[key]) })),
        ),
      );
    } else if (typeof predictions === 'object' && predictions !== null && !Array.isArray(predictions)) {
      const columns = Object.entries(predictions as Record<string, unknown[]>);
      const rows = Array.from({ length: Math.max(0, ...columns.map(([, values]) => values.length)) }, (_, i) => i);
      print(
        formatTable(
          rows,
          columns.map(([title, values]) => ({ title, value: (i) => show(values[i]) })),
        ),
      );
    } else {
      for (const row of Array.isArray(predictions) ? predictions : [predictions]) print(show(row));
    }
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
