import { type FilterCondition, type OrderBy, parseFilter, parseOrderBy } from '../../src/kernel/filter/index.ts';
import { runGrammar } from '../../src/tracking/filter-grammars.ts';
import type { RunRecord, View } from '../../src/tracking/index.ts';

export type Oracle = RunRecord;

const lookUp = (flat: string[], key: string): string | null => {
  for (let i = 0; i < flat.length; i += 2) if (flat[i] === key) return flat[i + 1] as string;
  return null;
};

function valueOf(run: RunRecord, kind: string, key: string): string | number | null {
  if (kind === 'metric') {
    const at = run.metrics.keys.indexOf(key);
    return at < 0 ? null : (run.metrics.values[at] as number);
  }
  if (kind === 'param') return lookUp(run.params, key);
  if (kind === 'tag') return lookUp(run.tags, key);
  const attributes: Record<string, string | number | null> = {
    run_id: run.runId,
    run_name: run.name,
    status: run.status,
    start_time: run.startTime,
    end_time: run.endTime,
    experiment_id: Number(run.experimentId),
  };
  return attributes[key] as string | number | null;
}

const like = (text: string, pattern: string, flags: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replace(/%/g, '.*')
      .replace(/_/g, '.')}$`,
    `su${flags}`,
  ).test(text);

function matches(run: RunRecord, { kind, key, operator, value }: FilterCondition): boolean {
  const actual = valueOf(run, kind, key);
  if (operator === 'IS NULL') return actual === null;
  if (actual === null) return false;
  switch (operator) {
    case 'IS NOT NULL':
      return true;
    case '=':
      return actual === value;
    case '!=':
      return actual !== value;
    case 'LIKE':
      return like(String(actual), String(value), '');
    case 'ILIKE':
      return like(String(actual), String(value), 'i');
    case 'IN':
      return (value as string[]).includes(String(actual));
    case 'NOT IN':
      return !(value as string[]).includes(String(actual));
    default: {
      const [x, y] = [actual as number, value as number];
      return operator === '<' ? x < y : operator === '<=' ? x <= y : operator === '>' ? x > y : x >= y;
    }
  }
}

/** Values, then NaN, then missing ones, whichever way the values are sorted. */
const rank = (value: string | number | null): number => (value === null ? 2 : typeof value === 'number' && Number.isNaN(value) ? 1 : 0);
function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? (a < b ? -1 : a > b ? 1 : 0) : Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

function compareBy(a: RunRecord, b: RunRecord, { kind, key, ascending }: OrderBy): number {
  const [x, y] = [valueOf(a, kind, key), valueOf(b, kind, key)];
  if (rank(x) !== rank(y)) return rank(x) - rank(y);
  if (rank(x) !== 0) return 0;
  const order = compare(x as string, y as string);
  return ascending ? order : -order;
}

/** MLflow's search the slow way: every run, one after the other. Returns run ids. */
export function searchLikeMlflow(runs: Oracle[], query: { experimentIds: string[]; filter: string; orderBy: readonly string[]; view: View }): string[] {
  const conditions = parseFilter(query.filter, runGrammar);
  const order = parseOrderBy(query.orderBy, runGrammar);
  if (!order.some(({ key }) => key === 'start_time')) order.push({ kind: 'attribute', key: 'start_time', ascending: false });
  order.push({ kind: 'attribute', key: 'run_id', ascending: true });
  return runs
    .filter(
      (run) =>
        query.experimentIds.includes(run.experimentId) &&
        (query.view === 'all' || run.lifecycleStage === query.view) &&
        conditions.every((condition) => matches(run, condition)),
    )
    .sort((a, b) => order.reduce((result, term) => result || compareBy(a, b, term), 0))
    .map(({ runId }) => runId);
}
