import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import { releaseBuffer } from '../../kernel/index.ts';
import { buffersOf, type LogRows } from '../../monitoring/log-rows.ts';
import type {
  LogRow,
  Label,
  LabelOutcome,
  LoggedPrediction,
  LogQuery,
  PredictionLog,
  QualityQuery,
  QualitySums,
  SegmentManifest,
} from '../../monitoring/prediction-log.port.ts';
import { type DuckDb, duckDbError, openDuckDb, quoteLiteral } from './instance.ts';
import { type AppendChunk, chunkAppender } from './prediction-log-append.ts';
import { labelSql, type LabelBatch, listSql, qualitySql, toLogged, toRow, toSums } from './prediction-log-sql.ts';
import { COLUMNS, type Kind, LogTables } from './prediction-log-tables.ts';

export interface PredictionLogOptions {
  /** Folder of the hot database and the sealed files; made when missing. */
  dir: string;
  manifest: SegmentManifest;
  now?: () => number;
  /** A hot table is sealed at this age or size. */
  sealAfterMs?: number;
  sealRows?: number;
  memoryLimit?: string;
}

/** Labels appended before other work gets its turn: a few milliseconds. */
const SLICE = 1000;

/**
 * The prediction log in DuckDB, in the calling thread: an appender into a hot table of a database file, sealed to zstd Parquet by age and
 * size, queried as one. Opens with the first call; one thread, so that a query leaves the other core to serving. Appending
 * holds the calling thread for about a millisecond a thousand rows: a server uses it through `duckDbPredictionLog`.
 */
export function predictionLogHere(options: PredictionLogOptions): PredictionLog {
  return new DuckDbPredictionLog(options);
}

interface Opened {
  db: DuckDb;
  writer: DuckDBConnection;
  reader: DuckDBConnection;
  tables: LogTables;
  appendChunk: AppendChunk;
}

class DuckDbPredictionLog implements PredictionLog {
  readonly #options: PredictionLogOptions;
  #opening: Promise<Opened> | undefined;
  #writes: Promise<unknown> = Promise.resolve();
  #maintenance: Promise<void> = Promise.resolve();
  #sequence = 0n;
  #closed = false;

  constructor(options: PredictionLogOptions) {
    this.#options = options;
  }

