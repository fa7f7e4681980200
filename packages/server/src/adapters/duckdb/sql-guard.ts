import type { DuckDBConnection } from '@duckdb/node-api';
import { invalid } from '../../kernel/index.ts';
import { quoteLiteral } from './instance.ts';

/** The one table that a user's expressions may name. */
export const INPUT_TABLE = 'input';

/** Written like columns, read like clocks. */
const CLOCKS = new Set(['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp', 'get_current_timestamp']);

/** They walk JSON by recursion, and a text nested deeply enough ends the process. json_extract and ->> do not. */
const DEEP =
  /^(json_structure|json_group_structure|json_merge_patch|json_contains|json_pretty|json_transform|json_transform_strict|from_json|from_json_strict|json_(de)?serialize_.*|variant_.*)$/;

type Node = { [key: string]: unknown };

/**
 * Lets through a select list and a condition that are computed from one row alone: no other table, subquery, aggregate or window, and
 * no function whose value changes from call to call. A chunk is read twice, and again on resume, and must come out the same.
 */
export async function guardSql(connection: DuckDBConnection, select: string | undefined, where: string | undefined): Promise<void> {
  if (select !== undefined) await guard(connection, 'select', `SELECT ${select}\nFROM ${INPUT_TABLE}`, 'select_list');
  if (where !== undefined) await guard(connection, 'where', `SELECT 1 FROM ${INPUT_TABLE} WHERE (${where}\n)`, 'where_clause');
}

async function guard(connection: DuckDBConnection, option: string, sql: string, part: 'select_list' | 'where_clause'): Promise<void> {
  const refuse = (why: string): never => {
    throw invalid(
      'sql_not_allowed',
      `'${option}' ${why}. It must be ${part === 'select_list' ? 'a list of expressions' : 'one condition'} on the columns of a row.`,
      { details: { option } },
    );
  };
  if (sql.includes('\0')) refuse('holds a NUL character');
  const tree = await parse(connection, sql);
  if (tree.error) throw invalid('sql_invalid', `'${option}' is not SQL that can be used here: ${tree.error_message}`, { details: { option } });
  const node = tree.statements?.length === 1 ? tree.statements[0]?.node : refuse('holds more than one statement');
  if (node?.['type'] !== 'SELECT_NODE' || (node['from_table'] as Node)['type'] !== 'BASE_TABLE') return refuse('changes the query around it');
  const empty = (key: string): boolean => node[key] === null || node[key] === undefined || (Array.isArray(node[key]) && (node[key] as unknown[]).length === 0);
  if (
    !['modifiers', 'group_expressions', 'group_sets', 'having', 'qualify', 'sample'].every(empty) ||
    (part === 'select_list' && !empty('where_clause')) ||
    node['aggregate_handling'] !== 'STANDARD_HANDLING'
  )
    refuse('changes the query around it (FROM, WHERE, GROUP BY, ORDER BY, LIMIT, DISTINCT and the like have no place in it)');
  const functions = new Set<string>();
  visit(node[part], (child) => {
    if (child['class'] === 'SUBQUERY') refuse('holds a subquery');
    if (child['class'] === 'WINDOW') refuse('holds a window function, which looks at other rows');
    if (child['class'] === 'PARAMETER') refuse('holds a parameter');
    if (child['class'] === 'COLUMN_REF' && CLOCKS.has(String((child['column_names'] as string[]).at(-1)).toLowerCase()))
      refuse('asks for the current time, which changes');
    if (child['class'] === 'CAST' && JSON.stringify(child['cast_type']).includes('VARIANT')) refuse('holds a cast to VARIANT');
    if (child['class'] === 'FUNCTION') functions.add(String(child['function_name']).toLowerCase());
  });
  // What a macro stands for is looked at as if it had been written out.
  for (let found = [...functions]; found.length > 0; ) {
    const known = await connection.run(
      `SELECT function_name, function_type, stability, macro_definition FROM duckdb_functions() WHERE lower(function_name) IN (${found.map(quoteLiteral).join(', ')})`,
    );
    found = [];
    for (const [name, type, stability, definition] of await known.getRowsJson()) {
      if (type === 'aggregate') refuse(`holds the aggregate ${String(name)}(), which looks at other rows`);
      if (type === 'scalar' && stability !== 'CONSISTENT' && stability !== null) refuse(`holds ${String(name)}(), whose value changes from call to call`);
      if (type !== 'macro' || typeof definition !== 'string') continue;
      visit(await parse(connection, `SELECT ${definition}`), (child) => {
        const inner = child['class'] === 'FUNCTION' ? String(child['function_name']).toLowerCase() : undefined;
        if (inner === undefined || functions.has(inner)) return;
        functions.add(inner);
        found.push(inner);
      });
    }
  }
  const deep = [...functions].find((name) => DEEP.test(name));
  if (deep !== undefined) refuse(`holds ${deep}(); take JSON apart by json_extract() or ->>`);
  const reading = ['getvariable', 'getenv', 'current_setting', 'unnest', 'query', 'query_table'].find((name) => functions.has(name));
  if (reading !== undefined) refuse(`holds ${reading}()`);
}

interface Tree {
  error: boolean;
  error_message?: string;
  statements?: { node: Node }[];
}

async function parse(connection: DuckDBConnection, sql: string): Promise<Tree> {
  const result = await connection.run(`SELECT json_serialize_sql(${quoteLiteral(sql)}) AS tree`);
  return JSON.parse(String(result.getChunk(0).getColumnVector(0).getItem(0))) as Tree;
}

function visit(value: unknown, found: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, found);
  } else if (typeof value === 'object' && value !== null) {
    found(value as Node);
    for (const item of Object.values(value)) visit(item, found);
  }
}
