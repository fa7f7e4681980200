import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDuckDb } from '../../src/adapters/duckdb/instance.ts';
import { predictionLogHere } from '../../src/adapters/duckdb/prediction-log.ts';
import { duckDbPredictionLog } from '../../src/adapters/duckdb/prediction-log-thread.ts';
import { duckDbTrainingData } from '../../src/adapters/duckdb/profile-data.ts';
import { packRows } from '../../src/monitoring/log-rows.ts';
import type { Label, LogRow, LogSegment, PredictionLog, QualityQuery } from '../../src/monitoring/prediction-log.port.ts';
import { qualityOf } from '../../src/monitoring/quality/quality.ts';

const DAY = 86_400_000;
interface Golden {
  quality: { labels: number[]; scores: number[]; auc: number; brier: number; logLoss: number; accuracy: number }[];
  regression: { labels: number[]; predictions: number[]; rmse: number; mae: number };
}
const golden = JSON.parse(readFileSync(new URL('../fixtures/monitoring/golden.json', import.meta.url), 'utf8')) as Golden;

let dir: string;
let now: number;
let segments: LogSegment[];
let log: PredictionLog;
const manifest = {
  listSegments: async () => [...segments],
  changeSegments: async (add: LogSegment[], remove: string[]) => {
    segments = [...segments.filter(({ id }) => !remove.includes(id)), ...add.filter(({ id }) => !segments.some((known) => known.id === id))];
  },
};
const open = () => predictionLogHere({ dir, manifest, now: () => now });
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'binnacle-log-'));
  now = 20 * DAY;
  segments = [];
  log = open();
});
afterEach(async () => {
  await log.close();
  rmSync(dir, { recursive: true, force: true });
});

const row = (id: string, change: Partial<LogRow> = {}): LogRow => ({
  predictionId: id,
  requestId: id.split(':')[0] as string,
  instanceIndex: Number(id.split(':')[1] ?? 0),
  ts: 1000,
  receivedAt: 2000,
  endpoint: 'e',
  model: 'm',
  version: 1,
  source: 'live',
  weight: 1,
  session: 's',
  ordinal: 1,
  samplingFraction: 1,
  latencyMs: 1,
  features: '{"ä":"ö\\u0000"}',
  prediction: '1',
  predictionNumber: 1,
  score: 0.5,
  ...change,
});
const label = (predictionId: string, value: string): Label => ({ predictionId, label: value, labelNumber: Number(value), labelAt: 1 });
const query = (change: Partial<QualityQuery> = {}): QualityQuery => ({
  endpoint: 'e',
  model: 'm',
  sources: ['live'],
  from: 0,
  to: DAY,
  windowMs: DAY,
  originMs: 0,
  positive: '1',
  ...change,
});

