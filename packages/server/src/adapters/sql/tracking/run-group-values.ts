import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from '../schema/index.ts';
import { batches, KeyKind, padded } from './keys.ts';
import { restore } from './points.ts';

/** The runs whose values are wanted. Arrays about them go by the place of a run: its rid less `first`. */
export interface Members {
  rids: number[];
  first: number;
  /** Of an array that has a place for each of them. */
  places: number;
  experimentIds: number[];
  /** They are most of their experiments' runs. */
  most: boolean;
}

/** A text of each run as a small number: 0 for none, else one more than its index in `texts`. */
export interface Codes {
  of: Int32Array;
  texts: string[];
}

/** Of so many runs a key's values are read run by run; of more, the key's index is read from end to end. */
const FEW = 20_000;
/** A text that goes on in `rest` has a head of at least this length (see text-value.ts). */
const FULL_HEAD = 250;

export function membersOf(rids: number[], experimentIds: number[], most: boolean): Members {
  let first = Number.POSITIVE_INFINITY;
  let last = -1;
  for (const rid of rids) {
    if (rid < first) first = rid;
    if (rid > last) last = rid;
  }
  return { rids, first: rids.length === 0 ? 0 : first, places: rids.length === 0 ? 0 : last - first + 1, experimentIds, most };
}

/** Gives texts their codes; one that was seen before keeps it. */
export class Coder implements Codes {
  readonly of: Int32Array;
  readonly texts: string[] = [];
  readonly #codes = new Map<string, number>();
  readonly #first: number;
  constructor({ first, places }: Members) {
    this.of = new Int32Array(places);
    this.#first = first;
  }
  /** A run that is no member may have a place, which nobody looks at, or none. */
  set(rid: number, text: string): void {
    let code = this.#codes.get(text);
    if (code === undefined) {
      code = this.texts.push(text);
      this.#codes.set(text, code);
    }
    this.of[rid - this.#first] = code;
  }
}

/** Runs `read` for the members in batches, or once for all. */
async function readIn<T>(members: Members, read: (where: RawBuilder<unknown> | undefined) => Promise<T[]>): Promise<T[]> {
  if (members.most || members.rids.length > FEW) return await read(undefined);
  const rows: T[] = [];
  for (const batch of batches(members.rids)) for (const row of await read(sql` and rid in (${sql.join(padded(batch))})`)) rows.push(row);
  return rows;
}

const keyIn = (ids: number[]): RawBuilder<unknown> => (ids.length === 1 ? sql`key_id = ${ids[0]}` : sql`key_id in (${sql.join(ids)})`);

/** Calls `add` for each finite value of a metric; also for runs that are no members. */
export async function metricValues(db: Kysely<Database>, keyIds: number[], members: Members, add: (rid: number, value: number) => void): Promise<void> {
  if (keyIds.length === 0 || members.rids.length === 0) return;
  const rows = await readIn(members, async (where) => {
    // Of some runs the value is said as an expression, else an engine takes the index on values for each of them anew.
    const known = where === undefined ? sql`value is not null` : sql`(value + 0) is not null${where}`;
    return (await sql<{ rid: number; value: number }>`select rid, value from latest_metrics where ${keyIn(keyIds)} and ${known}`.execute(db)).rows;
  });
  // `infinite` is not in the index on values: it is asked for the few that may be.
  const doubtful: number[] = [];
  for (const { rid, value } of rows) {
    if (value === Number.MAX_VALUE || value === -Number.MAX_VALUE) doubtful.push(rid);
    else add(rid, value);
  }
  for (const batch of batches(doubtful)) {
    const { rows: exact } = await sql<{
      rid: number;
      value: number;
      infinite: number;
    }>`select rid, value, infinite from latest_metrics where ${keyIn(keyIds)} and rid in (${sql.join(padded(batch))})`.execute(db);
    for (const row of exact) {
      const value = restore(row.value, row.infinite);
      if (Number.isFinite(value)) add(row.rid, value);
    }
  }
}

/** A param's or tag's values. */
export async function textCodes(db: Kysely<Database>, kind: KeyKind, keyIds: number[], members: Members): Promise<Codes> {
  const codes = new Coder(members);
  if (keyIds.length === 0 || members.rids.length === 0) return codes;
  const table = sql.table(kind === KeyKind.param ? 'run_params' : 'run_tags');
  const rows = await readIn(
    members,
    async (where) => (await sql<{ rid: number; head: string }>`select rid, head from ${table} where ${keyIn(keyIds)}${where ?? sql``}`.execute(db)).rows,
  );
  const long: { rid: number; head: string }[] = [];
  for (const row of rows) {
    if (row.head.length >= FULL_HEAD) long.push(row);
    else codes.set(row.rid, row.head);
  }
  for (const batch of batches(long)) {
    const heads = new Map(batch.map(({ rid, head }) => [rid, head]));
    const { rows: rests } = await sql<{
      rid: number;
      rest: string | null;
    }>`select rid, rest from ${table} where ${keyIn(keyIds)} and rid in (${sql.join(padded([...heads.keys()]))})`.execute(db);
    for (const { rid, rest } of rests) codes.set(rid, `${heads.get(rid) ?? ''}${rest ?? ''}`);
  }
  return codes;
}

/** The names of a run's datasets, sorted, a line each. */
export async function datasetCodes(db: Kysely<Database>, members: Members): Promise<Codes> {
  const rows = await db
    .selectFrom('datasets')
    .innerJoin('run_datasets', 'run_datasets.dataset_id', 'datasets.id')
    .select(['run_datasets.rid as rid', 'datasets.name as name'])
    .where('datasets.experiment_id', 'in', padded(members.experimentIds))
    .execute();
  const names = new Map<number, Set<string>>();
  for (const { rid, name } of rows) {
    const of = names.get(rid);
    if (of === undefined) names.set(rid, new Set([name]));
    else of.add(name);
  }
  const codes = new Coder(members);
  for (const [rid, set] of names) codes.set(rid, [...set].sort().join('\n'));
  return codes;
}
