import { expect, it } from 'vitest';
import type { LogRow } from '../../monitoring/prediction-log.port.ts';
import { packRows, unpackRows } from './prediction-log-wire.ts';

const row = (index: number, over: Partial<LogRow> = {}): LogRow => ({
  predictionId: `r${index}:0`,
  requestId: `r${index}`,
  instanceIndex: 0,
  ts: 1000 + index,
  receivedAt: 2000 + index,
  endpoint: 'flights',
  model: 'flights',
  version: 1,
  source: 'live',
  weight: 1,
  session: 's',
  ordinal: 1,
  samplingFraction: 1,
  latencyMs: 0.25,
  features: `{"x":${index}}`,
  prediction: '1',
  predictionNumber: 1,
  score: 0.5,
  ...over,
});

it('every field survives the way to the thread', () => {
  const rows = [
    row(0),
    row(1, { predictionId: 'own id', prediction: null, predictionNumber: null, score: null }),
    row(2, { endpoint: 'other', version: 2, features: '{"text":"Zürich 機械 🙂"}', prediction: '' }),
    row(3, { requestId: '', predictionId: ':0', features: '{}' }),
  ];
  expect(unpackRows(structuredClone(packRows(rows)))).toEqual(rows);
});

it('texts longer than a part, and many of them, come back whole', () => {
  const rows = [row(0, { features: 'a'.repeat(2 ** 24 + 5) }), row(1, { features: 'b'.repeat(2 ** 23) }), row(2, { features: 'c'.repeat(2 ** 23) }), row(3)];
  const packed = packRows(rows);
  expect(packed.texts.length).toBeGreaterThan(2);
  expect(unpackRows(packed)).toEqual(rows);
});

it('no rows are no rows', () => {
  expect(unpackRows(packRows([]))).toEqual([]);
});
