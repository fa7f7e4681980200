import {
  CompiledQuery,
  type CreateTableNode,
  type DataTypeNode,
  type Dialect,
  type FunctionNode,
  MysqlAdapter,
  MysqlDriver,
  MysqlIntrospector,
  type MysqlPool,
  MysqlQueryCompiler,
  sql,
} from 'kysely';
import type { SqlCapabilities } from '../capabilities.ts';
import { type Spelling, spell } from '../spelling.ts';

const errnoOf = (error: unknown): number => Number((error as { errno?: unknown } | null)?.errno ?? 0);
/** A table, column, index or row that is there, or one to drop that is not. */
const DONE = new Set([1050, 1060, 1061, 1062, 1091]);

const capabilitiesWith = (tolerance: { on: boolean }): SqlCapabilities => ({
  insertReturning: false,
  moveCounter: null,
  onConflict: false,
  withoutRowid: false,
  retyped: (column, type) => sql`modify ${sql.ref(column)} ${type} not null`,
  seeksByRow: false,
  isAlreadyThere: (error) => errnoOf(error) === 1050,
  async passingOverDone(work) {
    tolerance.on = true;
    await work().finally(() => (tolerance.on = false));
  },
  maxInteger: 2n ** 31n - 1n,
  nonFinite: false,
  nulInText: true,
  keepsLengths: true,
  async lastNumber(db, table) {
    // MySQL 8 remembers such figures for a day unless told not to; MariaDB does not know the setting.
    const next = sql<{
      next: string | null;
    }>`select cast(auto_increment as char) as next from information_schema.tables where table_schema = database() and table_name = ${table}`;
    const { rows } = await db.connection().execute(async (connection) => {
      await sql`set session information_schema_stats_expiry = 0`.execute(connection).catch(() => {});
      return next.execute(connection);
    });
    return String(BigInt(rows[0]?.next ?? '1') - 1n);
  },
  async setLastNumber(db, table, _column, value) {
    await sql`alter table ${sql.table(table)} auto_increment = ${sql.raw(String(BigInt(value) + 1n))}`.execute(db);
  },
  types: { blob: () => sql`longblob`, double: () => sql`double precision` },
});

class Adapter extends MysqlAdapter {
  readonly capabilities: SqlCapabilities;
  constructor(tolerance: { on: boolean }) {
    super();
    this.capabilities = capabilitiesWith(tolerance);
  }
}

/** A pattern in which nothing is escaped. MariaDB takes `escape ''` for a backslash, so that another sign must do, and itself be escaped. */
const unescaped = (pattern: unknown): string => String(pattern).replaceAll('|', '||');

/** The collation of our tables and connections compares by code point, so LIKE and INSTR count case unless both sides are folded. */
const spelling: Spelling = {
  folded_position: ([text, part]) => sql`instr(lower(${text}), lower(${part}))`,
  folded_like: ([text], [, pattern]) => sql`lower(${text}) like lower(${unescaped(pattern)}) escape '|'`,
  exact_like: ([text], [, pattern]) => sql`${text} like ${unescaped(pattern)} escape '|'`,
  joined: ([a, b]) => sql`concat(${a}, ${b})`,
  as_text: ([value]) => sql`cast(${value} as char)`,
  a_number: ([value]) => sql`${value}`,
};

class Compiler extends MysqlQueryCompiler {
  readonly #collation: string;
  constructor(collation: string) {
    super();
    this.#collation = collation;
  }
  protected override visitFunction(node: FunctionNode): void {
    const spelled = spell(spelling, node);
    if (spelled === undefined) super.visitFunction(node);
    else this.visitNode(spelled);
  }
  /** MySQL's own `text` ends at 64 KB. */
  protected override visitDataType(node: DataTypeNode): void {
    this.append(node.dataType === 'text' ? 'longtext' : String(node.dataType));
  }
  protected override visitCreateTable(node: CreateTableNode): void {
    super.visitCreateTable(node);
    if (node.selectQuery === undefined) this.append(` engine=InnoDB row_format=dynamic character set utf8mb4 collate ${this.#collation}`);
  }
}

/** Kysely over a pool of `mysql2`. `prepare` sets up each new connection. */
export function mysqlDialect(pool: MysqlPool, collation: string, prepare: (run: (statement: string) => Promise<void>) => Promise<void>): Dialect {
  const tolerance = { on: false };
  return {
    createAdapter: () => new Adapter(tolerance),
    createDriver: () =>
      new MysqlDriver({
        pool,
        onCreateConnection(connection) {
          const execute = connection.executeQuery.bind(connection);
          connection.executeQuery = async (query, options) => {
            try {
              return await execute(query, options);
            } catch (error) {
              if (tolerance.on && DONE.has(errnoOf(error))) return { rows: [] };
              throw error;
            }
          };
          return prepare(async (statement) => void (await connection.executeQuery(CompiledQuery.raw(statement))));
        },
      }),
    createIntrospector: (db) => new MysqlIntrospector(db),
    createQueryCompiler: () => new Compiler(collation),
  };
}
