import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import { internal } from '../../../kernel/index.ts';
import type { ColumnKind, MovableColumn, MovableTable } from '../../../upkeep/index.ts';
import { migrate } from '../migrations/migrate.ts';
import type { Database } from '../schema/index.ts';
import { nodeSqliteDialect } from '../sqlite/dialect.ts';

/** Takes note of columns that other engines give a new type, which SQLite's own need not. */
class NotingDatabase extends DatabaseSync {
  readonly doubles = new Set<string>();
  override prepare(text: string): StatementSync {
    const table = /^alter table "(\w+)" to_double /.exec(text)?.[1];
    if (table === undefined) return super.prepare(text);
    for (const [, column] of text.matchAll(/to_double "(\w+)"/g)) this.doubles.add(`${table}.${column}`);
    return super.prepare('select 1 where 0');
  }
}

/** Every table as the migrations make it on every engine: asked of an empty SQLite in memory that has just seen them. */
export async function movableTables(): Promise<MovableTable[]> {
  const raw = new NotingDatabase(':memory:');
  const db = new Kysely<Database>({ dialect: nodeSqliteDialect(raw, { retyped: (column, type) => sql`to_double ${sql.ref(column)} ${type}` }) });
  try {
    await migrate(db, 'memory');
    const found = raw
      .prepare(
        `select name, sql from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\' and name not like 'kysely\\_%' escape '\\' order by name`,
      )
      .all() as unknown as { name: string; sql: string }[];
    return found.map(({ name, sql }) => describe(raw, name, sql));
  } finally {
    await db.destroy();
  }
}

function describe(raw: NotingDatabase, name: string, sql: string): MovableTable {
  const info = raw.prepare('select name, type, pk from pragma_table_info(?) order by name').all(name) as unknown as {
    name: string;
    type: string;
    pk: number;
  }[];
  const columns = info.map((column) => columnOf(name, column, raw.doubles));
  const key = info.flatMap(({ pk }, at) => (pk > 0 ? [{ pk, at }] : []));
  if (key.length === 0) throw internal('table_without_key', `The table ${name} has no primary key, by which its rows could be moved.`);
  key.sort((a, b) => a.pk - b.pk);
  const first = columns[key[0]?.at ?? 0] as MovableColumn;
  return { name, columns, key: key.map(({ at }) => at), numbered: /\bautoincrement\b/i.test(sql) ? first.name : null };
}

const KINDS: Record<string, ColumnKind> = { integer: 'integer', bigint: 'bigint', real: 'double', text: 'text', varchar: 'text', blob: 'bytes' };

function columnOf(table: string, { name, type }: { name: string; type: string }, doubles: ReadonlySet<string>): MovableColumn {
  const [, word = '', length] = /^([a-z]+)(?:\((\d+)\))?$/.exec(type.toLowerCase()) ?? [];
  const kind = doubles.has(`${table}.${name}`) ? 'double' : KINDS[word];
  if (kind === undefined) throw internal('column_type_unknown', `The column ${table}.${name} has the type ${type}, which cannot be moved.`);
  return { name, kind, maxLength: length === undefined ? null : Number(length) };
}
