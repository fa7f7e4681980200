import type { Kysely, Selectable } from 'kysely';
import { notFound } from '../../../kernel/index.ts';
import type { ModelRecord, PackageFacts, Stage, VersionRecord } from '../../../registry/index.ts';
import type { Database } from '../schema/index.ts';
import type { GateReportTable, ModelVersionTable, RegisteredModelTable } from '../schema/registry.ts';
import type { GateReport } from '../../../registry/index.ts';

export type Db = Kysely<Database>;
export type ModelRow = Selectable<RegisteredModelTable>;
export type VersionRow = Selectable<ModelVersionTable> & { name: string };

/** Bound parameters of one `IN`; SQLite and MySQL take far more, prepared statements stay few. */
const CHUNK = 500;

export function* chunks<T>(items: readonly T[]): Iterable<T[]> {
  for (let i = 0; i < items.length; i += CHUNK) yield items.slice(i, i + CHUNK);
}

export async function needModel(db: Db, name: string): Promise<ModelRow> {
  const row = await db.selectFrom('registered_models').selectAll().where('name', '=', name).executeTakeFirst();
  if (row === undefined) throw notFound('registered_model_not_found', `Registered Model with name=${name} not found`, { details: { model: name } });
  return row;
}

export const versionRows = (db: Db) =>
  db
    .selectFrom('model_versions')
    .innerJoin('registered_models', 'registered_models.id', 'model_versions.model_id')
    .selectAll('model_versions')
    .select('registered_models.name as name');

export async function needVersion(db: Db, name: string, version: number): Promise<VersionRow> {
  const row = await versionRows(db).where('registered_models.name', '=', name).where('model_versions.version', '=', version).executeTakeFirst();
  if (row === undefined)
    throw notFound('model_version_not_found', `Model Version (name=${name}, version=${version}) not found`, { details: { model: name, version } });
  return row;
}

/** Rows with their tags, aliases and counts, in the rows' order. */
export async function modelRecords(db: Db, rows: readonly ModelRow[]): Promise<ModelRecord[]> {
  const records = new Map<string, ModelRecord>();
  for (const row of rows) {
    records.set(row.id, {
      name: row.name,
      description: row.description,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      tags: {},
      aliases: {},
      latestVersion: null,
      versionCount: 0,
      gatePolicy: row.gate_policy === null ? null : JSON.parse(row.gate_policy),
    });
  }
  for (const ids of chunks([...records.keys()])) {
    const tags = await db.selectFrom('registered_model_tags').selectAll().where('model_id', 'in', ids).orderBy('tag_key').execute();
    for (const tag of tags) setOwn(records.get(tag.model_id)?.tags, tag.tag_key, tag.tag_value);
    const aliases = await db.selectFrom('registered_model_aliases').selectAll().where('model_id', 'in', ids).orderBy('alias').execute();
    for (const alias of aliases) setOwn(records.get(alias.model_id)?.aliases, alias.alias, alias.version);
    const counts = await db
      .selectFrom('model_versions')
      .select(({ fn }) => ['model_id', fn.max('version').as('latest'), fn.countAll<number>().as('count')])
      .where('model_id', 'in', ids)
      .groupBy('model_id')
      .execute();
    for (const count of counts) {
      const record = records.get(count.model_id);
      if (record !== undefined) Object.assign(record, { latestVersion: Number(count.latest), versionCount: Number(count.count) });
    }
  }
  return [...records.values()];
}

/** Rows with their tags and aliases, in the rows' order. */
export async function versionRecords(db: Db, rows: readonly VersionRow[]): Promise<VersionRecord[]> {
  const byModel = new Map<string, Map<number, VersionRecord>>();
  const records = rows.map((row) => {
    const record = versionRecord(row);
    const versions = byModel.get(row.model_id) ?? new Map<number, VersionRecord>();
    byModel.set(row.model_id, versions.set(row.version, record));
    return record;
  });
  for (const [modelId, versions] of byModel) {
    for (const numbers of chunks([...versions.keys()])) {
      const tags = await db
        .selectFrom('model_version_tags')
        .selectAll()
        .where('model_id', '=', modelId)
        .where('version', 'in', numbers)
        .orderBy('tag_key')
        .execute();
      for (const tag of tags) setOwn(versions.get(tag.version)?.tags, tag.tag_key, tag.tag_value);
    }
    const aliases = await db.selectFrom('registered_model_aliases').selectAll().where('model_id', '=', modelId).orderBy('alias').execute();
    for (const { alias, version } of aliases) versions.get(version)?.aliases.push(alias);
  }
  return records;
}

function versionRecord(row: VersionRow): VersionRecord {
  const facts = JSON.parse(row.facts) as Pick<PackageFacts, 'flavors' | 'signature' | 'tensors' | 'metadata' | 'externalFiles'>;
  return {
    id: `${row.model_id}/${row.version}`,
    model: row.name,
    version: row.version,
    description: row.description,
    stage: row.stage as Stage,
    source: row.source,
    storageUri: row.storage_uri,
    runId: row.run_id,
    runLink: row.run_link,
    loggedModelId: row.logged_model_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    aliases: [],
    tags: {},
    storagePath: row.storage_path,
    graphPath: row.graph_path,
    graphSha256: row.graph_sha256,
    derivedPath: row.derived_path,
    sizeBytes: row.size_bytes,
    servable: row.servable === 1,
    statusMessage: row.status_message,
    ...facts,
  };
}

/** The columns that hold what was found in the files. */
export const factColumns = (facts: PackageFacts) => ({
  storage_path: facts.storagePath,
  graph_path: facts.graphPath,
  graph_sha256: facts.graphSha256,
  derived_path: facts.derivedPath,
  size_bytes: facts.sizeBytes,
  servable: facts.servable ? 1 : 0,
  status_message: facts.statusMessage,
  facts: JSON.stringify({
    flavors: facts.flavors,
    signature: facts.signature,
    tensors: facts.tensors,
    metadata: facts.metadata,
    externalFiles: facts.externalFiles,
  }),
});

export const gateReport = (row: Selectable<GateReportTable> & { name: string }): GateReport => ({
  id: row.id,
  model: row.name,
  version: row.version,
  alias: row.alias,
  passed: row.passed === 1,
  forced: row.forced === 1,
  reason: row.reason,
  createdAt: row.created_at,
  results: JSON.parse(row.results),
});

/** A tag may be called `__proto__`. */
function setOwn<T>(target: Record<string, T> | undefined, key: string, value: T): void {
  if (target !== undefined) Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
