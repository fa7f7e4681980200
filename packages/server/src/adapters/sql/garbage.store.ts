import type { Kysely } from 'kysely';
import type { Garbage, GarbageKind, GarbageStore, KeptGarbage } from '../../upkeep/index.ts';
import { ownFolder } from '../../upkeep/index.ts';
import type { StoreContext } from './engine.ts';
import { heldByForks } from './garbage-forks.ts';
import type { Database } from './schema/index.ts';
import { batches, padded } from './tracking/keys.ts';
import { purgeNames } from './garbage-names.ts';

/** What registered versions point at. */
interface Uses {
  runs: Set<string>;
  models: Set<string>;
  paths: string[];
}

const DEFAULT_EXPERIMENT = 0;

/** See `GarbageStore` for what each method promises. */
export class SqlGarbageStore implements GarbageStore {
  static readonly reads: ReadonlySet<string> = new Set<keyof GarbageStore>(['find', 'exists', 'versionPaths']);
  // A run that is restored or registered, or a name that is used, must not go meanwhile.
  static readonly excludes = ['registry', 'tracking'];
  readonly #ctx: StoreContext;
  constructor(ctx: StoreContext) {
    this.#ctx = ctx;
  }

  find(before: number): Promise<{ garbage: Garbage[]; kept: KeptGarbage[] }> {
    return findGarbage(this.#ctx.db, before);
  }

  async purge(items: Garbage[], before: number): Promise<{ purged: Garbage[]; points: number }> {
    const { db } = this.#ctx;
    // Looked at again: something may have been restored, or registered, since it was found.
    const onlyRuns = items.every(({ kind }) => kind === 'run');
    const runIds = onlyRuns ? items.map(({ id }) => id) : undefined;
    const now = onlyRuns ? await findRuns(db, before, await usesOf(db), runIds) : await findGarbage(db, before);
    const still = new Set(now.garbage.map(({ kind, id }) => `${kind} ${id}`));
    const purged = items.filter(({ kind, id }) => still.has(`${kind} ${id}`));
    let points = 0;
    for (const { kind, id } of purged) {
      if (kind === 'run') points += await purgeRun(db, id);
      else if (kind === 'experiment') await purgeExperiment(db, Number(id));
      else await purgeModel(db, id);
    }
    for (const item of purged) {
      const path = ownFolder(item);
      if (path !== null && path !== undefined) await this.#ctx.emit({ type: 'files.orphaned', payload: { kind: item.kind, id: item.id, path } });
    }
    return { purged, points };
  }

  async exists(kind: GarbageKind, id: string): Promise<boolean> {
    const { db } = this.#ctx;
    if (kind === 'run') return (await db.selectFrom('runs').select('rid').where('run_id', '=', id).executeTakeFirst()) !== undefined;
    if (kind === 'experiment') return (await db.selectFrom('experiments').select('id').where('id', '=', Number(id)).executeTakeFirst()) !== undefined;
    return (await db.selectFrom('logged_models').select('model_id').where('model_id', '=', id).executeTakeFirst()) !== undefined;
  }

  async versionPaths(): Promise<string[]> {
    const rows = await this.#ctx.db.selectFrom('model_versions').select(['derived_path', 'storage_path']).execute();
    return rows.flatMap(({ derived_path, storage_path }) => [derived_path, storage_path].filter((path) => path !== null));
  }

  purgeNames(after: number, limit: number): Promise<{ purged: number; last: number | null }> {
    return purgeNames(this.#ctx.db, after, limit);
  }
}

async function usesOf(db: Kysely<Database>): Promise<Uses> {
  const rows = await db.selectFrom('model_versions').select(['run_id', 'logged_model_id', 'storage_path']).execute();
  const uses: Uses = { runs: new Set(), models: new Set(), paths: [] };
  for (const { run_id, logged_model_id, storage_path } of rows) {
    if (run_id !== null) uses.runs.add(run_id);
    if (logged_model_id !== null) uses.models.add(logged_model_id);
    if (storage_path !== null) uses.paths.push(storage_path);
  }
  for (const ids of batches([...uses.models])) {
    const sources = await db.selectFrom('logged_models').select('source_run_id').where('model_id', 'in', padded(ids)).execute();
    for (const { source_run_id } of sources) if (source_run_id !== '') uses.runs.add(source_run_id);
  }
  return uses;
}

/** Whether a version's files are in a folder, or the folder in them. */
const byVersion = ({ paths }: Uses, folder: string | null | undefined): boolean =>
  typeof folder === 'string' && paths.some((path) => path === folder || path.startsWith(`${folder}/`) || folder.startsWith(`${path}/`));

/** Deleted runs, or those of some ids. */
async function findRuns(db: Kysely<Database>, before: number, uses: Uses, ids?: string[]): Promise<{ garbage: Garbage[]; kept: KeptGarbage[] }> {
  let query = db.selectFrom('runs').select(['run_id', 'name', 'artifact_uri']).where('deleted', '=', 1).where('deleted_at', '<=', before);
  if (ids !== undefined) query = query.where('run_id', 'in', padded(ids));
  const found: { garbage: Garbage[]; kept: KeptGarbage[] } = { garbage: [], kept: [] };
  for (const { run_id, name, artifact_uri } of await query.execute()) {
    const item = { kind: 'run' as const, id: run_id, name, artifactUri: artifact_uri };
    if (uses.runs.has(run_id) || byVersion(uses, ownFolder(item))) found.kept.push({ ...keptOf(item), reason: 'A registered version was made of it.' });
    else found.garbage.push(item);
  }
  const { held, going } = await heldByForks(
    db,
    found.garbage.map(({ id }) => id),
  );
  const items = new Map(found.garbage.map((item) => [item.id, item]));
  for (const [id, fork] of held) found.kept.push({ ...keptOf(items.get(id) as Garbage), reason: `The run ${fork} was forked from it.` });
  return { garbage: going.map((id) => items.get(id) as Garbage), kept: found.kept };
}

async function findGarbage(db: Kysely<Database>, before: number): Promise<{ garbage: Garbage[]; kept: KeptGarbage[] }> {
  const uses = await usesOf(db);
  const runs = await findRuns(db, before, uses);
  const goingRuns = new Set(runs.garbage.map(({ id }) => id));
  const kept = runs.kept;

  const experiments = await db.selectFrom('experiments').selectAll().where('deleted', '=', 1).where('updated_at', '<=', before).execute();
  const goingExperiments = new Set(experiments.map(({ id }) => id));
  const models = await modelsOf(db, before, goingRuns, goingExperiments);
  const linked = await linkedModels(db, models, goingRuns);
  const garbage: Garbage[] = [];
  const goingModels = new Set<string>();
  for (const { model_id, name, artifact_uri, deleted } of models) {
    const item = { kind: 'logged model' as const, id: model_id, name, artifactUri: artifact_uri };
    if (uses.models.has(model_id) || byVersion(uses, ownFolder(item))) kept.push({ ...keptOf(item), reason: 'A registered version uses it.' });
    else if (deleted === 0 && linked.has(model_id)) kept.push({ ...keptOf(item), reason: 'A run that stays uses it.' });
    else {
      garbage.push(item);
      goingModels.add(model_id);
    }
  }

  // After the models that they made, which would else be found no more.
  garbage.push(...runs.garbage);
  for (const { id, name, artifact_location } of experiments) {
    // A folder of its own is removed whole; one that was chosen may hold other things as well.
    const own = artifact_location === `mlflow-artifacts:/${id}`;
    const item = { kind: 'experiment' as const, id: String(id), name, artifactUri: own ? artifact_location : null };
    const reason =
      id === DEFAULT_EXPERIMENT
        ? 'It is the experiment that clients begin in.'
        : (await staysIn(db, id, goingRuns, goingModels)) || byVersion(uses, ownFolder(item))
          ? 'Something in it stays.'
          : undefined;
    if (reason === undefined) garbage.push(item);
    else kept.push({ ...keptOf(item), reason });
  }
  return { garbage, kept };
}

const keptOf = ({ kind, id, name }: Garbage) => ({ kind, id, name });

/** Models that were deleted, or whose run or experiment goes. */
async function modelsOf(db: Kysely<Database>, before: number, runs: ReadonlySet<string>, experiments: ReadonlySet<number>) {
  const select = () => db.selectFrom('logged_models').select(['model_id', 'name', 'artifact_uri', 'deleted']);
  const found = new Map<string, { model_id: string; name: string; artifact_uri: string; deleted: number }>();
  const add = (rows: { model_id: string; name: string; artifact_uri: string; deleted: number }[]) => {
    for (const row of rows) found.set(row.model_id, row);
  };
  add(await select().where('deleted', '=', 1).where('updated_at', '<=', before).execute());
  for (const ids of batches([...runs])) add(await select().where('source_run_id', 'in', padded(ids)).execute());
  for (const ids of batches([...experiments])) add(await select().where('experiment_id', 'in', padded(ids)).execute());
  return [...found.values()];
}

/** Those of the models that a run that stays has among its inputs or outputs. */
async function linkedModels(db: Kysely<Database>, models: { model_id: string }[], goingRuns: ReadonlySet<string>): Promise<Set<string>> {
  const linked = new Set<string>();
  for (const batch of batches(models)) {
    const rows = await db
      .selectFrom('run_models')
      .innerJoin('runs', 'runs.rid', 'run_models.rid')
      .select(['run_models.model_id as model_id', 'runs.run_id as run_id'])
      .where('run_models.model_id', 'in', padded(batch.map(({ model_id }) => model_id)))
      .execute();
    for (const { model_id, run_id } of rows) if (!goingRuns.has(run_id)) linked.add(model_id);
  }
  return linked;
}

async function staysIn(db: Kysely<Database>, id: number, goingRuns: ReadonlySet<string>, goingModels: ReadonlySet<string>): Promise<boolean> {
  const runs = await db.selectFrom('runs').select('run_id').where('experiment_id', '=', id).execute();
  if (runs.some(({ run_id }) => !goingRuns.has(run_id))) return true;
  const models = await db.selectFrom('logged_models').select('model_id').where('experiment_id', '=', id).execute();
  return models.some(({ model_id }) => !goingModels.has(model_id));
}

/** Returns how many points of metrics it had. */
async function purgeRun(db: Kysely<Database>, runId: string): Promise<number> {
  const { rid } = await db.selectFrom('runs').select('rid').where('run_id', '=', runId).executeTakeFirstOrThrow();
  const series = await db.selectFrom('metric_series').select(['id', 'points']).where('rid', '=', rid).execute();
  for (const batch of batches(series.map(({ id }) => id))) {
    await db.deleteFrom('metric_chunks').where('series_id', 'in', padded(batch)).execute();
    await db.deleteFrom('logged_model_metrics').where('series_id', 'in', padded(batch)).execute();
  }
  for (const table of ['metric_series', 'latest_metrics', 'entry_series', 'series_entries', 'run_params', 'run_tags', 'run_datasets', 'run_models'] as const)
    await db.deleteFrom(table).where('rid', '=', rid).execute();
  await db.deleteFrom('runs').where('rid', '=', rid).execute();
  return series.reduce((sum, { points }) => sum + Number(points), 0);
}

async function purgeModel(db: Kysely<Database>, modelId: string): Promise<void> {
  for (const table of ['logged_model_params', 'logged_model_tags', 'logged_model_metrics', 'run_models', 'logged_models'] as const)
    await db.deleteFrom(table).where('model_id', '=', modelId).execute();
}

async function purgeExperiment(db: Kysely<Database>, id: number): Promise<void> {
  for (const table of ['experiment_tags', 'datasets', 'run_keys', 'saved_views'] as const) await db.deleteFrom(table).where('experiment_id', '=', id).execute();
  await db.deleteFrom('experiments').where('id', '=', id).execute();
}
