import { createHash } from 'node:crypto';
import { type Clock, conflict, invalid, systemClock } from '../kernel/index.ts';
import type { MovableDatabase, MovableRow, MovableTable, MoveMark } from './movable-database.port.ts';
import { canonicalRow, compareKeys, keyText, misfit, pagesOf } from './moved-rows.ts';

export interface TableProof {
  table: string;
  /** Rows on either side. */
  rows: number;
  targetRows: number;
  /** SHA-256 over the rows by primary key, in a form that every engine has in common; see `canonicalRow`. */
  checksum: string;
  targetChecksum: string;
  equal: boolean;
  /** The first row in which the two differ; null when they are equal. */
  firstDifference: string | null;
}

export interface MoveReport {
  from: string;
  to: string;
  /** It was begun before. */
  resumed: boolean;
  /** It was done before, and nothing but the proof was left to do. */
  already: boolean;
  rows: number;
  /** Rows that this call wrote. */
  copied: number;
  tables: TableProof[];
  equal: boolean;
}

export type MovePhase = 'check' | 'copy' | 'compare';
/** Told often, in rows. */
export type MoveProgress = (phase: MovePhase, table: string, done: number, total: number) => void;

export interface MoveOptions {
  progress?: MoveProgress;
  clock?: Clock;
}

/** Problems that are told at once. */
const TOLD = 10;

/**
 * Moves every table to a database that is empty, or that an earlier call has begun to fill from this same source, and proves it: each table is read from both sides and
 * compared. Throws `conflict` when the target holds anything else, and `invalid` (code `migration_unfit`) before anything is moved when it cannot hold a value;
 * `unavailable` (`migration_disturbed`) when others could write on either side meanwhile, and then the target stays unfinished.
 * Nothing is changed in the source.
 */
export async function moveDatabase(source: MovableDatabase, target: MovableDatabase, options: MoveOptions = {}): Promise<MoveReport> {
  const progress = options.progress ?? (() => {});
  const clock = options.clock ?? systemClock;
  const identity = await source.identity();
  const earlier = await earlierMove(source, target, identity);
  const tables = await source.tables();
  const counts = new Map<string, number>();
  for (const table of tables) counts.set(table.name, await source.count(table));
  const told = (phase: MovePhase, table: MovableTable) => (done: number) => progress(phase, table.name, done, counts.get(table.name) ?? 0);

  const already = earlier !== null && earlier.finishedAt !== null;
  const mark: MoveMark = earlier ?? { source: identity, from: source.place, startedAt: clock(), finishedAt: null };
  if (!already) {
    await checkFits(source, target, tables, told);
    await target.begin(mark);
    // A new database is not quite empty: the schema comes with an experiment.
    if (earlier === null) for (const table of tables) await target.clear(table);
  }
  const report: MoveReport = { from: source.place, to: target.place, resumed: earlier !== null, already, rows: 0, copied: 0, tables: [], equal: true };
  for (const table of tables) {
    let resumed = false;
    if (!already) {
      const last = await target.lastRow(table);
      resumed = last !== null;
      report.copied += await copy(source, target, table, last, told('copy', table));
    }
    let proof = await compare(source, target, table, told('compare', table));
    if (!proof.equal && resumed) {
      // What was written before is of a source that has changed since.
      await target.clear(table);
      report.copied += await copy(source, target, table, null, told('copy', table));
      proof = await compare(source, target, table, told('compare', table));
    }
    if (table.numbered !== null && !already) await target.setLastNumber(table, await source.lastNumber(table));
    report.tables.push(proof);
    report.rows += proof.rows;
    report.equal &&= proof.equal;
  }
  if (report.equal && !already) {
    for (const database of [source, target]) await database.undisturbed();
    await target.finish({ ...mark, finishedAt: clock() });
  }
  return report;
}

