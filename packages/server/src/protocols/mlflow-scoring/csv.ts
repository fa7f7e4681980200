import { type BinnacleError, invalid } from '../../kernel/index.ts';
import type { Table } from '../../tables/index.ts';

const bad = (text: string): BinnacleError =>
  invalid(
    'invalid_csv',
    `Failed to parse input as a Pandas DataFrame. Ensure that the input is a valid CSV-formatted Pandas DataFrame produced using the \`pandas.DataFrame.to_csv()\` method. Error: '${text}'`,
  );

/** CSV (RFC 4180) with a header row as columns of text; a value's type is decided where its column's type is known. */
export function parseCsv(text: string): Table {
  const [header, ...rows] = records(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  if (header === undefined) throw bad('No columns to parse from file');
  const names = header.fields;
  const twice = firstTwice(names);
  if (twice !== undefined) throw bad(`the column '${twice}' is named twice`);
  // Before room is made: a long header over many short lines would claim their product.
  const odd = rows.find(({ fields }) => fields.length !== names.length);
  if (odd !== undefined) throw bad(`Expected ${names.length} fields in line ${odd.line}, saw ${odd.fields.length}`);
  const columns = names.map((name) => ({ name, values: Array.from({ length: rows.length }, () => '') }));
  rows.forEach(({ fields }, row) => {
    columns.forEach((column, i) => {
      column.values[row] = fields[i] as string;
    });
  });
  return { rows: rows.length, columns };
}

/** The first name that came before. */
export function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

function records(text: string): { fields: string[]; line: number }[] {
  const out: { fields: string[]; line: number }[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const first = line;
    const fields: string[] = [];
    for (;;) {
      let field: string;
      if (text[at] === '"') {
        let close = text.indexOf('"', at + 1);
        while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
        if (close < 0) throw bad(`EOF inside string starting at line ${first}`);
        field = text.slice(at + 1, close).replaceAll('""', '"');
        at = close + 1;
        line += field.split('\n').length - 1;
        if (at < text.length && text[at] !== ',' && text[at] !== '\n' && text[at] !== '\r') throw bad(`text after a closing quote in line ${line}`);
      } else {
        let end = at;
        while (end < text.length && text[end] !== ',' && text[end] !== '\n' && text[end] !== '\r') end++;
        field = text.slice(at, end);
        at = end;
      }
      fields.push(field);
      if (text[at] !== ',') break;
      at++;
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    line++;
    // pandas skips blank lines.
    if (fields.length > 1 || fields[0] !== '') out.push({ fields, line: first });
  }
  return out;
}
