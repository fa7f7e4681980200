import { type BinnacleError, invalid } from '../errors.ts';
import { type Token, tokenize } from './lexer.ts';
import { parseKey } from './parse-filter.ts';
import type { FilterGrammar, OrderBy } from './types.ts';

const MAX_CLAUSE = 10_000;

/**
 * Parses order_by clauses such as ``metrics.`val/loss` DESC``. Ascending unless said otherwise.
 * Throws `invalid` (code `invalid_order_by`) on a clause that does not parse and on a key named twice.
 */
export function parseOrderBy(clauses: readonly string[] | undefined | null, grammar: FilterGrammar): OrderBy[] {
  const seen = new Set<string>();
  return (clauses ?? []).map((clause) => {
    const parsed = parseClause(clause, grammar);
    const id = `${parsed.kind}.${parsed.key}`;
    if (seen.has(id)) throw invalid('invalid_order_by', `\`order_by\` contains duplicate fields: [${(clauses ?? []).map((c) => `'${c}'`).join(', ')}]`);
    seen.add(id);
    return parsed;
  });
}

const unparsed = (clause: string): BinnacleError => invalid('invalid_order_by', `Invalid order_by clause '${clause}'. Could not be parsed.`);

function tokensOf(clause: string): Token[] {
  try {
    return tokenize(clause);
  } catch {
    throw unparsed(clause);
  }
}

function parseClause(clause: string, grammar: FilterGrammar): OrderBy {
  if (clause.length > MAX_CLAUSE) throw invalid('invalid_order_by', `Invalid order_by clause: it has ${clause.length} characters; the limit is ${MAX_CLAUSE}.`);
  const [name, direction, extra] = tokensOf(clause);
  const isWord = direction === undefined || direction.kind === 'name' || direction.kind === 'keyword';
  if (name === undefined || name.kind !== 'name' || /^(asc|desc)$/i.test(name.text) || !isWord || extra !== undefined) throw unparsed(clause);
  const order = direction?.text.toLowerCase() ?? 'asc';
  if (order !== 'asc' && order !== 'desc') throw invalid('invalid_order_by', `Invalid ordering key in order_by clause '${clause}'.`);
  const key = parseKey(name.text, grammar, grammar.orderAttributes);
  if (key.kind === 'dataset') throw invalid('invalid_order_by', `Invalid order_by entity type 'dataset' in '${clause}'.`);
  return { ...key, ascending: order === 'asc' };
}
