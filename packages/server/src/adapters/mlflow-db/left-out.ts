import type { MlflowDatabase } from './database.ts';

export const PROMPT = 'mlflow.prompt.is_prompt';
const NO_PLACE = 'there is no place for them here yet';

/** Tables of what is not carried over, by what is in them. */
const TABLES: [table: string, what: string][] = [
  ['trace_info', 'traces'],
  ['assessments', 'assessments of traces'],
  ['evaluation_datasets', 'evaluation datasets'],
  ['scorers', 'scorers'],
  ['webhooks', 'webhooks'],
  ['issues', 'issues'],
  ['label_schemas', 'label schemas'],
  ['review_queues', 'review queues'],
  ['endpoints', 'gateway endpoints'],
  ['secrets', 'gateway secrets'],
  ['budget_policies', 'gateway budgets'],
  ['guardrails', 'guardrails'],
  ['mcp_servers', 'MCP servers'],
  ['users', 'users'],
  ['experiment_permissions', 'permissions on experiments'],
  ['registered_model_permissions', 'permissions on registered models'],
];

/** Counts what is there and has no place here. */
export function leftOut(db: MlflowDatabase): { what: string; count: number; why: string }[] {
  const found: { what: string; count: number; why: string }[] = [];
  const add = (what: string, why: string, sql: string, ...values: string[]) => {
    const n = db.all<{ n: number }>(`select count(*) as n from ${sql}`, ...values)[0]?.n ?? 0;
    if (n > 0) found.push({ what, count: n, why });
  };
  if (db.has('registered_model_tags')) add('prompts', NO_PLACE, "registered_model_tags where key = ? and lower(value) = 'true'", PROMPT);
  for (const [table, what] of TABLES) if (db.has(table)) add(what, NO_PLACE, `"${table}"`);
  for (const [table, what] of [
    ['experiments', 'experiments of other workspaces'],
    ['registered_models', 'registered models of other workspaces'],
  ] as const)
    if (db.workspace(table) !== 'true') add(what, 'only the workspace "default" is read', `${table} where workspace != 'default'`);
  return found;
}
