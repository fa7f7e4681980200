import { backup, DatabaseSync } from 'node:sqlite';
import { invalid } from '../../../kernel/index.ts';
import type { DatabaseSnapshots, SnapshotFacts } from '../../../upkeep/index.ts';
import { mapSqliteError } from './errors.ts';

/** All pages in one step: one read transaction, which sees one moment and holds no writer up. In steps, a write between two would start it over. */
const ALL = 2 ** 31 - 1;

/** Copies of the database in `file` by SQLite's online backup, on a thread of the pool. */
export const sqliteSnapshots = (file: string): DatabaseSnapshots => ({
  async take(to) {
    const source = new DatabaseSync(file, { readOnly: true });
    try {
      source.exec('PRAGMA busy_timeout = 5000');
      await backup(source, to, { rate: ALL });
    } catch (error) {
      throw mapSqliteError(error, file);
    } finally {
      source.close();
    }
    return look(to);
  },
  inspect: async (copy) => look(copy),
});

function look(file: string): SnapshotFacts {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file);
    const check = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (check !== 'ok') throw new Error(String(check));
    const names = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name").all();
    const count = (name: string) => Number(db?.prepare(`SELECT count(*) AS n FROM "${name.replaceAll('"', '""')}"`).get()?.['n']);
    const tables = Object.fromEntries(names.map(({ name }) => [String(name), count(String(name))]));
    const segments = 'log_segments' in tables ? db.prepare('SELECT path FROM log_segments ORDER BY path').all() : [];
    return { tables, segments: segments.map(({ path }) => String(path)) };
  } catch (cause) {
    throw invalid('backup_damaged', `The database of the backup is damaged: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  } finally {
    db?.close();
  }
}