describe('the prediction log', () => {
  it('reads the same from hot rows, a sealed file, both, and after a restart', async () => {
    const ids = async () => (await log.list({ endpoint: 'e', limit: 100 })).map(({ predictionId }) => predictionId);
    await log.append(packRows([row('a:0'), row('a:1', { ts: 3000 })]));
    await log.addLabels('e', [label('a:0', '0')]);
    expect(await ids()).toEqual(['a:1', 'a:0']);
    await log.maintain(true);
    expect(segments.map(({ kind, rows }) => [kind, rows])).toEqual([
      ['predictions', 2],
      ['labels', 1],
    ]);
    expect(await ids()).toEqual(['a:1', 'a:0']);
    await log.append(packRows([row('b:0', { ts: 2000, endpoint: 'e' }), row('z:0', { endpoint: 'other' })]));
    expect(await ids()).toEqual(['a:1', 'b:0', 'a:0']);
    await log.close();
    log = open();
    expect(await ids()).toEqual(['a:1', 'b:0', 'a:0']);
    expect((await log.list({ endpoint: 'e', limit: 1, predictionId: 'a:0' }))[0]).toMatchObject({ label: '0', features: '{"ä":"ö\\u0000"}', score: 0.5 });
  });

  it('a crash between sealing steps neither loses nor doubles rows', async () => {
    await log.append(packRows([row('a:0')]));
    const failing = { ...manifest, changeSegments: async () => Promise.reject(new Error('the database is full')) };
    await log.close();
    log = predictionLogHere({ dir, manifest: failing, now: () => now });
    await expect(log.maintain(true)).rejects.toThrow('the database is full');
    expect(await log.list({ endpoint: 'e', limit: 10 })).toHaveLength(1);
    await log.close();
    log = open();
    await log.append(packRows([row('b:0')]));
    expect(await log.list({ endpoint: 'e', limit: 10 })).toHaveLength(2);
    await log.maintain(true);
    expect(await log.list({ endpoint: 'e', limit: 10 })).toHaveLength(2);
    expect(segments.reduce((sum, { rows }) => sum + rows, 0)).toBe(2);
    // In the manifest, but the hot table was not dropped any more.
    await log.close();
    const db = await openDuckDb({ path: join(dir, 'hot.duckdb') });
    const connection = await db.connect();
    const [first] = segments;
    await connection.run(`CREATE TABLE ${first?.id} AS SELECT * FROM read_parquet('${join(dir, first?.path ?? '')}')`);
    connection.closeSync();
    db.close();
    log = open();
    expect(await log.list({ endpoint: 'e', limit: 10 })).toHaveLength(2);
    writeFileSync(join(dir, 'segments', 'orphan.parquet.tmp'), 'x');
    await log.close();
    log = open();
    expect(await log.list({ endpoint: 'e', limit: 10 })).toHaveLength(2);
    expect(readdirSync(join(dir, 'segments'))).not.toContain('orphan.parquet.tmp');
  });

  it('files of a past day are merged into one', async () => {
    for (let i = 0; i < 3; i++) {
      await log.append(packRows([row(`a${i}:0`)]));
      await log.maintain(true);
    }
    expect(segments).toHaveLength(3);
    now += DAY;
    await log.maintain();
    expect(segments).toHaveLength(1);
    expect(readdirSync(join(dir, 'segments'))).toHaveLength(1);
    expect(await log.list({ endpoint: 'e', limit: 10 })).toHaveLength(3);
  });

  it('reading while sealing sees every row once', async () => {
    for (let i = 0; i < 5; i++) {
      await log.append(packRows(Array.from({ length: 500 }, (_, k) => row(`r${i}:${k}`))));
      const [, ...reads] = await Promise.all([
        log.maintain(true),
        ...Array.from({ length: 5 }, () => log.list({ endpoint: 'e', limit: 1000, predictionId: `r${i}:7` })),
      ]);
      for (const rows of reads) expect(rows).toHaveLength(1);
    }
  });

  it('pages by key, newest first', async () => {
    await log.append(packRows(Array.from({ length: 25 }, (_, i) => row(`p:${i}`, { ts: 1000 + (i % 3) }))));
    const seen: string[] = [];
    for (let before: { ts: number; predictionId: string; version: number } | undefined; ; ) {
      const page = await log.list({ endpoint: 'e', limit: 10, before });
      seen.push(...page.map(({ predictionId }) => predictionId));
      const last = page.at(-1);
      if (page.length < 10 || last === undefined) break;
      before = last;
    }
    expect(new Set(seen).size).toBe(25);
    expect(seen).toHaveLength(25);
  });

  it('a label sent again replaces the former; one for nothing waits; ids with quotes are only text', async () => {
    await log.append(packRows([row("it's:0"), row('b:0')]));
    expect(await log.addLabels('e', [label("it's:0", '1'), label('later:0', '1')])).toEqual({ matched: 1, unmatched: 1, newlyMatched: 1 });
    expect(await log.addLabels('e', [label("it's:0", '0')])).toEqual({ matched: 1, unmatched: 0, newlyMatched: 0 });
    expect((await log.list({ endpoint: 'e', limit: 1, predictionId: "it's:0" }))[0]?.label).toBe('0');
    expect(await log.countLabelled('e')).toBe(1);
    await log.append(packRows([row('later:0')]));
    expect(await log.countLabelled('e')).toBe(2);
    expect(await log.labelValues('e', 5)).toEqual(['1', '0']);
    expect(await log.addLabels('other', [label('b:0', '1')])).toMatchObject({ matched: 0 });
  });

  it("a caller's own id and request:index both find the prediction", async () => {
    await log.append(packRows([row('order-77', { requestId: 'req', instanceIndex: 4 }), row('order-78', { requestId: 'req', instanceIndex: 5 })]));
    expect(await log.addLabels('e', [label('order-77', '1'), label('req:5', '0')])).toEqual({ matched: 2, unmatched: 0, newlyMatched: 2 });
    expect((await log.list({ endpoint: 'e', limit: 10 })).map((found) => [found.predictionId, found.label])).toEqual([
      ['order-78', '0'],
      ['order-77', '1'],
    ]);
  });

  it.each(golden.quality)(
    'AUC, Brier, log loss and accuracy of $labels.length rows are those of scikit-learn',
    async ({ labels, scores, auc, brier, logLoss, accuracy }) => {
      await log.append(packRows(scores.map((score, i) => row(`q:${i}`, { score, prediction: score >= 0.5 ? '1' : '0' }))));
      await log.addLabels(
        'e',
        labels.map((value, i) => label(`q:${i}`, String(value))),
      );
      const [sums] = await log.quality(query());
      const window = qualityOf(sums as never, { start: 0, end: DAY }, 'classification');
      expect(window.auc).toBeCloseTo(auc, 10);
      expect(window.brier).toBeCloseTo(brier, 10);
      expect(window.logLoss).toBeCloseTo(logLoss, 8);
      expect(window.accuracy).toBeCloseTo(accuracy, 10);
      const share = labels.reduce((a, b) => a + b, 0) / labels.length;
      expect(window.majorityAccuracy).toBeCloseTo(Math.max(share, 1 - share), 10);
      expect(window.majorityBrier).toBeCloseTo(share * (1 - share), 10);
    },
  );

  it('RMSE and MAE are those of scikit-learn', async () => {
    const { labels, predictions, rmse, mae } = golden.regression;
    await log.append(packRows(predictions.map((value, i) => row(`q:${i}`, { score: null, prediction: String(value), predictionNumber: value }))));
    await log.addLabels(
      'e',
      labels.map((value, i) => label(`q:${i}`, String(value))),
    );
    const [sums] = await log.quality(query({ positive: undefined }));
    expect(qualityOf(sums as never, { start: 0, end: DAY }, 'regression')).toMatchObject({
      rmse: expect.closeTo(rmse, 10),
      mae: expect.closeTo(mae, 10),
      auc: null,
      accuracy: null,
      brier: null,
    });
  });

  it('numeric truth is compared as it was sent, not as the class that it would make', async () => {
    await log.append(packRows([row('n:0', { prediction: '1234568', predictionNumber: 1234567.5 }), row('n:1', { prediction: '2', predictionNumber: 2 })]));
    await log.addLabels('e', [
      { predictionId: 'n:0', label: '1234568', labelNumber: 1234567.75, labelAt: 1 },
      // A number that came as text still is one.
      { predictionId: 'n:1', label: '2.5', labelNumber: null, labelAt: 1 },
    ]);
    expect(await log.quality(query())).toMatchObject([{ numeric: 2, absoluteResidual: 0.75 }]);
  });

  it('an endpoint that was made again for another model is measured by its own rows', async () => {
    await log.append(packRows([row('a:0', { model: 'former' }), row('b:0')]));
    await log.addLabels('e', [label('a:0', '0'), label('b:0', '1')]);
    expect(await log.quality(query())).toMatchObject([{ predictions: 1, labelled: 1, correct: 1 }]);
    expect(await log.sample({ endpoint: 'e', model: 'former', version: 1, from: 0, to: DAY, limit: 10 })).toHaveLength(1);
  });

  it('windows without labels, with one row or one class give null, not NaN', async () => {
    await log.append(
      packRows([row('a:0', { ts: 1 }), row('b:0', { ts: DAY + 1 }), row('c:0', { ts: 2 * DAY + 1, score: null, prediction: null, predictionNumber: null })]),
    );
    await log.addLabels('e', [label('b:0', '1')]);
    const sums = await log.quality(query({ to: 3 * DAY }));
    expect(
      sums
        .map((sum) => qualityOf(sum, { start: sum.start, end: sum.start + DAY }, 'classification'))
        .map(({ labelled, auc, brier, majorityAccuracy }) => [labelled, auc, brier, majorityAccuracy]),
    ).toEqual([
      [0, null, null, null],
      [1, null, 0.25, 1],
      [0, null, null, null],
    ]);
  });

  it('two logs on one folder share one database, so neither loses rows', async () => {
    const second = open();
    await log.append(packRows([row('a:0')]));
    await second.append(packRows([row('b:0')]));
    await second.close();
    await log.append(packRows([row('c:0')]));
    await log.close();
    log = open();
    expect((await log.list({ endpoint: 'e', limit: 10 })).map(({ predictionId }) => predictionId).sort()).toEqual(['a:0', 'b:0', 'c:0']);
  });
});

