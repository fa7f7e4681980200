import type { LoggedPrediction, LogQuery, LogRow, QualityQuery, QualitySums } from '../../monitoring/prediction-log.port.ts';
import { quoteLiteral } from './instance.ts';

/** The statements of the prediction log. `predictions` and `labels` are relations (LogTables.relation). */

/** Labels that one call stored: sequence numbers from `from` up to, not including, `to`. */
export interface LabelBatch {
  endpoint: string;
  from: bigint;
  to: bigint;
}

/** The label that counts: the last one sent for a prediction. */
const latest = (labels: string, endpoint: string): string =>
  `(SELECT prediction_id, last.label AS label, last.number AS label_number FROM (
    SELECT prediction_id, arg_max({label: label, number: coalesce(label_number, TRY_CAST(label AS DOUBLE))}, seq) AS last FROM ${labels} WHERE endpoint = ${quoteLiteral(endpoint)} GROUP BY prediction_id))`;

export const labelSql = {
  match: (predictions: string, labels: string, { endpoint, from, to }: LabelBatch): string => `
    WITH l AS MATERIALIZED (SELECT prediction_id, seq FROM ${labels} WHERE endpoint = ${quoteLiteral(endpoint)}),
      batch AS MATERIALIZED (SELECT DISTINCT prediction_id FROM l WHERE seq >= ${from} AND seq < ${to}),
      matched AS MATERIALIZED (SELECT DISTINCT prediction_id FROM ${predictions} p SEMI JOIN batch USING (prediction_id) WHERE endpoint = ${quoteLiteral(endpoint)})
    SELECT (SELECT count(*) FROM batch) AS sent, (SELECT count(*) FROM matched) AS matched,
      (SELECT count(*) FROM matched ANTI JOIN (SELECT prediction_id FROM l WHERE seq < ${from}) older USING (prediction_id)) AS fresh`,
  aliases: (predictions: string, labels: string, { endpoint, from, to }: LabelBatch): string => `
    WITH batch AS MATERIALIZED (SELECT DISTINCT prediction_id AS alias FROM ${labels} WHERE endpoint = ${quoteLiteral(endpoint)} AND seq >= ${from} AND seq < ${to}),
      own AS (SELECT request_id || ':' || instance_index AS alias, prediction_id FROM ${predictions} WHERE endpoint = ${quoteLiteral(endpoint)} AND source <> 'batch')
    SELECT DISTINCT alias, prediction_id FROM own SEMI JOIN batch USING (alias) WHERE alias <> prediction_id`,
  count: (predictions: string, labels: string, endpoint: string): string => `
    SELECT count(DISTINCT prediction_id) AS n FROM ${predictions} p SEMI JOIN ${latest(labels, endpoint)} l USING (prediction_id) WHERE endpoint = ${quoteLiteral(endpoint)}`,
};

export function listSql(predictions: string, labels: string, query: LogQuery): string {
  const where = [`endpoint = ${quoteLiteral(query.endpoint)}`];
  if (query.from !== undefined) where.push(`ts >= ${query.from}`);
  if (query.to !== undefined) where.push(`ts < ${query.to}`);
  if (query.predictionId !== undefined)
    where.push(
      `(prediction_id = ${quoteLiteral(query.predictionId)} OR (source <> 'batch' AND request_id || ':' || instance_index = ${quoteLiteral(query.predictionId)}))`,
    );
  if (query.before !== undefined)
    where.push(`(ts, prediction_id, version) < (${query.before.ts}, ${quoteLiteral(query.before.predictionId)}, ${query.before.version})`);
  return `WITH page AS MATERIALIZED (SELECT * FROM ${predictions} WHERE ${where.join(' AND ')} ORDER BY ts DESC, prediction_id DESC, version DESC LIMIT ${query.limit}),
      known AS (SELECT prediction_id, arg_max(label, seq) AS label FROM ${labels} l SEMI JOIN page USING (prediction_id) WHERE endpoint = ${quoteLiteral(query.endpoint)} GROUP BY prediction_id)
    SELECT page.*, known.label FROM page LEFT JOIN known USING (prediction_id) ORDER BY ts DESC, prediction_id DESC, version DESC`;
}

/** As scikit-learn: probabilities are kept off 0 and 1 by the precision of a double. */
const EPSILON = '2.220446049250313e-16';

/**
 * Sums by window over predictions joined with their labels; the exact AUC from ranks: of all pairs of a positive and a negative, those
 * where the positive has the higher score, ties counted half.
 */
