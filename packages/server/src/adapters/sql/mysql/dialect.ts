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

const capabilities: SqlCapabilities = {
  insertReturning: false,
  moveCounter: null,
  onConflict: false,
  withoutRowid: false,
  retyped: (column, type) => sql`modify ${sql.ref(column)} ${type} not null`,
  types: { blob: () => sql`longblob`, double: () => sql`double precision` },
};

class Adapter extends MysqlAdapter {
  readonly capabilities = capabilities;
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
  return {
    createAdapter: () => new Adapter(),
    createDriver: () =>
      new MysqlDriver({
        pool,
        onCreateConnection: (connection) => prepare(async (statement) => void (await connection.executeQuery(CompiledQuery.raw(statement)))),
      }),
    createIntrospector: (db) => new MysqlIntrospector(db),
    createQueryCompiler: () => new Compiler(collation),
  };
}