describe('the prediction log in its own thread', () => {
  it('keeps thousands of rows of several endpoints, texts short, long and absent, hot and sealed', async () => {
    const rows = Array.from({ length: 5000 }, (_, i) =>
      row(i % 3 === 0 ? `own ${i}` : `r${i}:${i % 2}`, {
        requestId: `r${i}`,
        instanceIndex: i % 2,
        ordinal: i + 1,
        ts: 1_700_000_000_000 + i,
        endpoint: ['e', 'an endpoint with a long name', 'ä'][i % 3] as string,
        version: 1 + (i % 2),
        features: JSON.stringify({ text: 'ü'.repeat(i % 9), more: 'x'.repeat(i % 40) }),
        prediction: i % 5 === 0 ? null : 'p'.repeat(i % 15),
        predictionNumber: i % 7 === 0 ? null : i / 3,
        score: i % 11 === 0 ? null : -i,
      }),
    );
    const threaded = duckDbPredictionLog({ dir, manifest });
    await threaded.append(packRows(rows));
    const expected = [...rows].reverse().map((one) => ({ ...one, label: null }));
    for (const state of ['hot', 'sealed']) {
      const read = (await Promise.all(['e', 'an endpoint with a long name', 'ä'].map((endpoint) => threaded.list({ endpoint, limit: 5000 })))).flat();
      expect(
        read.sort((a, b) => b.ts - a.ts),
        state,
      ).toEqual(expected);
      expect(await threaded.list({ endpoint: 'an endpoint with a long name', limit: 5, predictionId: 'r1:1' })).toHaveLength(1);
      await threaded.maintain(true);
    }
    expect(segments).toHaveLength(1);
    await threaded.close();
  });

  it('starts with the first call, keeps every field, asks for the manifest here, and ends', async () => {
    const rows = [
      row('a:0'),
      row('own', { requestId: 'a', instanceIndex: 1, score: null, prediction: null, predictionNumber: null, endpoint: 'ä', weight: 2.5, source: 'batch' }),
      row('a:2', { ts: 1.5e12, latencyMs: 0.25 }),
    ];
    const threaded = duckDbPredictionLog({ dir, manifest });
    await threaded.maintain();
    expect(readdirSync(dir)).toEqual([]);
    await threaded.append(packRows(rows));
    expect(await threaded.addLabels('e', [label('a:0', '1')])).toEqual({ matched: 1, unmatched: 0, newlyMatched: 1 });
    await threaded.maintain(true);
    expect(segments).toHaveLength(2);
    const read = [...(await threaded.list({ endpoint: 'e', limit: 10 })), ...(await threaded.list({ endpoint: 'ä', limit: 10 }))];
    expect(read).toEqual([
      { ...(rows[2] as object), label: null },
      { ...(rows[0] as object), label: '1' },
      { ...(rows[1] as object), label: null },
    ]);
    await expect(threaded.list({ endpoint: 'nul\0', limit: 1 })).rejects.toMatchObject({ code: 'duckdb_nul' });
    await threaded.close();
    await expect(threaded.labelValues('e', 1)).rejects.toMatchObject({ code: 'prediction_log_closed' });
  });
});

