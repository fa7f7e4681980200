import { type Expression, sql } from 'kysely';

/**
 * Text without its case. Both sides of a comparison go through this, so that no two ideas of a capital meet: SQLite's own lower() knows
 * ASCII only, JavaScript's knows every script. `unicode_lower` is each engine's to bring: SQLite has it as a function of ours
 * (sqlite/dialect.ts); PostgreSQL and MySQL can define it over their lower(), which knows Unicode.
 */
const folded = (text: Expression<unknown> | string) => sql<string>`unicode_lower(${text})`;

/** The text has the part in it; case does not count, and no sign is special. */
export const contains = (text: Expression<unknown>, part: string) => sql<boolean>`instr(${folded(text)}, ${folded(part)}) > 0`;

/** The same at the beginning. */
export const startsWith = (text: Expression<unknown>, part: string) => sql<boolean>`instr(${folded(text)}, ${folded(part)}) = 1`;

/** ILIKE of the search grammar: `%` is any text, `_` one character. */
export const ilike = (text: Expression<unknown>, pattern: string) => sql<boolean>`${folded(text)} like ${folded(pattern)}`;
