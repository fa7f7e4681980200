import { dirname, join, resolve } from 'node:path';
import { localFiles, type MlflowSource, type SourceExperiment, type SourceLoggedModel, type SourceModel, type SourceVersion } from '../../transfer/index.ts';
import { type MlflowDatabase, openDatabase } from './database.ts';
import { leftOut, PROMPT } from './left-out.ts';
import { grouped, pairOf, readRuns, seriesReader } from './runs.ts';

const PAGE = 200;
const STATUSES: SourceLoggedModel['status'][] = ['LOGGED_MODEL_STATUS_UNSPECIFIED', 'LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED'];
const STAGES = new Set(['None', 'Staging', 'Production', 'Archived']);
const marks = (items: readonly unknown[]): string => items.map(() => '?').join(', ');

/** An MLflow by its database file. `files`: where the artifacts are now; else where they were, or where a server keeps them beside its database. */
export async function openMlflowDatabase(place: string, files: string | null): Promise<MlflowSource> {
  const db = openDatabase(place);
  const folder = dirname(db.file);
  const series = seriesReader(db);
  const places = {
    moved: files === null ? null : resolve(files),
    beside: ['mlartifacts', 'artifacts'].map((name) => join(folder, name)),
    relativeTo: [folder, process.cwd()],
  };
  return {
    place: db.file,
    listsForNothing: true,
    experiments: async () => readExperiments(db),
    async countRuns(experimentIds) {
      const counts = db.all<{ id: number; n: number }>('select experiment_id as id, count(*) as n from runs group by experiment_id');
      return counts.reduce((sum, { id, n }) => sum + (experimentIds.has(String(id)) ? n : 0), 0);
    },
    runs: (experimentIds) => pagesOf(readRuns(db, experimentIds)),
    series: ({ runId }) => pagesOf(series.read(runId)),
    loggedModels: (experimentIds) => pagesOf(readLoggedModels(db, experimentIds)),
    models: () => pagesOf(readModels(db)),
    versions: () => pagesOf(readVersions(db)),
    files: (owner) => localFiles(owner, places),
    leftOut: async () => leftOut(db),
    oddPoints: series.odd,
    close: async () => db.close(),
  };
}

async function* pagesOf<T>(pages: Iterable<T>): AsyncIterable<T> {
  yield* pages;
}

function readExperiments(db: MlflowDatabase): SourceExperiment[] {
  const time = (name: string) => `coalesce(${db.column('experiments', name, '0')}, 0)`;
  const rows = db.all<{ id: number; name: string; location: string | null; stage: string; created: number; updated: number }>(
    `select experiment_id as id, name, artifact_location as location, lifecycle_stage as stage, ${time('creation_time')} as created, ${time('last_update_time')} as updated
      from experiments where ${db.workspace('experiments')} order by experiment_id`,
  );
  const tags = grouped(
    db.has('experiment_tags')
      ? db.all<{ id: number; key: string; value: string | null }>('select experiment_id as id, key, value from experiment_tags order by key')
      : [],
    ({ id }) => String(id),
    pairOf,
  );
  return rows.map(({ id, name, location, stage, created, updated }) => ({
    id: String(id),
    name,
    artifactLocation: location ?? '',
    lifecycleStage: stage === 'deleted' ? 'deleted' : 'active',
    createdAt: created,
    updatedAt: updated,
    tags: tags.get(String(id)) ?? [],
  }));
}

function* readLoggedModels(db: MlflowDatabase, experimentIds: ReadonlySet<string>): Iterable<SourceLoggedModel[]> {
  if (!db.has('logged_models')) return;
  interface Row {
    rowid: number;
    model_id: string;
    experiment_id: number;
    name: string;
    artifact_location: string;
    creation_timestamp_ms: number;
    last_updated_timestamp_ms: number;
    status: number;
    lifecycle_stage: string;
    model_type: string | null;
    source_run_id: string | null;
    status_message: string | null;
  }
  for (const page of db.pages<Row>('select rowid, * from logged_models where true', PAGE)) {
    const rows = page.filter(({ experiment_id }) => experimentIds.has(String(experiment_id)));
    const ids = rows.map(({ model_id }) => model_id);
    const texts = (table: string, kind: string) =>
      grouped(
        db.all<{ id: string; key: string; value: string }>(
          `select model_id as id, ${kind}_key as key, ${kind}_value as value from ${table} where model_id in (${marks(ids)}) order by ${kind}_key`,
          ...ids,
        ),
        ({ id }) => id,
        pairOf,
      );
    const params = texts('logged_model_params', 'param');
    const tags = texts('logged_model_tags', 'tag');
    yield rows.map((row) => ({
      modelId: row.model_id,
      experimentId: String(row.experiment_id),
      name: row.name,
      modelType: row.model_type ?? '',
      sourceRunId: row.source_run_id ?? '',
      status: STATUSES[row.status] ?? 'LOGGED_MODEL_STATUS_UNSPECIFIED',
      statusMessage: row.status_message,
      createdAt: row.creation_timestamp_ms,
      updatedAt: row.last_updated_timestamp_ms,
      lifecycleStage: row.lifecycle_stage === 'deleted' ? 'deleted' : 'active',
      artifactUri: row.artifact_location,
      params: params.get(row.model_id) ?? [],
      tags: tags.get(row.model_id) ?? [],
    }));
  }
}