/** The move into the target that this one goes on with, or null for an empty target. */
async function earlierMove(source: MovableDatabase, target: MovableDatabase, identity: string): Promise<MoveMark | null> {
  const contents = await target.contents();
  if (contents.kind === 'empty') return null;
  if (contents.kind === 'move' && contents.mark.source === identity) return contents.mark;
  const what =
    contents.kind === 'other'
      ? contents.what
      : `It was ${contents.mark.finishedAt === null ? 'half filled' : 'filled'} from another database, ${contents.mark.from}.`;
  throw conflict('migration_target_used', `The database ${target.place} is not empty, and nothing is written to it. ${what} Name an empty one.`, {
    details: { from: source.place },
  });
}

async function checkFits(
  source: MovableDatabase,
  target: MovableDatabase,
  tables: MovableTable[],
  told: (phase: MovePhase, table: MovableTable) => (done: number) => void,
): Promise<void> {
  const problems: string[] = [];
  for (const table of tables) {
    let done = 0;
    for await (const page of pagesOf(source, table)) {
      for (const row of page) {
        const problem = misfit(table, row, target.limits);
        if (problem !== undefined) problems.push(problem);
      }
      if (problems.length >= TOLD) break;
      told('check', table)((done += page.length));
    }
  }
  if (problems.length === 0) return;
  const shown = problems.slice(0, TOLD);
  throw invalid(
    'migration_unfit',
    `${target.place} cannot hold everything that is in ${source.place}, and nothing was moved: ${shown.join('; ')}${problems.length > TOLD ? '; and more' : ''}. Change or remove that first.`,
    { details: { problems: shown } },
  );
}

/** Rows behind `last`, page by page, each a transaction; returns how many. */
async function copy(
  source: MovableDatabase,
  target: MovableDatabase,
  table: MovableTable,
  last: MovableRow | null,
  told: (done: number) => void,
): Promise<number> {
  let copied = 0;
  for await (const page of pagesOf(source, table, last)) {
    await target.insert(table, page);
    told((copied += page.length));
  }
  return copied;
}

/** One side's rows one by one, each also into the checksum. */
async function* readSide(database: MovableDatabase, table: MovableTable, into: { rows: number; hash: ReturnType<typeof createHash> }) {
  for await (const page of pagesOf(database, table))
    for (const row of page) {
      const bytes = canonicalRow(table, row);
      into.rows++;
      into.hash.update(bytes);
      yield { row, bytes };
    }
}

async function compare(source: MovableDatabase, target: MovableDatabase, table: MovableTable, told: (done: number) => void): Promise<TableProof> {
  const [from, to] = [
    { rows: 0, hash: createHash('sha256') },
    { rows: 0, hash: createHash('sha256') },
  ];
  const [left, right] = [readSide(source, table, from), readSide(target, table, to)];
  let firstDifference: string | null = null;
  for (let [a, b] = await Promise.all([left.next(), right.next()]); !(a.done && b.done); [a, b] = await Promise.all([left.next(), right.next()])) {
    if (from.rows % 1000 === 0) told(from.rows);
    if (firstDifference !== null || (!a.done && !b.done && a.value.bytes.equals(b.value.bytes))) continue;
    firstDifference = difference(table, a.done ? null : a.value.row, b.done ? null : b.value.row);
  }
  const [checksum, targetChecksum] = [from.hash.digest('hex'), to.hash.digest('hex')];
  const equal = firstDifference === null && checksum === targetChecksum && from.rows === to.rows;
  return { table: table.name, rows: from.rows, targetRows: to.rows, checksum, targetChecksum, equal, firstDifference };
}

function difference(table: MovableTable, a: MovableRow | null, b: MovableRow | null): string {
  const order = a === null ? 1 : b === null ? -1 : compareKeys(table, a, b);
  if (order < 0) return `${keyText(table, a as MovableRow)} is missing from the target`;
  if (order > 0) return `${keyText(table, b as MovableRow)} is in the target only`;
  const columns = table.columns.filter((column, i) => {
    const one = { ...table, columns: [column] };
    return !canonicalRow(one, [a?.[i] ?? null]).equals(canonicalRow(one, [b?.[i] ?? null]));
  });
  return `${keyText(table, a as MovableRow)} differs in ${columns.map(({ name }) => name).join(', ')}`;
}
