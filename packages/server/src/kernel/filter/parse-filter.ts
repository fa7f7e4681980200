import { type BinnacleError, invalid } from '../errors.ts';
import { parseList, type Token, tokenize, trimBackticks, unquote } from './lexer.ts';
import type { FilterCondition, FilterGrammar, FilterKind, FilterOperator } from './types.ts';

const fail = (message: string): BinnacleError => invalid('invalid_filter', message);

interface Comparison {
  left: Token;
  operator: string;
  /** Absent for IS [NOT] NULL. */
  right: Token | undefined;
}

/**
 * Parses an AND-ed filter of MLflow's search grammar into conditions. An empty filter is no condition.
 * Throws `invalid` (code `invalid_filter`) in MLflow's words: users and tools match on them.
 */
export function parseFilter(text: string | undefined | null, grammar: FilterGrammar): FilterCondition[] {
  if (text === undefined || text === null || text.trim() === '') return [];
  if (text.length > 100_000) throw fail(`Invalid filter: it has ${text.length} characters; the limit is 100000.`);
  return group(tokenize(text), text).map((comparison) => toCondition(comparison, grammar));
}

/** Finds the comparisons; whatever is left over besides AND is an error that names it. */
function group(tokens: Token[], text: string): Comparison[] {
  const comparisons: Comparison[] = [];
  const invalids: string[] = [];
  for (let at = 0; at < tokens.length; ) {
    const left = tokens[at] as Token;
    if (left.text === ';') {
      if (at === tokens.length - 1 && at > 0) break;
      if (at === 0) throw fail(`Invalid clause(s) in filter string: ';'`);
      throw fail(`Search filter contained multiple expression '${text}'. Provide AND-ed expression list.`);
    }
    if (left.kind === 'keyword' && left.text.toUpperCase() === 'AND') {
      at++;
      continue;
    }
    const found = comparisonAt(tokens, at);
    if (found === undefined) {
      invalids.push(`'${left.text}'`);
      at++;
    } else {
      comparisons.push(found.comparison);
      at += found.length;
    }
  }
  if (invalids.length > 0) throw fail(`Invalid clause(s) in filter string: ${invalids.join(', ')}`);
  return comparisons;
}

function comparisonAt(tokens: Token[], at: number): { comparison: Comparison; length: number } | undefined {
  const left = tokens[at] as Token;
  if (left.kind === 'keyword' || left.kind === 'operator') return undefined;
  const word = (offset: number) => {
    const token = tokens[at + offset];
    return token?.kind === 'keyword' ? token.text.toUpperCase() : undefined;
  };
  const value = (offset: number) => {
    const token = tokens[at + offset];
    return token === undefined || token.kind === 'keyword' || token.kind === 'operator' ? undefined : token;
  };
  const make = (operator: string, right: Token | undefined, length: number) => ({ comparison: { left, operator, right }, length });
  const next = tokens[at + 1];
  if (next?.kind === 'operator') {
    const right = value(2);
    return right === undefined ? undefined : make(next.text, right, 3);
  }
  const first = word(1);
  if (first === 'IS' && word(2) === 'NULL') return make('IS NULL', undefined, 3);
  if (first === 'IS' && word(2) === 'NOT' && word(3) === 'NULL') return make('IS NOT NULL', undefined, 4);
  const negated = first === 'NOT';
  const operator = negated ? word(2) : first;
  const right = value(negated ? 3 : 2);
  if (right === undefined) return undefined;
  const length = negated ? 4 : 3;
  if (operator === 'IN') return right.kind === 'list' ? make(negated ? 'NOT IN' : 'IN', right, length) : undefined;
  if (operator === 'LIKE' || operator === 'ILIKE' || operator === 'RLIKE') return make(negated ? `NOT ${operator}` : operator, right, length);
  return undefined;
}