function* readModels(db: MlflowDatabase): Iterable<SourceModel[]> {
  if (!db.has('registered_models') || !db.has('model_versions')) return;
  interface Row {
    rowid: number;
    name: string;
    created: number;
    updated: number;
    description: string | null;
  }
  const sql = `select rowid, name, coalesce(creation_time, 0) as created, coalesce(last_updated_time, creation_time, 0) as updated, ${db.column('registered_models', 'description', 'null')} as description
    from registered_models where ${db.workspace('registered_models')}`;
  for (const page of db.pages<Row>(sql, PAGE)) {
    const names = page.map(({ name }) => name);
    const of = <T>(table: string, columns: string): (T & { name: string })[] =>
      db.has(table) ? db.all(`select name, ${columns} from ${table} where ${db.workspace(table)} and name in (${marks(names)})`, ...names) : [];
    const tags = grouped(of<{ key: string; value: string | null }>('registered_model_tags', 'key, value'), ({ name }) => name, pairOf);
    const aliases = grouped(
      of<{ alias: string; version: number }>('registered_model_aliases', 'alias, version'),
      ({ name }) => name,
      ({ alias, version }) => ({ alias, version }),
    );
    // Deleted versions too: their numbers are not used again.
    const last = new Map(
      db
        .all<{ name: string; last: number }>(
          `select name, max(version) as last from model_versions where ${db.workspace('model_versions')} and name in (${marks(names)}) group by name`,
          ...names,
        )
        .map((row) => [row.name, row.last]),
    );
    yield page
      .map(({ name, created, updated, description }) => ({
        name,
        description: description ?? '',
        createdAt: created,
        updatedAt: updated,
        lastVersion: last.get(name) ?? 0,
        tags: tags.get(name) ?? [],
        aliases: aliases.get(name) ?? [],
      }))
      .filter((model) => !model.tags.some(({ key, value }) => key === PROMPT && value.toLowerCase() === 'true'));
  }
}

function* readVersions(db: MlflowDatabase): Iterable<SourceVersion[]> {
  if (!db.has('registered_models') || !db.has('model_versions')) return;
  interface Row {
    rowid: number;
    name: string;
    version: number;
    created: number;
    updated: number;
    description: string | null;
    stage: string | null;
    source: string | null;
    run_id: string | null;
    run_link: string | null;
    status: string | null;
  }
  const sql = `select rowid, name, version, coalesce(creation_time, 0) as created, coalesce(last_updated_time, creation_time, 0) as updated, description, current_stage as stage,
    source, run_id, ${db.column('model_versions', 'run_link', 'null')} as run_link, ${db.column('model_versions', 'status', "'READY'")} as status
    from model_versions where ${db.workspace('model_versions')} and coalesce(current_stage, 'None') != 'Deleted_Internal'`;
  for (const page of db.pages<Row>(sql, PAGE)) {
    const names = [...new Set(page.map(({ name }) => name))];
    const tags = db.has('model_version_tags')
      ? grouped(
          db.all<{ name: string; version: number; key: string; value: string | null }>(
            `select name, version, key, value from model_version_tags where ${db.workspace('model_version_tags')} and name in (${marks(names)})`,
            ...names,
          ),
          ({ name, version }) => `${name}/${version}`,
          pairOf,
        )
      : new Map<string, never[]>();
    yield page.map(({ name, version, created, updated, description, stage, source, run_id, run_link, status }) => ({
      model: name,
      version,
      description: description ?? '',
      stage: (STAGES.has(stage ?? '') ? stage : 'None') as SourceVersion['stage'],
      status: status ?? 'READY',
      source: source ?? '',
      runId: run_id || null,
      runLink: run_link || null,
      createdAt: created,
      updatedAt: updated,
      tags: tags.get(`${name}/${version}`) ?? [],
    }));
  }
}
