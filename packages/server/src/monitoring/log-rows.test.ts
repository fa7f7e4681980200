import { expect, it } from 'vitest';
import { buffersOf, type LogRows, LogRowsBuilder, packRows, unpackRows } from './log-rows.ts';
import type { LogRow } from './prediction-log.port.ts';

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
const over = (rows: LogRows): LogRows => structuredClone(rows, { transfer: buffersOf(rows) });

it('every field survives the way to another thread', () => {
  const rows = [
    row(0),
    row(1, { predictionId: 'own id', prediction: null, predictionNumber: null, score: null }),
    row(2, { endpoint: 'other', version: 2, features: '{"text":"Zürich 機械 🙂"}', prediction: '' }),
    row(3, { requestId: '', predictionId: ':0', features: '{}' }),
    row(4, { requestId: 'ü'.repeat(40), predictionId: `${'ü'.repeat(40)}:0` }),
  ];
  expect(unpackRows(over(packRows(rows)))).toEqual(rows);
});

it('room grows with rows and texts, and what has been taken is whole', () => {
  const rows = Array.from({ length: 1000 }, (_, i) => row(i, { features: 'a'.repeat(i * 10) }));
  expect(unpackRows(packRows(rows))).toEqual(rows);
  expect(unpackRows(packRows([row(0, { features: 'é'.repeat(2 ** 22) }), row(1)]))).toEqual([row(0, { features: 'é'.repeat(2 ** 22) }), row(1)]);
});

it('no rows are no rows', () => {
  expect(unpackRows(packRows([]))).toEqual([]);
});

it('a row that was begun and not added leaves nothing behind', () => {
  const builder = new LogRowsBuilder();
  const add = (one: LogRow) => {
    builder.begin();
    for (const text of [one.requestId, null, one.features, one.prediction]) builder.text(text);
    builder.add(one, one.ordinal, one.instanceIndex, one.ts, one.receivedAt, one.latencyMs, one.predictionNumber, one.score);
  };
  add(row(0));
  builder.begin();
  builder.text('half');
  builder.put('and more');
  add(row(1));
  builder.begin();
  builder.text('the last');
  expect(unpackRows(builder.take())).toEqual([row(0), row(1)]);
  expect(builder.take().rows).toBe(0);
});

/** What a builder writes for a value. */
function written(value: unknown, short: boolean): string {
  const builder = new LogRowsBuilder();
  builder.begin();
  builder.value(value, short);
  builder.end();
  builder.add(row(0), 1, 0, 0, 0, 0, null, null);
  return Buffer.from(builder.take().texts).toString();
}

it('a float32 is written in at most nine digits and reads back as itself', () => {
  const words = new Uint32Array(1);
  const floats = new Float32Array(words.buffer);
  let seed = 1;
  const values = [0, -0, 1, -1, 0.5, 0.1, 9999999, 9999999.5, 1e7, 0.001, 0.00099999, 99.99999, 0.99999994, 16777216, 3.4e38, 1e-45, 123.25, 1e21, -12.5];
  for (let i = 0; i < 20_000; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    words[0] = seed;
    if (Number.isFinite(floats[0])) values.push(floats[0] as number);
    values.push(((seed / 2 ** 32) * 2 - 1) * 10 ** (i % 12) * 1e-4);
  }
  const wrong = values.map(Math.fround).filter((value) => {
    const text = written(value, true);
    const digits = text.replace(/^-?0*\.?0*|e.*$|\./g, '').length;
    return Math.fround(JSON.parse(text) as number) !== value || (!Number.isInteger(value) && digits > 9);
  });
  expect(wrong).toEqual([]);
  expect([written(0.1, true), written(Math.fround(0.1), true), written(Math.fround(-1234.5), true), written(0.1, false)]).toEqual([
    '0.1',
    '0.1',
    '-1234.5',
    '0.1',
  ]);
});
