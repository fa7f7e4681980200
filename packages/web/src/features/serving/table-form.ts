import type { ColumnSpec, EndpointDetail } from '@binnacle/contract';

export interface TableForm {
  columns: ColumnSpec[];
  /** As typed; '' is a missing value. */
  rows: string[][];
}

const isNamed = (spec: object): spec is ColumnSpec => 'name' in spec && 'type' in spec && typeof (spec as { type: unknown }).type === 'string';

/** The rows of the endpoint's sample under the columns of its signature; undefined when it takes no table. */
export function tableOf(endpoint: Pick<EndpointDetail, 'signature' | 'sample'>): TableForm | undefined {
  const split = (endpoint.sample?.invocations as { dataframe_split?: { columns?: unknown; data?: unknown } } | undefined)?.dataframe_split;
  if (split === undefined || !Array.isArray(split.columns) || !Array.isArray(split.data)) return undefined;
  const names = split.columns as string[];
  const typed = (endpoint.signature?.inputs ?? []).filter(isNamed);
  const columns = names.map((name) => typed.find((spec) => spec.name === name) ?? ({ name, type: 'double', required: true } as ColumnSpec));
  const rows = (split.data as unknown[][]).map((row) => row.map((value) => (value === null || value === undefined ? '' : String(value))));
  return columns.length > 200 ? undefined : { columns, rows };
}

const isText = (type: string): boolean => type === 'string' || type === 'datetime' || type === 'binary';

/** The body of an invocation, or which cell is not what its column takes. */
export function invocationOf({ columns, rows }: TableForm): { body: string } | { row: number; column: string; problem: string } {
  const data: unknown[][] = [];
  for (const [i, row] of rows.entries()) {
    const values: unknown[] = [];
    for (const [k, { name, type }] of columns.entries()) {
      const text = (row[k] ?? '').trim();
      if (text === '') values.push(null);
      else if (isText(type)) values.push(row[k] ?? '');
      else if (type === 'boolean') {
        if (text !== 'true' && text !== 'false') return { row: i, column: name, problem: 'true or false' };
        values.push(text === 'true');
      } else {
        const value = Number(text);
        if (!Number.isFinite(value)) return { row: i, column: name, problem: 'a number' };
        // JSON's numbers are doubles here: beyond 2^53 another integer would be sent than was typed.
        if (type === 'long' && !Number.isSafeInteger(value))
          return { row: i, column: name, problem: 'an integer up to 9007199254740991; larger ones go as JSON' };
        values.push(value);
      }
    }
    data.push(values);
  }
  return { body: JSON.stringify({ dataframe_split: { columns: columns.map(({ name }) => name), data } }) };
}
