import { createHash } from 'node:crypto';
import { type RawBuilder, sql, type Kysely } from 'kysely';
import type { Contents, MovableColumn, MovableDatabase, MovableRow, MovableTable, MovableValue, MoveMark, StorageLimits } from '../../../upkeep/index.ts';
import { capabilitiesOf } from '../capabilities.ts';
import type { SqlConnection } from '../connection.ts';
import { readMove, writeMove } from '../migrations/move.ts';
import { tableNames } from '../migrations/portable.ts';
import type { Presence } from '../pooled/presence.ts';
import type { Database } from '../schema/index.ts';
import { portable } from '../spelling.ts';
import { movableTables } from './tables.ts';

/** Rows of one INSERT: SQLite binds at most 32,766 values. */
const ROWS_A_STATEMENT = 100;
/** What is not moved: each database has its own. */
const HOUSEKEEPING = /^(kysely_|binnacle_)/;

/** A database of ours as `binnacle migrate` handles it. */
export class SqlMovableDatabase implements MovableDatabase {
  readonly #connection: SqlConnection;
  readonly #presence: Presence;
  #tables: Promise<MovableTable[]> | undefined;

  constructor(connection: SqlConnection, presence: Presence) {
    this.#connection = connection;
    this.#presence = presence;
  }

  get place(): string {
    return this.#connection.place;
  }

  get limits(): StorageLimits {
    const { maxInteger, nonFinite, nulInText, keepsLengths } = capabilitiesOf(this.#db);
    return { lengths: keepsLengths, maxInteger, maxBigint: 2n ** 63n - 1n, nonFinite, nulInText };
  }

  get #db(): Kysely<Database> {
    return this.#connection.db;
  }

  tables(): Promise<MovableTable[]> {
    this.#tables ??= movableTables();
    return this.#tables;
  }