function toCondition({ left, operator, right }: Comparison, grammar: FilterGrammar): FilterCondition {
  if (left.kind !== 'name') {
    const hint = left.kind === 'word' ? ' (a key with other characters than letters, digits and underscores must be quoted, such as metrics.`val/loss`)' : '';
    throw fail(`Invalid comparison clause. Expected 'Identifier' found '${left.text}'${hint}`);
  }
  const { kind, key } = parseKey(left.text, grammar, grammar.attributes);
  if (right === undefined) {
    if (!grammar.nullable.has(kind)) {
      const kinds = [...grammar.nullable].map((k) => `${k}s`).join(' and ');
      throw fail(
        kinds === ''
          ? `Invalid comparison clause. ${operator} is not supported here.`
          : `IS NULL / IS NOT NULL is only supported for ${kinds}, not for '${kind}' '${key}'`,
      );
    }
    return { kind, key, operator: operator as FilterOperator, value: null };
  }
  const numeric = kind === 'metric' || (kind === 'attribute' && grammar.numeric.has(key));
  const value = parseValue(kind, key, right, numeric, operator, grammar);
  const allowed = grammar.operators[numeric && kind === 'attribute' ? 'number' : kind] ?? [];
  if (!(allowed as readonly string[]).includes(operator))
    throw fail(`Invalid comparator '${operator}' not one of '{${allowed.map((o) => `'${o}'`).join(', ')}}'`);
  return { kind, key, operator: operator as FilterOperator, value };
}

/** Splits `entity.key` at the first dot and resolves both by the grammar. Also used for order_by. */
export function parseKey(text: string, grammar: FilterGrammar, attributes: Readonly<Record<string, string>>): { kind: FilterKind; key: string } {
  const dot = text.startsWith('`') ? text.indexOf('.', text.indexOf('`', 1)) : text.indexOf('.');
  let kind: FilterKind = 'attribute';
  let key = text;
  if (dot >= 0) {
    const entity = trimBackticks(text.slice(0, dot));
    const found = Object.hasOwn(grammar.entities, entity) ? grammar.entities[entity] : undefined;
    if (found === undefined) throw fail(grammar.entityError(entity));
    kind = found;
    key = text.slice(dot + 1);
  }
  key = trimBackticks(unquote(key) ?? key);
  if (kind === 'attribute') {
    const canonical = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
    if (canonical === undefined) throw fail(`Invalid attribute key '${key}' specified. Valid keys are '${pythonSet(Object.keys(attributes))}'`);
    return { kind, key: canonical };
  }
  if (kind === 'dataset' && !['name', 'digest', 'context'].includes(key))
    throw fail(`Invalid dataset key '${key}' specified. Valid keys are '${pythonSet(['name', 'digest', 'context'])}'`);
  return { kind, key };
}

const pythonSet = (items: string[]): string => `{${items.map((item) => `'${item}'`).join(', ')}}`;

function parseValue(kind: FilterKind, key: string, token: Token, numeric: boolean, operator: string, grammar: FilterGrammar): string | number | string[] {
  if (numeric) {
    if (token.kind === 'number') return Number(token.text);
    throw fail(
      kind === 'metric'
        ? `Expected numeric value type for metric. Found ${token.text}`
        : `Expected numeric value type for numeric attribute: ${key}. Found ${token.text}`,
    );
  }
  const isList = operator === 'IN' || operator === 'NOT IN';
  if (token.kind === 'list' && isList && (kind === 'attribute' || kind === 'dataset' || (grammar.operators[kind] ?? []).includes(operator))) {
    if (kind === 'attribute' && grammar.lists !== 'all' && !grammar.lists.has(key))
      throw fail(`Only [${[...grammar.lists].map((k) => `'${k}'`).join(', ')}] attributes support comparison with a list of quoted string values.`);
    return parseList(token.text);
  }
  if (token.kind === 'string' || (token.kind === 'name' && unquote(token.text) !== undefined)) return unquote(token.text) as string;
  if (grammar.bareValues === true && token.kind !== 'list') return token.text;
  if (token.kind === 'name')
    throw fail(`Parameter value is either not quoted or unidentified quote types used for string value ${token.text}. Use either single or double quotes.`);
  if (kind === 'attribute') throw fail(`Expected a quoted string value for attributes. Got value ${token.text}`);
  if (kind === 'dataset') throw fail(`Expected a quoted string value for dataset attributes. Got value ${token.text}`);
  throw fail(`Expected a quoted string value for ${kind === 'param' ? 'parameter' : kind} (e.g. 'my-value'). Got value ${token.text}`);
}
