import type { monitoringOperations, OperationResponse } from '@binnacle/contract';
import { decodePageToken, encodePageToken, invalid, looseNumber } from '../kernel/index.ts';
import type { LoggedPrediction, PredictionLog } from './prediction-log.port.ts';

type Row = OperationResponse<(typeof monitoringOperations)['listPredictions']>['predictions'][number];
export interface PredictionQuery {
  from?: number | undefined;
  to?: number | undefined;
  limit: number;
  predictionId?: string | undefined;
  pageToken?: string | undefined;
}
export interface PredictionPage {
  predictions: Row[];
  nextPageToken?: string;
}

/** A page of the prediction log, newest event first. Throws `invalid` for a token that is not one. */
export async function predictionPage(log: PredictionLog, endpoint: string, query: PredictionQuery): Promise<PredictionPage> {
  const before = decodePageToken<{ ts: number; predictionId: string; version: number }>(query.pageToken);
  if (before !== undefined && (typeof before?.ts !== 'number' || typeof before.predictionId !== 'string' || !Number.isInteger(before.version)))
    throw invalid('invalid_page_token', 'Invalid page token: it was not made by this server. Start again without one.');
  const rows = await log.list({ endpoint, from: query.from, to: query.to, predictionId: query.predictionId, before, limit: query.limit });
  const last = rows[rows.length - 1];
  const page = { predictions: rows.map(toRow) };
  return rows.length < query.limit || last === undefined
    ? page
    : { ...page, nextPageToken: encodePageToken({ ts: last.ts, predictionId: last.predictionId, version: last.version }) };
}

const loose = (value: number | null): Row['score'] => (value === null ? null : looseNumber(value));
const toRow = (row: LoggedPrediction): Row => ({
  predictionId: row.predictionId,
  timestamp: row.ts,
  endpoint: row.endpoint,
  version: row.version,
  latencyMs: row.source === 'batch' ? null : row.latencyMs,
  features: JSON.parse(row.features) as Record<string, unknown>,
  prediction: row.predictionNumber === null ? row.prediction : looseNumber(row.predictionNumber),
  score: loose(row.score),
  label: row.label !== null && row.predictionNumber !== null && Number.isFinite(Number(row.label)) && row.label.trim() !== '' ? Number(row.label) : row.label,
});
