import { type Expression, expressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { FilterCondition } from '../../../kernel/filter/index.ts';
import { decodePageToken, encodePageToken, invalid, type Page } from '../../../kernel/index.ts';
import type { ModelRecord, RegistrySearch, VersionRecord } from '../../../registry/index.ts';
import { portable } from '../spelling.ts';
import { ilike, like } from '../text-search.ts';
import { type Db, modelRecords, type ModelRow, type VersionRow, versionRecords, versionRows } from './rows.ts';

const PROMPT_TAG = 'mlflow.prompt.is_prompt';

/** A column of the order, and how a row's value of it is read for the page token. */
interface SortColumn {
  expression: RawBuilder<unknown>;
  ascending: boolean;
  value: string;
}

const modelColumns: Record<string, string> = { name: 'name', creation_timestamp: 'created_at', last_updated_timestamp: 'updated_at' };
/** Engines put NULL at either end; MLflow's own store has it before every text, as SQLite and MySQL do. */
const NULLABLE = new Set(['run_id']);
const versionColumns: Record<string, string> = {
  name: 'name',
  version_number: 'version',
  run_id: 'run_id',
  source_path: 'source',
  creation_timestamp: 'created_at',
  last_updated_timestamp: 'updated_at',
};

export async function searchModels(db: Db, search: RegistrySearch): Promise<Page<ModelRecord>> {
  const eb = expressionBuilder<{ registered_models: ModelRow }, 'registered_models'>();
  const where: Expression<SqlBool>[] = search.conditions.map((condition) => {
    if (condition.kind === 'tag') {
      return sql<SqlBool>`exists (select 1 from registered_model_tags t where t.model_id = registered_models.id and t.tag_key = ${condition.key} and ${compare(sql.ref('t.tag_value'), condition)})`;
    }
    return compare(column('registered_models', modelColumns, condition), condition);
  });
  if (search.excludePrompts) where.push(noPrompt);
  const order = sortColumns(search, modelColumns, 'registered_models', [{ key: 'name', ascending: true }]);
  const { where: after, orderBy } = keyset(order, search.pageToken);
  const rows = await db
    .selectFrom('registered_models')
    .selectAll()
    .where(eb.and([...where, ...after]))
    .$call((query) => orderBy.reduce((ordered, by) => ordered.orderBy(by), query))
    .limit(search.limit + 1)
    .execute();
  return page(await modelRecords(db, rows.slice(0, search.limit)), rows, order, search.limit);
}

export async function searchVersions(db: Db, search: RegistrySearch): Promise<Page<VersionRecord>> {
  const eb = expressionBuilder<{ model_versions: VersionRow }, 'model_versions'>();
  const where: Expression<SqlBool>[] = search.conditions.map((condition) => {
    if (condition.kind === 'tag') {
      return sql<SqlBool>`exists (select 1 from model_version_tags t where t.model_id = model_versions.model_id and t.version = model_versions.version and t.tag_key = ${condition.key} and ${compare(sql.ref('t.tag_value'), condition)})`;
    }
    return compare(column('model_versions', versionColumns, condition), condition);
  });
  if (search.excludePrompts) where.push(noPrompt);
  const last = [
    { key: 'name', ascending: true },
    { key: 'version_number', ascending: false },
  ];
  const order = sortColumns(
    search,
    versionColumns,
    'model_versions',
    search.orderBy.length === 0 ? [{ key: 'last_updated_timestamp', ascending: false }, ...last] : last,
  );
  const { where: after, orderBy } = keyset(order, search.pageToken);
  const rows = await versionRows(db)
    .where(eb.and([...where, ...after]) as never)
    .$call((query) => orderBy.reduce((ordered, by) => ordered.orderBy(by), query))
    .limit(search.limit + 1)
    .execute();
  return page(await versionRecords(db, rows.slice(0, search.limit)), rows, order, search.limit);
}

/** A prompt is a registered model with MLflow's tag; its versions go with it. */
const noPrompt = sql<SqlBool>`not exists (select 1 from registered_model_tags p where p.model_id = registered_models.id and p.tag_key = ${PROMPT_TAG} and p.tag_value = 'true')`;

function column(table: string, columns: Record<string, string>, { key }: { key: string }): RawBuilder<unknown> {
  const name = columns[key];
  if (name === undefined) throw invalid('invalid_filter', `Invalid attribute name: ${key}`);
  return sql.ref(name === 'name' ? 'registered_models.name' : `${table}.${name}`);
}

function compare(left: RawBuilder<unknown>, { operator, value }: FilterCondition): RawBuilder<SqlBool> {
  switch (operator) {
    case 'IN':
    case 'NOT IN': {
      const list = Array.isArray(value) ? value : [value];
      return sql<SqlBool>`${left} ${sql.raw(operator.toLowerCase())} (${sql.join(list)})`;
    }
    case 'LIKE':
      return like(left, String(value));
    case 'ILIKE':
      return ilike(left, String(value));
    case 'IS NULL':
    case 'IS NOT NULL':
      return sql<SqlBool>`${left} ${sql.raw(operator.toLowerCase())}`;
    default:
      return sql<SqlBool>`${left} ${sql.raw(operator)} ${typeof value === 'number' ? portable('a_number', value) : value}`;
  }
}

/** The caller's order, then what makes it total. */
function sortColumns(search: RegistrySearch, columns: Record<string, string>, table: string, last: { key: string; ascending: boolean }[]): SortColumn[] {
  const seen = new Set<string>();
  return [...search.orderBy, ...last].flatMap(({ key, ascending }) => {
    if (seen.has(key)) return [];
    seen.add(key);
    const expression = column(table, columns, { key });
    return [{ expression: NULLABLE.has(key) ? sql`coalesce(${expression}, '')` : expression, ascending, value: columns[key] ?? key }];
  });
}

/** Everything behind the last row of the page before: by its values, so that rows inserted meanwhile shift nothing. */
function keyset(order: SortColumn[], pageToken: string | undefined): { where: RawBuilder<SqlBool>[]; orderBy: RawBuilder<unknown>[] } {
  const orderBy = order.map(({ expression, ascending }) => sql`${expression} ${sql.raw(ascending ? 'asc' : 'desc')}`);
  const key = decodePageToken<unknown>(pageToken);
  if (key === undefined) return { where: [], orderBy };
  if (!Array.isArray(key) || key.length !== order.length || !key.every((value) => typeof value === 'string' || typeof value === 'number'))
    throw invalid('invalid_page_token', 'Invalid page token: it belongs to another search. Start again without one.');
  const steps = order.map(({ expression, ascending }, i) => {
    const equal = order.slice(0, i).map((before, j) => sql<SqlBool>`${before.expression} = ${key[j]}`);
    return sql<SqlBool>`(${sql.join([...equal, sql<SqlBool>`${expression} ${sql.raw(ascending ? '>' : '<')} ${key[i]}`], sql` and `)})`;
  });
  return { where: [sql<SqlBool>`(${sql.join(steps, sql` or `)})`], orderBy };
}

function page<T>(items: T[], rows: object[], order: SortColumn[], limit: number): Page<T> {
  const last = rows[limit - 1] as Record<string, unknown> | undefined;
  if (rows.length <= limit || last === undefined) return { items };
  return { items, nextPageToken: encodePageToken(order.map(({ value }) => last[value] ?? '')) };
}
