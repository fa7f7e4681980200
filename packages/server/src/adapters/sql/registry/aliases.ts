import { conflict } from '../../../kernel/index.ts';
import type { GatePolicy, GateReport } from '../../../registry/index.ts';
import type { StoreContext } from '../engine.ts';
import { chunks, type Db, gateReport, needModel, needVersion } from './rows.ts';

export async function moveAlias(
  ctx: StoreContext,
  move: { model: string; alias: string; version: number; expected: number | null | undefined; report: GateReport | null },
): Promise<void> {
  const { db } = ctx;
  const { model_id } = await needVersion(db, move.model, move.version);
  const current = await db
    .selectFrom('registered_model_aliases')
    .select('version')
    .where('model_id', '=', model_id)
    .where('alias', '=', move.alias)
    .executeTakeFirst();
  const previous = current?.version ?? null;
  if (move.expected !== undefined && previous !== move.expected)
    throw conflict(
      'alias_moved_meanwhile',
      `The alias ${move.alias} of ${move.model} was moved to ${previous === null ? 'nothing' : `version ${previous}`} by someone else meanwhile. Look again and repeat.`,
      { details: { previous } },
    );
  if (move.report !== null) await addGateReport(ctx, move.report);
  if (previous === move.version) return;
  if (current === undefined) await db.insertInto('registered_model_aliases').values({ model_id, alias: move.alias, version: move.version }).execute();
  else
    await db.updateTable('registered_model_aliases').set({ version: move.version }).where('model_id', '=', model_id).where('alias', '=', move.alias).execute();
  await ctx.emit({
    type: 'alias.moved',
    payload: { model: move.model, alias: move.alias, version: move.version, previous, forced: move.report?.forced ?? false },
  });
}

export async function deleteAlias(ctx: StoreContext, name: string, alias: string): Promise<void> {
  const { db } = ctx;
  const { id } = await needModel(db, name);
  const current = await db.selectFrom('registered_model_aliases').select('version').where('model_id', '=', id).where('alias', '=', alias).executeTakeFirst();
  if (current === undefined) return;
  await db.deleteFrom('registered_model_aliases').where('model_id', '=', id).where('alias', '=', alias).execute();
  await ctx.emit({ type: 'alias.moved', payload: { model: name, alias, version: null, previous: current.version, forced: false } });
}

export async function setGatePolicy(ctx: StoreContext, name: string, policy: GatePolicy | null): Promise<void> {
  const { id } = await needModel(ctx.db, name);
  await ctx.db
    .updateTable('registered_models')
    .set({ gate_policy: policy === null ? null : JSON.stringify(policy), updated_at: ctx.now() })
    .where('id', '=', id)
    .execute();
}

export async function addGateReport(ctx: StoreContext, report: GateReport): Promise<void> {
  const { model_id } = await needVersion(ctx.db, report.model, report.version);
  await ctx.db
    .insertInto('gate_reports')
    .values({
      id: report.id,
      model_id,
      version: report.version,
      alias: report.alias,
      passed: report.passed ? 1 : 0,
      forced: report.forced ? 1 : 0,
      reason: report.reason,
      created_at: report.createdAt,
      results: JSON.stringify(report.results),
    })
    .execute();
}

const reports = (db: Db) =>
  db
    .selectFrom('gate_reports')
    .innerJoin('registered_models', 'registered_models.id', 'gate_reports.model_id')
    .selectAll('gate_reports')
    .select('registered_models.name as name');

export async function gateReports(db: Db, name: string, version: number, limit: number): Promise<GateReport[]> {
  const rows = await reports(db)
    .where('registered_models.name', '=', name)
    .where('version', '=', version)
    .orderBy('gate_reports.created_at', 'desc')
    .orderBy('gate_reports.id')
    .limit(limit)
    .execute();
  return rows.map(gateReport);
}

export async function lastGateReports(db: Db, name: string, versions: number[]): Promise<Record<number, GateReport>> {
  const result: Record<number, GateReport> = {};
  for (const part of chunks(versions)) {
    const newest = db
      .selectFrom('gate_reports')
      .innerJoin('registered_models', 'registered_models.id', 'gate_reports.model_id')
      .select(({ fn }) => ['gate_reports.model_id as model_id', 'gate_reports.version as version', fn.max('gate_reports.created_at').as('created_at')])
      .where('registered_models.name', '=', name)
      .where('version', 'in', part)
      .groupBy(['gate_reports.model_id', 'gate_reports.version']);
    const rows = await reports(db)
      .innerJoin(newest.as('newest'), (join) =>
        join
          .onRef('newest.model_id', '=', 'gate_reports.model_id')
          .onRef('newest.version', '=', 'gate_reports.version')
          .onRef('newest.created_at', '=', 'gate_reports.created_at'),
      )
      .execute();
    for (const row of rows) result[row.version] = gateReport(row);
  }
  return result;
}
