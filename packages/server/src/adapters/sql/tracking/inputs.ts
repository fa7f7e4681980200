import type { Kysely } from 'kysely';
import type { DatasetInput, KeyValue, ModelOutput, RunRecord } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { padded } from './keys.ts';

const CONTEXT_TAG = 'mlflow.data.context';

/** Datasets are one row a name and digest in an experiment; logging one twice changes nothing. */
export async function writeDatasets(db: Kysely<Database>, run: { rid: number; experiment_id: number }, inputs: DatasetInput[]): Promise<void> {
  for (const { dataset, tags } of inputs) {
    const find = () =>
      db
        .selectFrom('datasets')
        .select('id')
        .where('experiment_id', '=', run.experiment_id)
        .where('name', '=', dataset.name)
        .where('digest', '=', dataset.digest)
        .executeTakeFirst();
    let row = await find();
    if (row === undefined) {
      await db
        .insertInto('datasets')
        .values({
          experiment_id: run.experiment_id,
          name: dataset.name,
          digest: dataset.digest,
          source_type: dataset.sourceType,
          source: dataset.source,
          schema_text: dataset.schema,
          profile: dataset.profile,
        })
        .execute();
      row = await find();
    }
    if (row === undefined) continue;
    const linked = await db.selectFrom('run_datasets').select('dataset_id').where('rid', '=', run.rid).where('dataset_id', '=', row.id).executeTakeFirst();
    if (linked !== undefined) continue;
    const context = tags.find(({ key }) => key === CONTEXT_TAG)?.value ?? null;
    await db
      .insertInto('run_datasets')
      .values({ rid: run.rid, dataset_id: row.id, context, tags: JSON.stringify(tags) })
      .execute();
  }
}

export async function writeModels(db: Kysely<Database>, rid: number, direction: 0 | 1, models: ModelOutput[]): Promise<void> {
  for (const { modelId, step } of models) {
    const linked = await db
      .selectFrom('run_models')
      .select('rid')
      .where('rid', '=', rid)
      .where('direction', '=', direction)
      .where('model_id', '=', modelId)
      .where('step', '=', step)
      .executeTakeFirst();
    if (linked === undefined) await db.insertInto('run_models').values({ rid, direction, model_id: modelId, step }).execute();
  }
}

/** Adds datasets and models to records, keyed by their internal ids. */
export async function loadInputs(db: Kysely<Database>, records: Map<number, RunRecord>, rids: number[]): Promise<void> {
  if (rids.length === 0) return;
  const [datasets, models] = await Promise.all([
    db
      .selectFrom('run_datasets')
      .innerJoin('datasets', 'datasets.id', 'run_datasets.dataset_id')
      .selectAll()
      .where('run_datasets.rid', 'in', padded(rids))
      .orderBy('run_datasets.dataset_id')
      .execute(),
    db.selectFrom('run_models').selectAll().where('rid', 'in', padded(rids)).orderBy('step').execute(),
  ]);
  for (const row of datasets) {
    const dataset = { name: row.name, digest: row.digest, sourceType: row.source_type, source: row.source, schema: row.schema_text, profile: row.profile };
    records.get(row.rid)?.datasets.push({ dataset, tags: JSON.parse(row.tags) as KeyValue[] });
  }
  for (const row of models) {
    const record = records.get(row.rid);
    if (row.direction === 0) record?.modelInputs.push(row.model_id);
    else record?.modelOutputs.push({ modelId: row.model_id, step: row.step });
  }
}

export async function searchDatasets(
  db: Kysely<Database>,
  experimentIds: number[],
): Promise<{ experimentId: string; name: string; digest: string; context: string | null }[]> {
  if (experimentIds.length === 0) return [];
  const rows = await db
    .selectFrom('datasets')
    .innerJoin('run_datasets', 'run_datasets.dataset_id', 'datasets.id')
    .select(['experiment_id', 'name', 'digest', 'context'])
    .distinct()
    .where('experiment_id', 'in', padded(experimentIds))
    .orderBy('name')
    .limit(1000)
    .execute();
  return rows.map((row) => ({ experimentId: String(row.experiment_id), name: row.name, digest: row.digest, context: row.context }));
}