describe('training data', () => {
  it('reads CSV with its types, and refuses what is no table with a clear error', async () => {
    const file = join(dir, 'train*ing.csv');
    writeFileSync(file, 'n,text,day,flag\n1,a,2001-01-01,true\n,"b, c",2001-01-02,false\n3,,2001-01-03,true\n');
    const data = await duckDbTrainingData().read(file, { maxRows: 100 });
    expect(data).toMatchObject({ rows: 3, skipped: [] });
    expect(Object.fromEntries(data.columns.map(({ name, values }) => [name, values]))).toEqual({
      n: [1, null, 3],
      text: ['a', 'b, c', null],
      day: [978307200000, 978393600000, 978480000000],
      flag: [true, false, true],
    });
    writeFileSync(join(dir, 'bad.parquet'), 'no parquet');
    await expect(duckDbTrainingData().read(join(dir, 'bad.parquet'), { maxRows: 10 })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'training_data_invalid',
    });
    writeFileSync(join(dir, 'empty.csv'), 'a,b\n');
    await expect(duckDbTrainingData().read(join(dir, 'empty.csv'), { maxRows: 10 })).rejects.toThrow('no rows');
  });

  it('samples a large file with a fixed seed', async () => {
    const file = join(dir, 'large.csv');
    writeFileSync(file, ['x', ...Array.from({ length: 5000 }, (_, i) => i)].join('\n'));
    const [a, b] = [await duckDbTrainingData().read(file, { maxRows: 100 }), await duckDbTrainingData().read(file, { maxRows: 100 })];
    expect([a.rows, a.columns[0]?.values.length]).toEqual([5000, 100]);
    expect(a.columns[0]?.values).toEqual(b.columns[0]?.values);
  });
});
