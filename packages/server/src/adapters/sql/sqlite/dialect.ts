import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type FunctionNode,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import type { SqlCapabilities } from '../capabilities.ts';
import { type Spelling, spell } from '../spelling.ts';

type Bind = null | number | bigint | string | Uint8Array;

/** One `node:sqlite` connection, its prepared statements kept (least recently used first out). */
class NodeSqliteConnection implements DatabaseConnection {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, { statement: StatementSync; toRow: ToRow | undefined }>();
  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // Synchronous underneath; errors must reject rather than throw.
    try {
      const { statement, toRow } = this.#prepare(query.sql);
      const parameters = query.parameters.map(toBind);
      if (toRow !== undefined) return Promise.resolve({ rows: (statement.all(...parameters) as unknown as unknown[][]).map(toRow) as R[] });
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return Promise.resolve({ rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    const { statement, toRow } = this.#prepare(query.sql);
    for (const values of statement.iterate(...query.parameters.map(toBind))) yield { rows: [toRow?.(values as unknown as unknown[]) as R] };
  }

  #prepare(sql: string) {
    let entry = this.#statements.get(sql);
    if (entry !== undefined) {
      this.#statements.delete(sql);
    } else {
      const statement = this.#db.prepare(sql);
      entry = { statement, toRow: rowMaker(statement.columns().map(({ name }) => name)) };
      statement.setReturnArrays(true);
      if (this.#statements.size >= 300) {
        const oldest = this.#statements.keys().next().value;
        if (oldest !== undefined) this.#statements.delete(oldest);
      }
    }
    this.#statements.set(sql, entry);
    return entry;
  }
}

type ToRow = (values: unknown[]) => Record<string, unknown>;

/**
 * What makes a row of a statement from its values; undefined when it gives none. Rows made here from arrays take half the time of
 * node:sqlite's own objects, and those of one literal half again of those that get one property after the other.
 */
function rowMaker(columns: readonly string[]): ToRow | undefined {
  if (columns.length === 0) return undefined;
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- names of columns, each as a JSON text
  return new Function('values', `return { ${columns.map((name, i) => `${JSON.stringify(name)}: values[${i}]`).join(', ')} };`) as ToRow;
}

function toBind(value: unknown): Bind {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value as Bind;
}

class NodeSqliteDriver implements Driver {
  readonly #connection: NodeSqliteConnection;
  readonly #db: DatabaseSync;
  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#connection = new NodeSqliteConnection(db);
  }
  async init(): Promise<void> {}
  // One connection for all: the worker runs one command at a time, so no lock is needed.
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }
  async releaseConnection(): Promise<void> {}
  async beginTransaction(): Promise<void> {
    this.#db.exec('BEGIN IMMEDIATE');
  }
  async commitTransaction(): Promise<void> {
    this.#db.exec('COMMIT');
  }
  async rollbackTransaction(): Promise<void> {
    this.#db.exec('ROLLBACK');
  }
  async destroy(): Promise<void> {
    this.#db.close();
  }
}

const capabilities: SqlCapabilities = {
  // The driver tells it for nothing.
  insertReturning: false,
  moveCounter: null,
  onConflict: true,
  withoutRowid: true,
  // An integer column keeps a fraction as the real that it is.
  retyped: null,
  seeksByRow: true,
  isAlreadyThere: (error) => error instanceof Error && /already exists/.test(error.message),
  passingOverDone: (work) => work(),
  maxInteger: 2n ** 63n - 1n,
  // It keeps infinities and makes NULL of NaN, of which there is none here: stores write a stand-in.
  nonFinite: true,
  nulInText: true,
  keepsLengths: false,
  async lastNumber(db, table) {
    const { rows } = await sql<{ seq: number }>`select cast(seq as text) as seq from sqlite_sequence where name = ${table}`.execute(db);
    return String(rows[0]?.seq ?? 0);
  },
  async setLastNumber(db, table, _column, value) {
    await sql`delete from sqlite_sequence where name = ${table}`.execute(db);
    await sql`insert into sqlite_sequence (name, seq) values (${table}, ${BigInt(value)})`.execute(db);
  },
  types: { blob: () => sql`blob`, double: () => sql`real` },
};

class Adapter extends SqliteAdapter {
  readonly capabilities: SqlCapabilities;
  constructor(own: Partial<SqlCapabilities>) {
    super();
    this.capabilities = { ...capabilities, ...own };
  }
}

/** SQL's own LIKE ignores case on SQLite, so a case-sensitive pattern is said as GLOB there. */
const globOf = (pattern: string): string =>
  pattern
    .replace(/[*?[]/g, (special) => `[${special}]`)
    .replace(/%/g, '*')
    .replace(/_/g, '?');

/** SQLite's own lower() knows ASCII only, JavaScript's knows every script: `unicode_lower` is a function of ours, see below. */
const spelling: Spelling = {
  folded_position: ([text, part]) => sql`instr(unicode_lower(${text}), unicode_lower(${part}))`,
  folded_like: ([text, pattern]) => sql`unicode_lower(${text}) like unicode_lower(${pattern})`,
  exact_like: ([text], [, pattern]) => sql`${text} glob ${globOf(String(pattern))}`,
  joined: ([a, b]) => sql`(${a} || ${b})`,
  as_text: ([value]) => sql`cast(${value} as char)`,
  a_number: ([value]) => sql`${value}`,
};

class Compiler extends SqliteQueryCompiler {
  protected override visitFunction(node: FunctionNode): void {
    const spelled = spell(spelling, node);
    if (spelled === undefined) super.visitFunction(node);
    else this.visitNode(spelled);
  }
}

/** Kysely over an open `node:sqlite` database, with the functions that the stores' SQL counts on. */
export function nodeSqliteDialect(db: DatabaseSync, own: Partial<SqlCapabilities> = {}): Dialect {
  db.function('unicode_lower', { deterministic: true, directOnly: true }, (text) => (typeof text === 'string' ? text.toLowerCase() : text));
  return {
    createAdapter: () => new Adapter(own),
    createDriver: () => new NodeSqliteDriver(db),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new Compiler(),
  };
}
