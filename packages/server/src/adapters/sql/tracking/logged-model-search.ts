import { type Kysely, type RawBuilder, sql } from 'kysely';
import { invalid } from '../../../kernel/index.ts';
import type { FilterCondition } from '../../../kernel/filter/index.ts';
import type { DatasetFilter, LoggedModelOrder, LoggedModelQuery, LoggedModelRecord } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { portable } from '../spelling.ts';
import { parseExperimentId } from './experiments.ts';
import { afterSql, keyOf, orderSql, type SortColumn, selectSql } from './keyset.ts';
import { type LoggedModelRow, toModels } from './logged-models.ts';
import { clamp } from './points.ts';
import { seriesWithInnerValue } from './series-value.ts';
import { matchNumber, matchSplitText, matchText } from './text-match.ts';

const COLUMNS: Record<string, string> = {
  name: 'm.name',
  model_id: 'm.model_id',
  model_type: 'm.model_type',
  status: 'm.status',
  source_run_id: 'm.source_run_id',
  experiment_id: 'm.experiment_id',
  artifact_uri: 'm.artifact_uri',
  creation_timestamp: 'm.created_at',
  last_updated_timestamp: 'm.updated_at',
};
const STATUS: Record<string, number> = {
  PENDING: 1,
  READY: 2,
  FAILED: 3,
  UPLOAD_FAILED: 3,
  LOGGED_MODEL_PENDING: 1,
  LOGGED_MODEL_READY: 2,
  LOGGED_MODEL_UPLOAD_FAILED: 3,
};

export async function searchLoggedModels(db: Kysely<Database>, query: LoggedModelQuery): Promise<{ models: LoggedModelRecord[]; next?: unknown[] }> {
  if (query.experimentIds.length === 0) return { models: [] };
  const where = [sql<boolean>`m.deleted = 0`, sql<boolean>`m.experiment_id in (${sql.join(query.experimentIds.map(parseExperimentId))})`];
  const searched = sql<boolean>`${sql.join(where, sql` and `)}`;
  for (const condition of query.conditions)
    where.push(condition.kind === 'metric' ? await metricSql(db, condition, query.datasets, searched) : conditionSql(condition));
  if (query.datasets.length > 0 && !query.conditions.some(({ kind }) => kind === 'metric'))
    where.push(sql<boolean>`exists (select 1 from logged_model_metrics c where c.model_id = m.model_id and ${datasetSql(query.datasets)})`);
  const columns = query.orderBy.flatMap(orderColumns);
  if (!query.orderBy.some(({ kind, key }) => kind === 'attribute' && key === 'creation_timestamp'))
    columns.push({ expression: sql.ref('m.created_at'), ascending: false });
  if (!query.orderBy.some(({ kind, key }) => kind === 'attribute' && key === 'model_id')) columns.push({ expression: sql.ref('m.model_id'), ascending: true });
  const after = query.after === undefined ? undefined : afterSql(columns, query.after);
  if (after !== undefined && after !== 'none') where.push(after);
  const { rows } = await sql<
    LoggedModelRow & Record<string, unknown>
  >`select m.*, ${selectSql(columns)} from logged_models m where ${sql.join(where, sql` and `)} order by ${orderSql(columns)} limit ${query.limit + 1}`.execute(
    db,
  );
  const page = rows.slice(0, query.limit);
  const last = page[page.length - 1];
  return { models: await toModels(db, page), ...(rows.length > query.limit && last !== undefined ? { next: keyOf(last, columns) } : {}) };
}

