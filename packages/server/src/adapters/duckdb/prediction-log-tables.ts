import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { LogSegment, SegmentManifest } from '../../monitoring/prediction-log.port.ts';
import { duckDbError, quoteLiteral, quotePath } from './instance.ts';

export type Kind = LogSegment['kind'];
export const COLUMNS: Record<Kind, string> = {
  predictions:
    'prediction_id VARCHAR, request_id VARCHAR, instance_index INTEGER, ts BIGINT, received_at BIGINT, endpoint VARCHAR, model VARCHAR, version INTEGER, source VARCHAR, weight DOUBLE, sampling_fraction DOUBLE, latency_ms DOUBLE, features VARCHAR, prediction VARCHAR, prediction_number DOUBLE, score DOUBLE, session VARCHAR, ordinal BIGINT',
  labels: 'endpoint VARCHAR, prediction_id VARCHAR, label VARCHAR, label_number DOUBLE, label_at BIGINT, seq BIGINT',
};
const TIME: Record<Kind, string> = { predictions: 'ts', labels: 'label_at' };
const ORDER: Record<Kind, string> = { predictions: 'endpoint, ts', labels: 'endpoint, seq' };
const namesOf = (kind: Kind): string => COLUMNS[kind].replace(/ [A-Z]+(?=,|$)/g, '');
/** The columns of a hot table. An id that follows from its request is not written there; files have them all. */
const hotColumns = (kind: Kind): string =>
  namesOf(kind).replace(/^prediction_id(?=, request_id)/, "coalesce(prediction_id, request_id || ':' || instance_index) AS prediction_id");
const DAY = 86_400_000;
/** Files of one day are merged when they are at least this many. */
const COMPACT_FILES = 2;

interface TablesOptions {
  dir: string;
  manifest: SegmentManifest;
  connect(): Promise<DuckDBConnection>;
  now(): number;
}
interface HotTable {
  name: string;
  kind: Kind;
  createdAt: number;
  rows: number;
}

/**
 * Hot tables and sealed files of the log. To seal, a new hot table takes the rows from now on, the old one
 * becomes a Parquet file under its own name, then a line of the manifest, then it is dropped. After a crash between any two of these
 * steps the next seal does the rest again; a table whose name is in the manifest counts no more.
 */
export class LogTables {
  readonly #options: TablesOptions;
  readonly #hot: HotTable[] = [];

  constructor(options: TablesOptions) {
    this.#options = options;
  }

  async open(connection: DuckDBConnection): Promise<void> {
    const found = await connection.runAndReadAll("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY table_name");
    for (const { table_name } of found.getRowObjects()) {
      const [, kind, stamp] = /^(predictions|labels)_([0-9a-z]+)_[0-9a-f]+$/.exec(String(table_name)) ?? [];
      if (kind === undefined || stamp === undefined) continue;
      const count = await connection.runAndReadAll(`SELECT count(*) AS n FROM ${table_name}`);
      this.#hot.push({ name: String(table_name), kind: kind as Kind, createdAt: Number.parseInt(stamp, 36), rows: Number(count.getRowObjects()[0]?.['n']) });
    }
    this.#hot.sort((a, b) => a.createdAt - b.createdAt);
    for (const kind of Object.keys(COLUMNS) as Kind[]) if (!this.#hot.some((table) => table.kind === kind)) await this.#create(kind, connection);
    await this.#sweep();
  }

  async #create(kind: Kind, connection: DuckDBConnection): Promise<void> {
    const createdAt = this.#options.now();
    const name = `${kind}_${createdAt.toString(36)}_${randomBytes(4).toString('hex')}`;
    await connection.run(`CREATE TABLE ${name} (${COLUMNS[kind]})`);
    this.#hot.push({ name, kind, createdAt, rows: 0 });
  }

