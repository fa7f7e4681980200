import type { IncomingMessage } from 'node:http';

export type ScoringFormat = 'csv' | 'json' | 'parquet';
const FORMATS: Record<string, ScoringFormat> = { 'text/csv': 'csv', 'application/json': 'json', 'application/vnd.apache.parquet': 'parquet' };

/** A body's format by its content type; `refused` is the text of a 415, in MLflow's words. */
export function formatOf(request: IncomingMessage): { format: ScoringFormat } | { refused: string } {
  const given = request.headers['content-type'] ?? '';
  const [mime = '', ...parameters] = given.split(';').map((part) => part.trim());
  for (const parameter of parameters) {
    const [key = '', value] = parameter.split('=').map((part) => part.trim());
    if (key.toLowerCase() !== 'charset') return { refused: `Unrecognized content type parameters: ${key}.` };
    if (value?.replaceAll('"', '').toLowerCase() !== 'utf-8') return { refused: 'The scoring server only supports UTF-8' };
  }
  const format = Object.hasOwn(FORMATS, mime.toLowerCase()) ? FORMATS[mime.toLowerCase()] : undefined;
  if (format !== undefined) return { format };
  const types = Object.keys(FORMATS)
    .map((type) => `'${type}'`)
    .join(', ');
  return { refused: `This predictor only supports the following content types: Types: [${types}]. Got '${given}'.` };
}

/**
 * Whether the answer is wanted as CSV, as clients of SageMaker say by `Accept: text/csv`. MLflow's server looks at no Accept, so anything else
 * gets JSON.
 */
export function wantsCsv(request: IncomingMessage): boolean {
  const first = request.headers.accept?.split(',')[0]?.split(';')[0];
  return first?.trim().toLowerCase() === 'text/csv';
}