/** Any point of a series may match, as in MLflow; for most comparisons its least and greatest value tell. */
async function metricSql(
  db: Kysely<Database>,
  { key, operator, value }: FilterCondition,
  datasets: DatasetFilter[],
  searched: RawBuilder<boolean>,
): Promise<RawBuilder<boolean>> {
  const number = clamp(value as number);
  const ofKey = datasets.length === 0 ? sql<boolean>`c.metric_key = ${key}` : sql<boolean>`c.metric_key = ${key} and ${datasetSql(datasets)}`;
  const inner = operator === '=' ? await seriesWithInnerValue(db, sql<boolean>`${searched} and ${ofKey}`, number) : [];
  const match =
    inner.length === 0
      ? matchMetric(operator, number)
      : sql<boolean>`(${matchMetric(operator, number)} or c.series_id in (${sql.join(inner.map((id) => sql.lit(id)))}))`;
  return sql<boolean>`exists (select 1 from logged_model_metrics c where c.model_id = m.model_id and ${ofKey} and ${match})`;
}

function conditionSql(condition: FilterCondition): RawBuilder<boolean> {
  const { kind, key, operator, value } = condition;
  if (kind === 'param' || kind === 'tag') {
    const table = sql.table(kind === 'param' ? 'logged_model_params' : 'logged_model_tags');
    return sql<boolean>`exists (select 1 from ${table} c where c.model_id = m.model_id and c.text_key = ${key} and ${matchSplitText('c', condition)})`;
  }
  const column = sql.ref(COLUMNS[key] as string);
  if (typeof value === 'number') return matchNumber(column, operator, value);
  if (key === 'status') return statusSql(condition);
  if (key === 'experiment_id') return matchText(portable('as_text', column), condition);
  return matchText(column, condition);
}

/** What a series' least, greatest and latest value tell. */
function matchMetric(operator: string, value: number): RawBuilder<boolean> {
  if (operator === '>' || operator === '>=') return matchNumber(sql.ref('c.max_value'), operator, value);
  if (operator === '<' || operator === '<=') return matchNumber(sql.ref('c.min_value'), operator, value);
  if (operator === '!=') return sql<boolean>`(c.min_value <> ${value} or c.max_value <> ${value} or c.value is null)`;
  return sql<boolean>`(c.value = ${value} or c.min_value = ${value} or c.max_value = ${value})`;
}

function statusSql({ operator, value }: FilterCondition): RawBuilder<boolean> {
  const codes = [value].flat().map((name) => STATUS[String(name).toUpperCase()] ?? -1);
  const within = sql<boolean>`m.status in (${sql.join(codes)})`;
  if (operator === '=' || operator === 'IN') return within;
  if (operator === '!=' || operator === 'NOT IN') return sql<boolean>`not ${within}`;
  throw invalid('invalid_filter', `Invalid comparison operator for attributes.status: '${operator}'. Expected one of ('=', '!=', 'IN', 'NOT IN').`);
}

const datasetSql = (datasets: DatasetFilter[]): RawBuilder<boolean> =>
  sql<boolean>`(${sql.join(
    datasets.map(({ name, digest }) => (digest === null ? sql`c.dataset_name = ${name}` : sql`(c.dataset_name = ${name} and c.dataset_digest = ${digest})`)),
    sql` or `,
  )})`;

/** Missing metrics come last; a metric's latest value counts, on the dataset if one is named. */
function orderColumns({ kind, key, ascending, datasetName, datasetDigest }: LoggedModelOrder): SortColumn[] {
  if (kind === 'attribute') return [{ expression: sql.ref(COLUMNS[key] as string), ascending }];
  const on = [sql<boolean>`c.model_id = m.model_id`, sql<boolean>`c.metric_key = ${key}`];
  if (datasetName !== null) on.push(sql<boolean>`c.dataset_name = ${datasetName}`);
  if (datasetDigest !== null) on.push(sql<boolean>`c.dataset_digest = ${datasetDigest}`);
  const latest = sql`(select c.value from logged_model_metrics c where ${sql.join(on, sql` and `)} order by c.timestamp desc, c.step desc, c.run_id limit 1)`;
  return [
    { expression: sql`case when ${latest} is null then 1 else 0 end`, ascending: true },
    { expression: sql`coalesce(${latest}, 0)`, ascending },
  ];
}
