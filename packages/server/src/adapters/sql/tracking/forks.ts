import type { Kysely } from 'kysely';
import { conflict, invalid, notFound } from '../../../kernel/index.ts';
import type { ForkInput, RunForks } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { batches, padded } from './keys.ts';
import type { RunRow } from './run-load.ts';

/** Forks of forks: how long such a chain may be. Each link is a query of every read. */
const MAX_DEPTH = 100;
const MAX_LISTED = 100;

/** A run, and the last step that counts of it: Infinity for the run itself, the step of the fork for those before it. */
export interface Part {
  rid: number;
  run_id: string;
  experiment_id: number;
  until: number;
}

/** The run itself, the one that it was forked from, and so on. A run that is no fork costs no query. */
export async function partsOf(db: Kysely<Database>, run: RunRow): Promise<Part[]> {
  const parts: Part[] = [{ rid: run.rid, run_id: run.run_id, experiment_id: run.experiment_id, until: Number.POSITIVE_INFINITY }];
  let until = Number.POSITIVE_INFINITY;
  let { fork_rid, fork_step } = run;
  while (fork_rid !== null && fork_step !== null) {
    until = Math.min(until, fork_step);
    const parent = await db
      .selectFrom('runs')
      .select(['rid', 'run_id', 'experiment_id', 'fork_rid', 'fork_step'])
      .where('rid', '=', fork_rid)
      .executeTakeFirst();
    if (parent === undefined) break;
    parts.push({ rid: parent.rid, run_id: parent.run_id, experiment_id: parent.experiment_id, until });
    ({ fork_rid, fork_step } = parent);
  }
  return parts;
}

/** The columns that make a run a fork. `not_found` when there is no such parent, `invalid` when the chain gets too long. */
export async function forkColumns(db: Kysely<Database>, fork: ForkInput | undefined): Promise<{ fork_rid: number | null; fork_step: number | null }> {
  if (fork === undefined) return { fork_rid: null, fork_step: null };
  const parent = await loadParent(db, fork);
  checkDepth((await partsOf(db, parent)).length);
  return { fork_rid: parent.rid, fork_step: fork.step };
}

async function loadParent(db: Kysely<Database>, { runId }: ForkInput): Promise<RunRow> {
  const parent = await db.selectFrom('runs').selectAll().where('run_id', '=', runId).executeTakeFirst();
  if (parent === undefined) throw notFound('run_not_found', `The run to fork from does not exist: there is no run ${runId}.`);
  return parent;
}

function checkDepth(links: number): void {
  if (links > MAX_DEPTH) throw invalid('fork_too_deep', `A fork of a fork of a fork … may be ${MAX_DEPTH} links long; this one would be longer.`);
}

/** Makes a run a fork. The same again is fine; a fork is never changed, and never of a run that was itself forked from this one. */
export async function setFork(db: Kysely<Database>, run: RunRow, fork: ForkInput): Promise<void> {
  const parent = await loadParent(db, fork);
  if (sameFork(run, parent.rid, fork.step)) return;
  if (run.fork_rid !== null) {
    const of = await db.selectFrom('runs').select('run_id').where('rid', '=', run.fork_rid).executeTakeFirst();
    const origin = of === undefined ? '' : ` of the run ${of.run_id} at step ${run.fork_step}`;
    throw conflict('fork_exists', `The run ${run.run_id} is a fork${origin} already, and a fork is never changed.`);
  }
  const above = await partsOf(db, parent);
  if (above.some(({ rid }) => rid === run.rid))
    throw invalid('fork_cycle', `The run ${run.run_id} cannot be forked from ${fork.runId}: that is this run, or was itself forked from it.`);
  checkDepth(above.length + (await heightBelow(db, run.rid)));
  await db.updateTable('runs').set({ fork_rid: parent.rid, fork_step: fork.step }).where('rid', '=', run.rid).execute();
}

const sameFork = (run: RunRow, rid: number, step: number): boolean => run.fork_rid === rid && run.fork_step === step;

/** For a run that is there already and was to be created with a fork. */
export async function checkSameFork(db: Kysely<Database>, run: RunRow, fork: ForkInput | undefined): Promise<void> {
  if (fork === undefined) return;
  if (sameFork(run, (await loadParent(db, fork)).rid, fork.step)) return;
  const otherwise = run.fork_rid === null ? 'is no fork' : 'was forked otherwise';
  throw conflict('fork_exists', `The run ${run.run_id} is there already, and ${otherwise}. Choose another run id, or leave the fork out.`);
}

/** How many links of forks hang below a run. */
async function heightBelow(db: Kysely<Database>, rid: number): Promise<number> {
  let level = [rid];
  for (let height = 0; ; height++) {
    const next: number[] = [];
    for (const rids of batches(level)) {
      const rows = await db.selectFrom('runs').select('rid').where('fork_rid', 'in', padded(rids)).execute();
      next.push(...rows.map((row) => row.rid));
    }
    if (next.length === 0 || height > MAX_DEPTH) return height;
    level = next;
  }
}

/** What a run was forked from, and what was forked from it. */
export async function forksOf(db: Kysely<Database>, run: RunRow): Promise<RunForks> {
  const below = await db
    .selectFrom('runs')
    .select(['run_id', 'name', 'fork_step'])
    .where('fork_rid', '=', run.rid)
    .where('deleted', '=', 0)
    .orderBy('rid', 'desc')
    .limit(MAX_LISTED)
    .execute();
  const forks = below.map(({ run_id, name, fork_step }) => ({ runId: run_id, name, step: fork_step as number }));
  if (run.fork_rid === null || run.fork_step === null) return { fork: null, forks };
  const parent = await db.selectFrom('runs').select(['run_id', 'name']).where('rid', '=', run.fork_rid).executeTakeFirst();
  return { fork: parent === undefined ? null : { runId: parent.run_id, name: parent.name, step: run.fork_step }, forks };
}