export function qualitySql(predictions: string, labels: string, q: QualityQuery): string {
  const sources = q.sources.map(quoteLiteral).join(', ');
  const y = q.positive === undefined ? 'NULL::INTEGER' : `(l.label = ${quoteLiteral(q.positive)})::INTEGER`;
  return `WITH rows AS MATERIALIZED (
      SELECT (p.ts - ${q.originMs}) // ${q.windowMs} * ${q.windowMs} + ${q.originMs} AS start, p.prediction, p.prediction_number, p.score, l.label, l.label_number,
        CASE WHEN l.label IS NULL OR p.score IS NULL THEN NULL ELSE ${y} END AS y,
        greatest(least(p.score, 1 - ${EPSILON}), ${EPSILON}) AS clipped
      FROM ${predictions} p LEFT JOIN ${latest(labels, q.endpoint)} l USING (prediction_id)
      WHERE p.endpoint = ${quoteLiteral(q.endpoint)} AND p.model = ${quoteLiteral(q.model)} AND p.ts >= ${q.from} AND p.ts < ${q.to} AND p.source IN (${sources})${q.version === undefined ? '' : ` AND p.version = ${q.version}`}),
    steps AS (SELECT start, score, sum(y) AS pos, count(*) - sum(y) AS neg FROM rows WHERE y IS NOT NULL GROUP BY start, score),
    ranked AS (SELECT start, pos, neg, coalesce(sum(neg) OVER (PARTITION BY start ORDER BY score ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS below FROM steps),
    auc AS (SELECT start, sum(pos::DOUBLE * (below + neg / 2.0)) / nullif(sum(pos)::DOUBLE * sum(neg), 0) AS auc FROM ranked GROUP BY start),
    sums AS (
      SELECT start, count(*) AS predictions, count(label) AS labelled,
        count(*) FILTER (label = prediction) AS correct, count(*) FILTER (label IS NOT NULL AND prediction IS NOT NULL) AS predicted,
        count(y) AS scored, coalesce(sum(y), 0) AS positives, sum((score - y) ** 2) AS squared_error,
        sum(-CASE WHEN y = 1 THEN ln(clipped) ELSE ln(1 - clipped) END) FILTER (y IS NOT NULL) AS log_loss,
        count(*) FILTER (y IS NOT NULL AND (score >= 0.5) = (y = 1)) AS thresholded,
        count(*) FILTER (label_number IS NOT NULL AND prediction_number IS NOT NULL) AS numeric,
        sum((prediction_number - label_number) ** 2) AS squared_residual, sum(abs(prediction_number - label_number)) AS absolute_residual
      FROM rows GROUP BY start)
    SELECT sums.*, auc.auc FROM sums LEFT JOIN auc USING (start) ORDER BY start`;
}

export const toSums = (row: Record<string, unknown>): QualitySums => ({
  start: Number(row['start']),
  predictions: Number(row['predictions']),
  labelled: Number(row['labelled']),
  correct: Number(row['correct']),
  predicted: Number(row['predicted']),
  scored: Number(row['scored']),
  positives: Number(row['positives']),
  squaredError: Number(row['squared_error'] ?? 0),
  logLoss: Number(row['log_loss'] ?? 0),
  thresholded: Number(row['thresholded']),
  auc: row['auc'] === null ? null : Number(row['auc']),
  numeric: Number(row['numeric']),
  squaredResidual: Number(row['squared_residual'] ?? 0),
  absoluteResidual: Number(row['absolute_residual'] ?? 0),
});

export const toRow = (row: Record<string, unknown>): LogRow => ({
  session: String(row['session']),
  ordinal: Number(row['ordinal']),
  predictionId: String(row['prediction_id']),
  requestId: String(row['request_id']),
  instanceIndex: Number(row['instance_index']),
  ts: Number(row['ts']),
  receivedAt: Number(row['received_at']),
  endpoint: String(row['endpoint']),
  model: String(row['model']),
  version: Number(row['version']),
  source: row['source'] as LogRow['source'],
  weight: Number(row['weight']),
  samplingFraction: Number(row['sampling_fraction']),
  latencyMs: Number(row['latency_ms']),
  features: String(row['features']),
  prediction: row['prediction'] as string | null,
  predictionNumber: row['prediction_number'] as number | null,
  score: row['score'] as number | null,
});

export const toLogged = (row: Record<string, unknown>): LoggedPrediction => ({ ...toRow(row), label: row['label'] as string | null });
