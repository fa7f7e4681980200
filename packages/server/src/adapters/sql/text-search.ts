import { type Expression, sql } from 'kysely';
import { portable } from './spelling.ts';

/** The text has the part in it; case does not count in any script, and no sign is special. */
export const contains = (text: Expression<unknown>, part: string) => sql<boolean>`${portable('folded_position', text, part)} > 0`;

/** The same at the beginning. */
export const startsWith = (text: Expression<unknown>, part: string) => sql<boolean>`${portable('folded_position', text, part)} = 1`;

/** ILIKE of the search grammar: `%` is any text, `_` one character. */
export const ilike = (text: Expression<unknown>, pattern: string) => portable<boolean>('folded_like', text, pattern);

/** LIKE of the search grammar: the same, and case counts. */
export const like = (text: Expression<unknown>, pattern: string) => portable<boolean>('exact_like', text, pattern);
