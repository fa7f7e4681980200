import type { FeatureArray, FeatureColumn } from '../../batch/batch-input.port.ts';
import { invalid } from '../../kernel/index.ts';
import type { TableColumn } from '../../tables/index.ts';
import { quoteIdentifier, quoteLiteral } from './instance.ts';
import { isNumeric, isTime } from './scan.ts';

export const SQL_TYPES: Record<FeatureArray, string> = {
  BOOL: 'UTINYINT',
  FP32: 'FLOAT',
  FP64: 'DOUBLE',
  INT8: 'TINYINT',
  INT16: 'SMALLINT',
  INT32: 'INTEGER',
  INT64: 'BIGINT',
  UINT8: 'UTINYINT',
  UINT16: 'USMALLINT',
  UINT32: 'UINTEGER',
  UINT64: 'UBIGINT',
  BYTES: 'VARCHAR',
};
/** What people write in text where a number is missing. */
const EMPTY = "('', 'na', 'n/a', 'nan', 'null', 'none')";
const isInteger = (type: string): boolean => /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type);
const isFloat = (array: FeatureArray): boolean => array === 'FP32' || array === 'FP64';

export interface FeatureSql {
  /** The value, in the array's SQL type (DOUBLE for a DOUBLE that becomes FP32: the copy into the array converts). */
  value: string;
  /** Conditions under which the row cannot be used, each with its message as SQL. */
  checks: { when: string; message: string }[];
}

/** How a feature is read from a column. Throws `invalid` (column_type) for a type that cannot become one. */
export function featureSql(feature: FeatureColumn, columns: readonly TableColumn[]): FeatureSql {
  const column = columns.find(({ name }) => name === feature.name) ?? columns.find(({ name }) => name.toLowerCase() === feature.name.toLowerCase());
  if (column === undefined) throw invalid('missing_column', `The input lacks the column '${feature.name}'.`, { details: { column: feature.name } });
  const name = quoteIdentifier(column.name);
  const target = SQL_TYPES[feature.array];
  const label = `column ${quoteIdentifier(feature.name)}`;
  const missing = { when: `${name} IS NULL`, message: quoteLiteral(`${label} is missing`) };
  const required = feature.nullable ? [] : [missing];
  const text = column.type === 'JSON' ? `(${name} ->> '$')` : `CAST(${name} AS VARCHAR)`;
  const holds = (what: string): string =>
    `${quoteLiteral(`${label} holds `)} || left(CAST(${name} AS VARCHAR), 80) || ${quoteLiteral(`, which is no ${what}`)}`;

  if (feature.array === 'BYTES') {
    if (/[([]/.test(column.type) && !column.type.startsWith('DECIMAL') && !column.type.startsWith('ENUM')) throw wrongType(feature, column, 'text');
    return { value: text, checks: required };
  }
  if (feature.array === 'BOOL') {
    const value = `CAST(TRY_CAST(${isNumeric(column.type) || column.type === 'BOOLEAN' ? name : text} AS BOOLEAN) AS UTINYINT)`;
    return { value, checks: [...required, { when: `${name} IS NOT NULL AND ${value} IS NULL`, message: holds('truth value') }] };
  }
  const word = feature.whole ? `whole number (${target})` : 'number';
  if (column.type === 'BOOLEAN' || column.type === target) return { value: column.type === target ? name : `CAST(${name} AS ${target})`, checks: required };
  if (isNumeric(column.type)) {
    if (isFloat(feature.array)) {
      const whole = feature.whole && !isInteger(column.type) ? [{ when: `${name} <> trunc(${name})`, message: holds('whole number') }] : [];
      return { value: isInteger(column.type) ? `CAST(${name} AS ${target})` : `CAST(${name} AS DOUBLE)`, checks: [...required, ...whole] };
    }
    const value = `TRY_CAST(${name} AS ${target})`;
    const fraction = isInteger(column.type) ? '' : ` OR ${name} <> trunc(${name})`;
    return { value, checks: [...required, { when: `${name} IS NOT NULL AND (${value} IS NULL${fraction})`, message: holds(word) }] };
  }
  if (isTime(column.type) || /[([]/.test(column.type) || column.type === 'BLOB' || column.type.startsWith('TIME') || column.type.startsWith('INTERVAL'))
    throw wrongType(feature, column, isFloat(feature.array) && !feature.whole ? 'number' : 'whole number');
  const given = `CASE WHEN lower(trim(${text})) IN ${EMPTY} THEN NULL ELSE ${text} END`;
  const value = isFloat(feature.array) ? `TRY_CAST(${given} AS DOUBLE)` : `TRY_CAST(${given} AS ${target})`;
  // A text like '2.5' would be rounded to an integer.
  const fraction = feature.whole ? ` OR TRY_CAST(${given} AS DOUBLE) <> trunc(TRY_CAST(${given} AS DOUBLE))` : '';
  const checks = [{ when: `${given} IS NOT NULL AND (${value} IS NULL${fraction})`, message: holds(word) }];
  return { value, checks: feature.nullable ? checks : [{ when: `${given} IS NULL`, message: missing.message }, ...checks] };
}

function wrongType(feature: FeatureColumn, column: TableColumn, wanted: string): Error {
  return invalid(
    'column_type',
    `The column '${feature.name}' is a ${column.type}, but the model needs a ${wanted}. Make one with a SQL select list, such as "* REPLACE (epoch(${quoteIdentifier(column.name)}) AS ${quoteIdentifier(column.name)})".`,
    {
      details: { column: feature.name, type: column.type },
    },
  );
}
