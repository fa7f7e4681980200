import { type RawBuilder, sql } from 'kysely';
import { internal } from '../../../kernel/index.ts';
import type { FilterCondition } from '../../../kernel/filter/index.ts';
import { portable } from '../spelling.ts';
import { ilike, like } from '../text-search.ts';
import { splitText } from './text-value.ts';

/** Compares a whole text expression. IS [NOT] NULL is not handled here. */
export function matchText(expression: RawBuilder<unknown>, { operator, value }: FilterCondition): RawBuilder<boolean> {
  switch (operator) {
    case '=':
      return sql<boolean>`${expression} = ${value as string}`;
    case '!=':
      return sql<boolean>`${expression} <> ${value as string}`;
    case 'LIKE':
      return like(expression, value as string);
    case 'ILIKE':
      return ilike(expression, value as string);
    case 'IN':
      return sql<boolean>`${expression} in (${sql.join(value as string[])})`;
    case 'NOT IN':
      return sql<boolean>`${expression} not in (${sql.join(value as string[])})`;
    default:
      throw internal('unexpected_operator', `The operator ${operator} does not compare texts.`);
  }
}

/** Compares a text kept as head and rest (see RunTextTable); equality goes by the index on head. */
export function matchSplitText(alias: string, condition: FilterCondition): RawBuilder<boolean> {
  const head = sql.ref(`${alias}.head`);
  const rest = sql.ref(`${alias}.rest`);
  const { operator, value } = condition;
  if (operator === '=' || operator === '!=') {
    const parts = splitText(value as string);
    const same = parts.rest === null ? sql<boolean>`${rest} is null` : sql<boolean>`coalesce(${rest}, '') = ${parts.rest}`;
    return operator === '=' ? sql<boolean>`(${head} = ${parts.head} and ${same})` : sql<boolean>`not (${head} = ${parts.head} and ${same})`;
  }
  return matchText(portable('joined', head, sql`coalesce(${rest}, '')`), condition);
}

const COMPARISONS: Record<string, RawBuilder<unknown>> = { '=': sql`=`, '!=': sql`<>`, '<': sql`<`, '<=': sql`<=`, '>': sql`>`, '>=': sql`>=` };
export function matchNumber(expression: RawBuilder<unknown>, operator: string, value: number): RawBuilder<boolean> {
  const comparison = COMPARISONS[operator];
  if (comparison === undefined) throw internal('unexpected_operator', `The operator ${operator} does not compare numbers.`);
  return sql<boolean>`${expression} ${comparison} ${portable('a_number', value)}`;
}
