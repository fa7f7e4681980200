import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { invalid, messageOf, unavailable, unsupported } from '../../kernel/index.ts';

/** What every database of MLflow has, of any version. */
const NEEDED = ['experiments', 'runs', 'metrics', 'params', 'tags'];

export interface MlflowDatabase {
  file: string;
  has(table: string): boolean;
  /** The column, or what stands for it where this version of MLflow did not have it yet. */
  column(table: string, name: string, otherwise: string): string;
  /** Condition on MLflow's own workspace, the only one that is read; true where there are none yet. */
  workspace(table: string): string;
  all<T>(sql: string, ...values: SQLInputValue[]): T[];
  /** Rows behind a rowid, so that no read lasts and a server that writes is not in the way. */
  pages<T extends { rowid: number }>(sql: string, size: number, ...values: SQLInputValue[]): Iterable<T[]>;
  close(): void;
}

/** Opens `mlflow.db`, `sqlite:///mlflow.db` or `sqlite:////abs/mlflow.db`, read only. Throws `invalid` for what is not a database of MLflow. */
export function openDatabase(place: string): MlflowDatabase {
  const file = fileOf(place);
  refuseOthers(file, place);
  let db: DatabaseSync;
  const columns = new Map<string, Set<string>>();
  try {
    db = new DatabaseSync(file, { readOnly: true });
    db.exec('PRAGMA busy_timeout = 20000; PRAGMA query_only = ON');
    for (const { name } of db.prepare("select name from sqlite_master where type = 'table'").all() as { name: string }[])
      columns.set(name, new Set((db.prepare('select name from pragma_table_info(?)').all(name) as { name: string }[]).map((column) => column.name)));
  } catch (cause) {
    throw invalid('mlflow_database_unreadable', `${file} cannot be read as an SQLite database: ${messageOf(cause)}`, { cause });
  }
  const missing = NEEDED.filter((table) => !columns.has(table));
  if (missing.length > 0) {
    db.close();
    throw invalid('not_an_mlflow_database', `${file} is no database of MLflow: it has no table ${missing.join(', ')}.`);
  }
  if (!(columns.get('metrics') as Set<string>).has('is_nan')) {
    db.close();
    throw unsupported(
      'mlflow_too_old',
      `${file} was written by an MLflow before 1.5. Bring a copy of it up to date with "mlflow db upgrade sqlite:///copy.db", and import that.`,
    );
  }

  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      if (statements.size >= 200) statements.clear();
      statements.set(sql, (statement = db.prepare(sql)));
    }
    return statement;
  };
  const all = <T>(sql: string, ...values: SQLInputValue[]): T[] => {
    try {
      return prepared(sql).all(...values) as T[];
    } catch (cause) {
      const message = messageOf(cause);
      if (/locked|busy/i.test(message)) throw unavailable('mlflow_database_busy', `${file} is being written to: ${message}. Import again later.`, { cause });
      throw invalid('mlflow_database_unreadable', `${file} cannot be read as MLflow writes it: ${message}`, { cause });
    }
  };
  return {
    file,
    has: (table) => columns.has(table),
    column: (table, name, otherwise) => (columns.get(table)?.has(name) === true ? `"${name}"` : otherwise),
    workspace: (table) => (columns.get(table)?.has('workspace') === true ? "workspace = 'default'" : 'true'),
    all,
    *pages<T extends { rowid: number }>(sql: string, size: number, ...values: SQLInputValue[]) {
      for (let last = -(2 ** 53) + 1; ; ) {
        const rows = all<T>(`${sql} and rowid > ? order by rowid limit ?`, ...values, last, size);
        if (rows.length > 0) yield rows;
        if (rows.length < size) return;
        last = (rows.at(-1) as T).rowid;
      }
    },
    close: () => db.close(),
  };
}

function fileOf(place: string): string {
  if (/^file:/i.test(place)) return fileURLToPath(place);
  const sqlite = /^sqlite:(?:\/\/)?(\/.*)?$/i.exec(place);
  // sqlite:///relative and sqlite:////absolute, as SQLAlchemy has it.
  return resolve(sqlite === null ? place : (sqlite[1] ?? '').replace(/^\//, '').replace(/\?.*$/, ''));
}

function refuseOthers(file: string, place: string): void {
  if (/^(mysql|postgres|mssql)[a-z0-9+]*:/i.test(place))
    throw unsupported(
      'mlflow_database_unsupported',
      `${place.replace(/:\/\/.*/s, '://…')} is read through its server: start "mlflow server --backend-store-uri …" on it, and import from its URL.`,
    );
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) throw invalid('mlflow_not_found', `There is no file ${file}. Name MLflow's database (mlflow.db), or the URL of its server.`);
  if (stats.isDirectory())
    throw unsupported(
      'mlflow_folder',
      `${file} is a folder. A folder of MLflow's (mlruns) is read through its server: start "MLFLOW_ALLOW_FILE_STORE=true mlflow server --backend-store-uri ${file}", and import from its URL. Of a database, name the file.`,
    );
  const head = Buffer.alloc(16);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, head, 0, 16, 0);
  } finally {
    closeSync(handle);
  }
  if (head.toString('latin1') !== 'SQLite format 3\0') throw invalid('not_an_mlflow_database', `${file} is no SQLite database.`);
}
