import { BinnacleError, invalid } from '../../kernel/index.ts';
import { missingValue, type Points, SEE_DOCS, type TrackingService } from '../../tracking/index.ts';
import { nextPage } from './experiments.routes.ts';
import type { Fields } from './fields.ts';
import { pointsJson } from './messages.ts';
import type { MlflowRoute } from './routes.ts';

const MAX_HISTORY = 25_000;
const MAX_RUNS = 100;
const MAX_POINTS_A_RUN = 2500;

const NONE: Points = { steps: new Float64Array(), timestamps: new Float64Array(), values: new Float64Array() };
/** Of a run that is not there, MLflow answers with no points. */
async function orNone(points: Promise<Points>): Promise<Points> {
  try {
    return await points;
  } catch (error) {
    if (error instanceof BinnacleError && error.kind === 'not_found') return NONE;
    throw error;
  }
}

/** `metrics/*`. */
export function metricRoutes(tracking: TrackingService): MlflowRoute[] {
  return [
    {
      method: 'GET',
      path: 'metrics/get-history',
      async handler(fields) {
        const runId = fields.runId();
        const key = fields.requiredString('metric_key');
        const asked = fields.int('max_results');
        if (asked !== undefined && asked < 1)
          throw invalid('invalid_parameter', `Invalid value ${asked} for parameter 'max_results' supplied. It must be a positive integer.`);
        // Clients that page ask for a size; the others (Java, R) expect the whole history at once.
        const limit = asked === undefined ? null : Math.min(asked, MAX_HISTORY);
        const history: Points & { nextPageToken?: string | undefined } = await orNone(tracking.metricHistory(runId, key, limit, fields.string('page_token')));
        return { metrics: pointsJson(key, history), ...nextPage(history.nextPageToken) };
      },
    },
    {
      method: 'GET',
      path: 'metrics/get-history-bulk',
      ajaxOnly: true,
      async handler(fields) {
        const runIds = fields.strings('run_id') ?? [];
        if (runIds.length === 0) throw invalid('invalid_parameter', 'GetMetricHistoryBulk request must specify at least one run_id.');
        if (runIds.length > MAX_RUNS)
          throw invalid('invalid_parameter', `GetMetricHistoryBulk request cannot specify more than ${MAX_RUNS} run_ids. Received ${runIds.length} run_ids.`);
        const key = fields.string('metric_key');
        if (key === undefined) throw invalid('invalid_parameter', 'GetMetricHistoryBulk request must specify a metric_key.');
        const limit = Math.min(fields.int('max_results') ?? MAX_HISTORY, MAX_HISTORY);
        const metrics: object[] = [];
        for (const runId of [...runIds].sort()) {
          if (metrics.length >= limit) break;
          metrics.push(...pointsJson(key, await orNone(tracking.metricHistory(runId, key, limit - metrics.length)), runId));
        }
        return { metrics };
      },
    },
    {
      method: 'GET',
      path: 'metrics/get-history-bulk-interval',
      async handler(fields) {
        const runIds = fields.strings('run_ids') ?? [];
        if (runIds.length === 0) throw missingValue('run_ids');
        if (runIds.length > MAX_RUNS)
          throw invalid(
            'invalid_parameter',
            `GetMetricHistoryBulkInterval request must specify at most ${MAX_RUNS} run_ids. Received ${runIds.length} run_ids. ${SEE_DOCS}`,
          );
        const key = fields.requiredString('metric_key');
        const limit = fields.int('max_results') ?? MAX_POINTS_A_RUN;
        if (limit < 1 || limit > MAX_POINTS_A_RUN) throw invalid('invalid_parameter', `max_results must be between 1 and ${MAX_POINTS_A_RUN}. ${SEE_DOCS}`);
        const range = rangeOf(fields);
        const metrics: object[] = [];
        for (const runId of runIds) metrics.push(...pointsJson(key, await orNone(tracking.sampleMetric(runId, key, limit, range)), runId));
        return { metrics };
      },
    },
  ];
}

function rangeOf(fields: Fields): { from: number; to: number } | null {
  const from = fields.int('start_step');
  const to = fields.int('end_step');
  if (from === undefined && to === undefined) return null;
  if (from === undefined || to === undefined) throw invalid('invalid_parameter', 'If either start step or end step are specified, both must be specified.');
  if (from > to) throw invalid('invalid_parameter', `end_step must be greater than start_step. Found start_step=${from} and end_step=${to}.`);
  // Steps with fractions are seen as their whole part, so the last step reaches up to the next.
  return { from, to: Math.max(to, to + 1 - Number.EPSILON * Math.max(1, Math.abs(to + 1))) };
}