  #open(): Promise<Opened> {
    if (this.#closed) return Promise.reject(new Error('The prediction log is closed.'));
    this.#opening ??= this.#start().catch((error: unknown) => {
      // A full disk or a held lock may pass: the next call tries again.
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #start(): Promise<Opened> {
    const { dir, manifest } = this.#options;
    await mkdir(join(dir, 'segments'), { recursive: true });
    const db = await openDuckDb({
      path: join(dir, 'hot.duckdb'),
      threads: 1,
      memoryLimit: this.#options.memoryLimit ?? '512MB',
      tempDirectory: join(dir, 'tmp'),
      // Each checkpoint compresses the last, unfilled group of rows anew: with the default of 16 MB that is a third of all the work.
      settings: { checkpoint_threshold: '64MB' },
    });
    try {
      const [writer, reader] = [await db.connect(), await db.connect()];
      const tables = new LogTables({ dir, manifest, connect: () => db.connect(), now: this.#options.now ?? Date.now });
      await tables.open(writer);
      return { db, writer, reader, tables, appendChunk: await chunkAppender() };
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** One writer at a time, in order. */
  #write<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    const result = this.#writes.then(async () => work(await this.#open()));
    this.#writes = result.catch(() => {});
    return result;
  }

  append(rows: LogRows): Promise<void> {
    return this.#write(async (opened) => {
      let [row, text] = [0, 0];
      await this.#append(opened, 'predictions', rows.rows, async (appender) => {
        while (row < rows.rows) {
          ({ next: row, textNext: text } = opened.appendChunk(appender, rows, row, text));
          if (row < rows.rows) await nextTurn();
        }
      });
      buffersOf(rows).forEach((buffer) => releaseBuffer(new Uint8Array(buffer)));
    });
  }

  async #append({ writer, tables }: Opened, kind: Kind, rows: number, put: (appender: DuckDBAppender) => void | Promise<void>): Promise<void> {
    if (rows === 0) return;
    await writer.run('BEGIN');
    try {
      const appender = await writer.createAppender(tables.current(kind));
      try {
        await put(appender);
      } finally {
        appender.closeSync();
      }
      // The commit writes and syncs on another thread; closing an appender outside a transaction would do that on this one.
      await writer.run('COMMIT');
      tables.grew(kind, rows);
    } catch (error) {
      await writer.run('ROLLBACK').catch(() => {});
      throw duckDbError(error, 'Writing the prediction log failed');
    }
  }

  addLabels(endpoint: string, labels: Label[]): Promise<LabelOutcome> {
    return this.#write(async (opened) => {
      const batch = await this.#storeLabels(opened, endpoint, labels);
      const only = await opened.tables.relation('predictions', { hotOnly: true });
      let outcome = await this.#match(opened, batch, () => Promise.resolve(only));
      if (outcome.matched < outcome.sent) outcome = await this.#match(opened, batch, () => opened.tables.relation('predictions'));
      if (outcome.matched < outcome.sent && (await this.#resolveAliases(opened, batch, labels)))
        outcome = await this.#match(opened, { ...batch, to: this.#sequence }, () => opened.tables.relation('predictions'));
      return { matched: outcome.matched, unmatched: labels.length - outcome.matched, newlyMatched: outcome.fresh };
    });
  }

  async #storeLabels(opened: Opened, endpoint: string, labels: Label[]): Promise<LabelBatch> {
    const now = BigInt(Math.trunc((this.#options.now ?? Date.now)())) * 1_000_000n;
    const from = now > this.#sequence ? now : this.#sequence + 1n;
    await this.#append(opened, 'labels', labels.length, async (appender) => {
      for (const [i, label] of labels.entries()) {
        if (i % SLICE === SLICE - 1) await nextTurn();
        appender.appendVarchar(endpoint);
        appender.appendVarchar(label.predictionId);
        appender.appendVarchar(label.label);
        if (label.labelNumber === null) appender.appendNull();
        else appender.appendDouble(label.labelNumber);
        appender.appendBigInt(BigInt(Math.trunc(label.labelAt)));
        appender.appendBigInt(from + BigInt(i));
        appender.endRow();
      }
    });
    this.#sequence = from + BigInt(labels.length);
    return { endpoint, from, to: this.#sequence };
  }

  async #match({ tables, writer }: Opened, batch: LabelBatch, predictions: () => Promise<string>): Promise<{ sent: number; matched: number; fresh: number }> {
    const rows = await tables.query(writer, async () => labelSql.match(await predictions(), await tables.relation('labels'), batch));
    return { sent: Number(rows[0]?.['sent']), matched: Number(rows[0]?.['matched']), fresh: Number(rows[0]?.['fresh']) };
  }

  /** A caller that brought its own ids may still send labels for `request:index`: those are stored once more under the id of the row. */
  async #resolveAliases(opened: Opened, batch: LabelBatch, labels: Label[]): Promise<boolean> {
    const { tables, writer } = opened;
    const rows = await tables.query(writer, async () => labelSql.aliases(await tables.relation('predictions'), await tables.relation('labels'), batch));
    if (rows.length === 0) return false;
    const ids = new Map(rows.map((row) => [String(row['alias']), String(row['prediction_id'])]));
    const resolved = labels.flatMap((label) => {
      const predictionId = ids.get(label.predictionId);
      return predictionId === undefined ? [] : [{ ...label, predictionId }];
    });
    await this.#storeLabels(opened, batch.endpoint, resolved);
    return true;
  }

  async #read(sql: (tables: LogTables) => Promise<string>): Promise<Record<string, unknown>[]> {
    const { tables, reader } = await this.#open();
    return tables.query(reader, () => sql(tables));
  }

  async beyond(session: string, marks: { endpoint: string; ordinal: number }[]): Promise<LogRow[]> {
    if (marks.length === 0) return [];
    const where = marks.map(({ endpoint, ordinal }) => `(endpoint = ${quoteLiteral(endpoint)} AND ordinal > ${Math.trunc(ordinal)})`).join(' OR ');
    const rows = await this.#read(
      async (tables) =>
        `SELECT * FROM ${await tables.relation('predictions')} WHERE session = ${quoteLiteral(session)} AND (${where}) ORDER BY endpoint, ordinal`,
    );
    return rows.map(toRow);
  }

  async list(query: LogQuery): Promise<LoggedPrediction[]> {
    const rows = await this.#read(async (tables) => listSql(await tables.relation('predictions', query), await tables.relation('labels'), query));
    return rows.map(toLogged);
  }

  async sample(query: {
    endpoint: string;
    model: string;
    version: number;
    from: number;
    to: number;
    limit: number;
  }): Promise<Pick<LogRow, 'features' | 'prediction' | 'predictionNumber' | 'score'>[]> {
    const rows = await this.#read(
      async (tables) => `SELECT features, prediction, prediction_number, score FROM (SELECT * FROM ${await tables.relation('predictions', query)}
        WHERE endpoint = ${quoteLiteral(query.endpoint)} AND model = ${quoteLiteral(query.model)} AND version = ${query.version} AND source = 'live' AND ts >= ${query.from} AND ts < ${query.to})
        USING SAMPLE reservoir(${query.limit} ROWS) REPEATABLE (42)`,
    );
    return rows.map((row) => ({
      features: String(row['features']),
      prediction: row['prediction'] as string | null,
      predictionNumber: row['prediction_number'] as number | null,
      score: row['score'] as number | null,
    }));
  }

  async labelValues(endpoint: string, limit: number): Promise<string[]> {
    const rows = await this.#read(
      async (tables) =>
        `SELECT label FROM ${await tables.relation('labels')} WHERE endpoint = ${quoteLiteral(endpoint)} GROUP BY label ORDER BY count(*) DESC, label LIMIT ${limit}`,
    );
    return rows.map((row) => String(row['label']));
  }

  async countLabelled(endpoint: string): Promise<number> {
    const rows = await this.#read(async (tables) => labelSql.count(await tables.relation('predictions'), await tables.relation('labels'), endpoint));
    return Number(rows[0]?.['n'] ?? 0);
  }

  async quality(query: QualityQuery): Promise<QualitySums[]> {
    const rows = await this.#read(async (tables) => qualitySql(await tables.relation('predictions', query), await tables.relation('labels'), query));
    return rows.map(toSums);
  }

  maintain(force = false): Promise<void> {
    // Nothing was ever opened, nothing can be hot: an idle server does not load DuckDB for this.
    if (this.#opening === undefined && !force) return Promise.resolve();
    this.#maintenance = this.#maintenance.catch(() => {}).then(() => this.#maintain(force));
    return this.#maintenance;
  }

  async #maintain(force: boolean): Promise<void> {
    const { sealAfterMs = 3_600_000, sealRows = 1_000_000 } = this.#options;
    const { tables } = await this.#open();
    for (const kind of Object.keys(COLUMNS) as Kind[]) {
      if (tables.isDue(kind, force ? { ageMs: 0, rows: 1 } : { ageMs: sealAfterMs, rows: sealRows }))
        await this.#write(({ writer }) => tables.rotate(kind, writer));
    }
    await tables.seal();
    await tables.compact();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#writes;
    await this.#maintenance.catch(() => {});
    const opened = await this.#opening?.catch(() => undefined);
    if (opened === undefined) return;
    opened.writer.closeSync();
    opened.reader.closeSync();
    opened.db.close();
  }
}
