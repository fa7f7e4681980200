/** JSON to read, and as a table. Pure; tested in json.test.ts. */

/** Indents JSON without reading its values, so that every digit stays. The text must be valid. */
export function prettyJson(text: string): string {
  const pieces: string[] = [];
  let depth = 0;
  const line = () => `\n${'  '.repeat(Math.min(depth, 60))}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs)) {
    const before = pieces[pieces.length - 1];
    if (token === '}' || token === ']') {
      depth -= 1;
      if (before !== '{' && before !== '[') pieces.push(line());
      pieces.push(token);
    } else {
      if (before === '{' || before === '[') pieces.push(line());
      pieces.push(token === ':' ? ': ' : token);
      if (token === '{' || token === '[') depth += 1;
      if (token === ',') pieces.push(line());
    }
  }
  return pieces.join('');
}

/** As JSON.parse, but a whole number that JavaScript cannot hold comes as its text. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  const exact = (_: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '') ? context?.source : value;
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
}

export interface JsonTable {
  columns: string[];
  rows: unknown[][];
}

/** A list of objects, or what `mlflow.log_table` writes ({columns, data}); undefined for anything else. */
export function tableOf(value: unknown): JsonTable | undefined {
  if (isRecord(value)) {
    const { columns, data } = value;
    if (!Array.isArray(columns) || !Array.isArray(data) || !data.every(Array.isArray) || columns.length === 0) return undefined;
    return { columns: columns.map(cellText), rows: data as unknown[][] };
  }
  if (!Array.isArray(value) || value.length === 0 || !value.every(isRecord)) return undefined;
  const columns = [...new Set(value.flatMap((row) => Object.keys(row)))];
  return columns.length === 0
    ? undefined
    : { columns, rows: value.map((row) => columns.map((column) => (Object.hasOwn(row, column) ? row[column] : undefined))) };
}

/** The lines of JSON Lines; undefined when one is none. The last may be cut off. */
export function jsonLines(text: string, whole: boolean): unknown[] | undefined {
  const lines = text.split('\n');
  if (!whole) lines.pop();
  try {
    return lines.filter((line) => line.trim() !== '').map(parseJson);
  } catch {
    return undefined;
  }
}

/** A figure of Plotly: traces and a layout. */
export const isPlotly = (value: unknown): boolean =>
  isRecord(value) && Array.isArray(value['data']) && isRecord(value['layout']) && value['data'].every(isRecord);

/** The path of a picture in a table of MLflow's. */
export const pictureIn = (value: unknown): string | undefined =>
  isRecord(value) && value['type'] === 'image' && typeof value['filepath'] === 'string' ? value['filepath'] : undefined;

const LONGEST = 1000;
export function cellText(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : value === null ? 'null' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