  /** Files that a crash left without a line in the manifest; those of a hot table will be written again. */
  async #sweep(): Promise<void> {
    const folder = join(this.#options.dir, 'segments');
    const known = new Set((await this.#options.manifest.listSegments()).map(({ path }) => path));
    for (const file of await readdir(folder)) if (!known.has(`segments/${file}`)) await rm(join(folder, file), { force: true });
  }

  #currentTable(kind: Kind): HotTable {
    return this.#hot.findLast((table) => table.kind === kind) as HotTable;
  }

  current(kind: Kind): string {
    return this.#currentTable(kind).name;
  }

  grew(kind: Kind, rows: number): void {
    this.#currentTable(kind).rows += rows;
  }

  isDue(kind: Kind, limits: { ageMs: number; rows: number }): boolean {
    const { rows, createdAt } = this.#currentTable(kind);
    return rows >= limits.rows || (rows > 0 && this.#options.now() - createdAt >= limits.ageMs);
  }

  /** A new hot table; the former one is ready to be sealed. */
  async rotate(kind: Kind, connection: DuckDBConnection): Promise<void> {
    await this.#create(kind, connection);
  }

  /** Everything of one kind as a relation: files of the manifest, and hot tables that are not in it. `from`/`to` leave out files of other times. */
  async relation(kind: Kind, options: { from?: number | undefined; to?: number | undefined; hotOnly?: boolean } = {}): Promise<string> {
    const segments = (await this.#options.manifest.listSegments()).filter((segment) => segment.kind === kind);
    const sealed = new Set(segments.map(({ id }) => id));
    const columns = namesOf(kind);
    const parts = this.#hot.filter((table) => table.kind === kind && !sealed.has(table.name)).map(({ name }) => `SELECT ${hotColumns(kind)} FROM ${name}`);
    const files = options.hotOnly
      ? []
      : segments.filter(({ minTs, maxTs }) => maxTs >= (options.from ?? Number.NEGATIVE_INFINITY) && minTs < (options.to ?? Number.POSITIVE_INFINITY));
    if (files.length > 0) parts.push(`SELECT ${columns} FROM read_parquet([${files.map(({ path }) => quotePath(join(this.#options.dir, path))).join(', ')}])`);
    if (parts.length === 0) parts.push(`SELECT ${columns} FROM ${this.current(kind)} WHERE false`);
    return `(${parts.join(' UNION ALL ')})`;
  }

  /** Runs what `sql` builds; once more when a table was sealed or a file merged between building and running. */
  async query(connection: DuckDBConnection, sql: () => Promise<string>): Promise<Record<string, unknown>[]> {
    for (let attempt = 0; ; attempt++) {
      try {
        return (await connection.runAndReadAll(await sql())).getRowObjects();
      } catch (error) {
        if (attempt < 2 && error instanceof Error && /does not exist|no files found|no such file/i.test(error.message)) continue;
        throw duckDbError(error, 'Reading the prediction log failed');
      }
    }
  }

  /** Turns every hot table but the current ones into a file. */
  async seal(): Promise<void> {
    const sealed = new Set((await this.#options.manifest.listSegments()).map(({ id }) => id));
    for (const table of this.#hot.filter(({ kind, name }) => name !== this.current(kind))) {
      const connection = await this.#options.connect();
      try {
        if (table.rows > 0 && !sealed.has(table.name)) {
          const segment = await this.#copy(connection, table.kind, table.name, `SELECT ${hotColumns(table.kind)} FROM ${table.name}`);
          await this.#options.manifest.changeSegments([segment], []);
        }
        await connection.run(`DROP TABLE ${table.name}`);
        this.#hot.splice(this.#hot.indexOf(table), 1);
      } catch (error) {
        throw duckDbError(error, 'Sealing the prediction log failed');
      } finally {
        connection.closeSync();
      }
    }
  }

  /** Merges the files of each past day into one. */
  async compact(): Promise<void> {
    const today = Math.floor(this.#options.now() / DAY);
    const days = new Map<string, LogSegment[]>();
    for (const segment of await this.#options.manifest.listSegments()) {
      const day = Math.floor(segment.createdAt / DAY);
      if (day < today) days.set(`${segment.kind} ${day}`, [...(days.get(`${segment.kind} ${day}`) ?? []), segment]);
    }
    for (const segments of days.values()) {
      const [first] = segments;
      if (first === undefined || segments.length < COMPACT_FILES) continue;
      const connection = await this.#options.connect();
      try {
        const paths = segments.map(({ path }) => join(this.#options.dir, path));
        const name = `${first.kind}_day_${first.createdAt.toString(36)}_${randomBytes(4).toString('hex')}`;
        const merged = await this.#copy(connection, first.kind, name, `SELECT * FROM read_parquet([${paths.map(quotePath).join(', ')}])`);
        await this.#options.manifest.changeSegments(
          [{ ...merged, createdAt: first.createdAt }],
          segments.map(({ id }) => id),
        );
        for (const path of paths) await rm(path, { force: true });
      } catch (error) {
        throw duckDbError(error, 'Merging the prediction log failed');
      } finally {
        connection.closeSync();
      }
    }
  }

  /** Written aside, synced, renamed. */
  async #copy(connection: DuckDBConnection, kind: Kind, id: string, select: string): Promise<LogSegment> {
    const path = `segments/${id}.parquet`;
    const target = join(this.#options.dir, path);
    const aside = `${target}.tmp`;
    await connection.run(`COPY (${select} ORDER BY ${ORDER[kind]}) TO ${quoteLiteral(aside)} (FORMAT parquet, COMPRESSION zstd)`);
    const file = await open(aside, 'r+');
    const { size } = await file.stat();
    await file.sync();
    await file.close();
    await rename(aside, target);
    const folder = await open(join(this.#options.dir, 'segments'), 'r');
    await folder.sync();
    await folder.close();
    const facts = await connection.runAndReadAll(
      `SELECT count(*) AS n, min(${TIME[kind]}) AS low, max(${TIME[kind]}) AS high FROM read_parquet(${quotePath(target)})`,
    );
    const { n, low, high } = facts.getRowObjects()[0] ?? {};
    return { id, kind, path, rows: Number(n), bytes: size, minTs: Number(low), maxTs: Number(high), createdAt: this.#options.now() };
  }
}