  /** When its schema was made. Nothing of what is in it: an import or gc may change that between a move that broke off and its end. */
  async identity(): Promise<string> {
    return this.#said(async () => {
      const { rows } = await sql<{ timestamp: string }>`select timestamp from kysely_migration order by name limit 1`.execute(this.#db);
      return createHash('sha256')
        .update(JSON.stringify([rows[0]?.timestamp]))
        .digest('hex');
    });
  }

  contents(): Promise<Contents> {
    return this.#said(async () => {
      const mark = await readMove(this.#db);
      if (mark !== null) return { kind: 'move', mark };
      const there = (await tableNames(this.#db)).filter((name) => !HOUSEKEEPING.test(name));
      const ours = await this.tables();
      const foreign = there.filter((name) => !ours.some((table) => table.name === name));
      if (foreign.length > 0)
        return { kind: 'other', what: `It has tables that are not Binnacle's: ${foreign.slice(0, 5).join(', ')}${foreign.length > 5 ? ' …' : ''}.` };
      for (const table of ours) {
        if (!there.includes(table.name)) continue;
        const rows = await this.#count(table);
        // A schema comes with the Default experiment.
        if (rows > (table.name === 'experiments' ? 1 : 0)) return { kind: 'other', what: `It is a Binnacle's, with ${rows} rows in ${table.name}.` };
      }
      return { kind: 'empty' };
    });
  }

  begin(mark: MoveMark): Promise<void> {
    return this.#said(async () => {
      await writeMove(this.#db, mark);
      await this.#connection.migrate({ unfinished: true });
    });
  }

  undisturbed(): Promise<void> {
    return this.#presence.stillAlone();
  }

  finish(mark: MoveMark): Promise<void> {
    return this.#said(() => writeMove(this.#db, mark));
  }

  count(table: MovableTable): Promise<number> {
    return this.#said(() => this.#count(table));
  }

  rows(table: MovableTable, after: MovableRow | null, limit: { rows: number; bytes: number }): Promise<MovableRow[]> {
    const behind = after === null ? sql`` : sql`where ${this.#behind(table, after)}`;
    return this.#said(async () => {
      const rest = (rows: number) => sql`${behind} order by ${this.#key(table)} limit ${sql.lit(rows)}`;
      return this.#select(table, rest(await this.#fitting(table, rest(limit.rows), limit)));
    });
  }

  /** How many of the next rows are no more than so many bytes together; their lengths are asked for, not the bytes. */
  async #fitting(table: MovableTable, rest: RawBuilder<unknown>, limit: { rows: number; bytes: number }): Promise<number> {
    const long = table.columns.filter(({ kind, maxLength }) => kind === 'bytes' || (kind === 'text' && maxLength === null));
    if (long.length === 0) return limit.rows;
    const lengths = long.map(({ name }) => sql`coalesce(octet_length(${sql.ref(name)}), 0)`);
    const { rows } = await sql<{ bytes: number }>`select ${sql.join(lengths, sql` + `)} as bytes from ${sql.table(table.name)} ${rest}`.execute(this.#db);
    let sum = 0;
    const fitting = rows.findIndex(({ bytes }) => (sum += Number(bytes)) > limit.bytes);
    return fitting === -1 ? limit.rows : Math.max(1, fitting);
  }

  async lastRow(table: MovableTable): Promise<MovableRow | null> {
    const order = sql.join(table.key.map((at) => sql`${sql.ref(nameAt(table, at))} desc`));
    return (await this.#said(() => this.#select(table, sql`order by ${order} limit 1`)))[0] ?? null;
  }

  insert(table: MovableTable, rows: MovableRow[]): Promise<void> {
    const columns = sql.join(table.columns.map(({ name }) => sql.ref(name)));
    return this.#said(() =>
      this.#db.transaction().execute(async (transaction) => {
        for (let at = 0; at < rows.length; at += ROWS_A_STATEMENT) {
          const values = rows
            .slice(at, at + ROWS_A_STATEMENT)
            .map((row) => sql`(${sql.join(table.columns.map((column, i) => bound(column, row[i] ?? null)))})`);
          await sql`insert into ${sql.table(table.name)} (${columns}) values ${sql.join(values)}`.execute(transaction);
        }
      }),
    );
  }

  clear(table: MovableTable): Promise<void> {
    return this.#said(async () => void (await sql`delete from ${sql.table(table.name)}`.execute(this.#db)));
  }

  lastNumber(table: MovableTable): Promise<string> {
    return this.#said(() => capabilitiesOf(this.#db).lastNumber(this.#db as never, table.name, table.numbered ?? ''));
  }

  setLastNumber(table: MovableTable, value: string): Promise<void> {
    return this.#said(() => capabilitiesOf(this.#db).setLastNumber(this.#db as never, table.name, table.numbered ?? '', value));
  }

  async close(): Promise<void> {
    await this.#presence.close();
    await this.#connection.close();
  }

  async #count(table: MovableTable): Promise<number> {
    const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(table.name)}`.execute(this.#db);
    return Number(rows[0]?.n);
  }

  async #select(table: MovableTable, rest: RawBuilder<unknown>): Promise<MovableRow[]> {
    // Integers as digits: beyond 2⁵³ a number would be another.
    const selected = table.columns.map(({ name, kind }, i) => {
      const value = kind === 'integer' || kind === 'bigint' ? portable('as_text', sql.ref(name)) : sql.ref(name);
      return sql`${value} as ${sql.ref(`c${i}`)}`;
    });
    const { rows } = await sql<Record<string, MovableValue>>`select ${sql.join(selected)} from ${sql.table(table.name)} ${rest}`.execute(this.#db);
    return rows.map((row) => table.columns.map((_, i) => row[`c${i}`] ?? null));
  }

  #key(table: MovableTable): RawBuilder<unknown> {
    return sql.join(table.key.map((at) => sql.ref(nameAt(table, at))));
  }

  /** Keys behind that of a row; by an index whichever way it is said. */
  #behind(table: MovableTable, row: MovableRow): RawBuilder<boolean> {
    const value = (at: number) => bound(table.columns[at] as MovableColumn, row[at] ?? null);
    if (capabilitiesOf(this.#db).seeksByRow && table.key.length > 1) return sql<boolean>`(${this.#key(table)}) > (${sql.join(table.key.map(value))})`;
    const chain = (from: number): RawBuilder<boolean> => {
      const at = table.key[from] as number;
      const name = sql.ref(nameAt(table, at));
      if (from === table.key.length - 1) return sql<boolean>`${name} > ${value(at)}`;
      return sql<boolean>`(${name} > ${value(at)} or (${name} = ${value(at)} and ${chain(from + 1)}))`;
    };
    return chain(0);
  }

  async #said<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#connection.translate(error);
    }
  }
}

const nameAt = (table: MovableTable, at: number): string => (table.columns[at] as MovableColumn).name;

/** A value as every driver takes it. */
function bound({ kind }: MovableColumn, value: MovableValue): unknown {
  if (value === null) return null;
  if (typeof value === 'object') return Buffer.from(value.buffer, value.byteOffset, value.length);
  if (kind !== 'integer' && kind !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : BigInt(value);
}
