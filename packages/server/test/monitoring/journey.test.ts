import { afterEach, expect, it } from 'vitest';
import { MonitorConfig } from '@binnacle/contract';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Kit, openKit, randomSource } from './kit.ts';

const WEEK = 7 * 86_400_000;
const MONDAY = Date.parse('2001-05-07T00:00:00Z');
const AIRPORTS = Array.from({ length: 60 }, (_, i) => `A${String(i).padStart(2, '0')}`);
const EXCLUDED = ['hour'];
const config = (change: Partial<MonitorConfig> = {}): MonitorConfig =>
  MonitorConfig.parse({ windowSeconds: 604_800, excludedFeatures: EXCLUDED, consecutiveWindows: 1, ...change });

let kit: Kit;
afterEach(async () => kit.close());

interface Flight {
  hour: number;
  distance: number;
  origin: string;
  late: number;
  score: number;
}
function flight(random: () => number): Flight {
  const hour = Math.floor(random() * 24);
  const distance = Math.round(100 + 2400 * random() ** 2);
  const origin = AIRPORTS[Math.floor(AIRPORTS.length * random() ** 2)] as string;
  const risk = 0.05 + 0.3 * (hour / 24) + 0.1 * random();
  return { hour, distance, origin, late: random() < risk ? 1 : 0, score: Math.fround(risk) };
}

function trainingFile(dir: string): string {
  const random = randomSource(1);
  const rows = Array.from({ length: 20_000 }, () => flight(random));
  const lines = rows.map((row, i) => `${i},${row.hour},${row.distance},${row.origin},${row.late},${row.score >= 0.5 ? 1 : 0},${row.score}`);
  const file = join(dir, 'training.csv');
  writeFileSync(file, ['id,hour,distance,origin,target,prediction,score', ...lines].join('\n'));
  return file;
}

/** One week of requests of 20 flights; `factor` is the fault. Returns what happened, by prediction id. */
function replay(target: Kit, week: number, options: { rows?: number; factor?: number; endpoint?: string } = {}): { predictionId: string; label: number }[] {
  const { rows = 3000, factor = 1, endpoint = 'flights' } = options;
  const random = randomSource(100 + week);
  const truth: { predictionId: string; label: number }[] = [];
  const size = 20;
  for (let at = 0; at < rows; at += size) {
    const flights = Array.from({ length: size }, () => flight(random));
    const requestId = `${endpoint}-w${week}-${at}`;
    target.monitoring.sink.record({
      endpoint,
      model: 'flights',
      version: 1,
      source: 'live',
      shadow: false,
      requestId,
      receivedAt: target.clock.now,
      eventTime: MONDAY + week * WEEK + Math.floor((at / rows) * WEEK),
      latencyMs: 1 + random(),
      rows: size,
      features: [
        { name: 'hour', values: BigInt64Array.from(flights, ({ hour }) => BigInt(hour)) },
        { name: 'distance', values: Float32Array.from(flights, ({ distance }) => distance * factor) },
        { name: 'origin', values: flights.map(({ origin }) => origin) },
      ],
      outputs: [
        { name: 'label', values: BigInt64Array.from(flights, ({ score }) => (score >= 0.5 ? 1n : 0n)) },
        { name: 'probabilities[0]', values: Float32Array.from(flights, ({ score }) => 1 - score) },
        { name: 'probabilities[1]', values: Float32Array.from(flights, ({ score }) => score) },
      ],
    });
    flights.forEach(({ late }, i) => truth.push({ predictionId: `${requestId}:${i}`, label: late }));
  }
  return truth;
}

it('six weeks of predictions with one week in kilometres raise one alarm, which names the feature, and none in the clean weeks', async () => {
  kit = await openKit();
  kit.packages.set('flights/1', { trainingDataFile: trainingFile(kit.dir) });
  replay(kit, 0, { rows: 20 });
  await kit.monitoring.flush();
  await kit.monitoring.setConfig('flights', config());
  for (let week = 0; week < 6; week++) replay(kit, week, { factor: week === 3 ? 1.609344 : 1 });
  replay(kit, 6, { rows: 40 });
  const report = await kit.monitoring.evaluate('flights');

  const alarms = await kit.monitoring.listAlarms({ endpoint: 'flights', state: 'all', limit: 100 });
  expect(alarms).toMatchObject([
    { kind: 'feature-drift', feature: 'distance', state: 'closed', firstWindow: MONDAY + 3 * WEEK, lastWindow: MONDAY + 3 * WEEK, version: 1 },
  ]);
  expect(alarms[0]?.message).toContain('distance has drifted');
  expect(kit.raised.map(({ feature }) => feature)).toEqual(['distance']);
  expect(report.baseline).toEqual({ source: 'training-data', rows: 20_000 });
  expect(report.windows.map(({ complete, rows }) => [complete, rows])).toEqual([[true, 3020], ...Array.from({ length: 5 }, () => [true, 3000]), [false, 40]]);
  const status = (name: string) => report.features.find((feature) => feature.name === name)?.cells.map((cell) => cell.status);
  expect(status('distance')).toEqual(['ok', 'ok', 'ok', 'drift', 'ok', 'ok', 'insufficient']);
  expect(status('hour')).toEqual(Array.from({ length: 7 }, () => 'excluded'));
  expect(status('origin')?.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => 'ok'));
  expect(report.features.map(({ name, kind }) => [name, kind])).toEqual([
    ['hour', 'numeric'],
    ['distance', 'numeric'],
    ['origin', 'categorical'],
    ['prediction', 'prediction'],
    ['score', 'prediction'],
  ]);
  // The same question again changes nothing.
  await kit.monitoring.evaluate('flights');
  expect(await kit.monitoring.listAlarms({ state: 'all', limit: 100 })).toEqual(alarms);
  expect(kit.raised).toHaveLength(1);

  const distribution = await kit.monitoring.distribution('flights', { feature: 'distance', windowStart: MONDAY + 3 * WEEK, source: 'live' });
  expect(distribution.baseline?.shares).toHaveLength((distribution.edges?.length ?? 0) + 1);
  expect(distribution.current.shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
  expect(distribution.current.mean ?? 0).toBeCloseTo((distribution.baseline?.mean ?? 0) * 1.609344, -2);
  expect(distribution.cell?.status).toBe('drift');
  const origins = await kit.monitoring.distribution('flights', { feature: 'origin', windowStart: MONDAY, source: 'live' });
  expect(origins.categories).toHaveLength(21);
  expect(origins.baseline?.shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
  expect(await kit.monitoring.renderMetrics()).toMatch(/binnacle_predictions_total\{endpoint="flights",version="1",source="live"\} 18060/);
});

it('labels that come late, twice, before their prediction or for nothing at all are joined right', async () => {
  kit = await openKit();
  kit.packages.set('flights/1', { trainingDataFile: trainingFile(kit.dir) });
  const truth = replay(kit, 0);
  replay(kit, 1);
  await kit.monitoring.flush();
  await kit.monitoring.setConfig('flights', config());
  expect(await kit.monitoring.addGroundTruth('flights', truth.slice(0, 1000))).toEqual({ accepted: 1000, matched: 1000, unmatched: 0 });
  const first = await kit.monitoring.quality('flights', {});
  expect(first.windows.map(({ predictions, labelled }) => [predictions, labelled])).toEqual([
    [3000, 1000],
    [3000, 0],
  ]);
  // The rest later, the first half again with every label turned round.
  const turned = truth.slice(0, 500).map(({ predictionId, label }) => ({ predictionId, label: 1 - label }));
  expect(await kit.monitoring.addGroundTruth('flights', [...turned, ...truth.slice(1000)])).toMatchObject({ matched: 2500, unmatched: 0 });
  const second = await kit.monitoring.quality('flights', {});
  expect(second.windows[0]).toMatchObject({ labelled: 3000, start: MONDAY, end: MONDAY + WEEK });
  expect(second.windows[0]?.auc).not.toBe(first.windows[0]?.auc);
  expect((await kit.monitoring.getMonitor('flights')).labelled).toBe(3000);

  const early = { predictionId: 'flights-w2-0:3', label: true };
  expect(await kit.monitoring.addGroundTruth('flights', [early, { predictionId: 'nobody:0', label: 1 }])).toEqual({ accepted: 2, matched: 0, unmatched: 2 });
  replay(kit, 2, { rows: 20 });
  await kit.monitoring.evaluate('flights');
  expect((await kit.monitoring.getMonitor('flights')).labelled).toBe(3001);
  const page = await kit.monitoring.listPredictions('flights', { limit: 10, predictionId: 'flights-w2-0:3' });
  expect(page.predictions).toMatchObject([
    { predictionId: 'flights-w2-0:3', label: 1, version: 1, features: { origin: expect.any(String), hour: expect.any(Number) } },
  ]);
  const third = await kit.monitoring.quality('flights', {});
  expect(third.windows.map(({ labelled }) => labelled)).toEqual([3000, 0, 1]);
  expect(third.overall).toMatchObject({ labelled: 3001 });
});

it('what was acknowledged and what was flushed is there after a restart, and the log is read over hot rows and sealed files alike', async () => {
  kit = await openKit();
  kit.packages.set('flights/1', { trainingDataFile: trainingFile(kit.dir) });
  const truth = replay(kit, 0, { rows: 100 });
  await kit.monitoring.addGroundTruth('flights', truth);
  kit = await kit.reopen();
  replay(kit, 1, { rows: 100 });
  await kit.monitoring.flush();
  const rows: string[] = [];
  let pageToken: string | undefined;
  do {
    const page = await kit.monitoring.listPredictions('flights', { limit: 30, pageToken });
    rows.push(...page.predictions.map(({ predictionId }) => predictionId));
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  expect(new Set(rows).size).toBe(200);
  expect(await kit.monitoring.getMonitor('flights')).toMatchObject({ predictions: 200, labelled: 100, hasBaseline: true });
});

it('a version without any training data is compared with its own first window', async () => {
  kit = await openKit();
  replay(kit, 0);
  await kit.monitoring.flush();
  await kit.monitoring.setConfig('flights', config({ consecutiveWindows: 2 }));
  for (let week = 1; week < 3; week++) replay(kit, week);
  for (let week = 3; week < 5; week++) replay(kit, week, { factor: 1.609344 });
  replay(kit, 5, { rows: 20 });
  const before = await kit.monitoring.drift('flights', { source: 'live' });
  expect(before.baseline).toBeNull();
  expect(before.features.flatMap(({ cells }) => cells.map(({ status }) => status))).toContain('no-baseline');
  await kit.monitoring.evaluate('flights');
  const report = await kit.monitoring.drift('flights', { source: 'live' });
  expect(report.baseline).toMatchObject({ source: 'first-window', rows: 3000 });
  const distance = report.features.find(({ name }) => name === 'distance')?.cells.map(({ status }) => status);
  expect(distance).toEqual(['ok', 'ok', 'ok', 'drift', 'drift', 'insufficient']);
  expect(kit.raised.map(({ feature }) => feature)).toEqual(['distance']);
  expect(report.alarms).toMatchObject([{ state: 'open', firstWindow: MONDAY + 3 * WEEK, lastWindow: MONDAY + 4 * WEEK }]);
});

it('an endpoint without traffic has an empty monitor, an unknown one is not found', async () => {
  kit = await openKit();
  expect(await kit.monitoring.getMonitor('quiet')).toMatchObject({ predictions: 0, hasBaseline: false, openAlarms: 0, config: { windowSeconds: 86_400 } });
  expect(await kit.monitoring.drift('quiet', { source: 'live' })).toMatchObject({ version: null, windows: [], features: [] });
  expect(await kit.monitoring.quality('quiet', {})).toMatchObject({ windows: [], overall: null });
  expect(await kit.monitoring.timeSeries('quiet', { source: 'all' })).toMatchObject({ buckets: [] });
  expect(await kit.monitoring.listPredictions('quiet', { limit: 10 })).toEqual({ predictions: [] });
  await expect(kit.monitoring.getMonitor('nobody')).rejects.toMatchObject({ kind: 'not_found', code: 'monitor_not_found' });
  await expect(kit.monitoring.setConfig('quiet', config({ windowSeconds: 301 }))).rejects.toMatchObject({ code: 'invalid_window' });
  await expect(kit.monitoring.addGroundTruth('quiet', [{ predictionId: '', label: 1 }])).rejects.toMatchObject({ code: 'invalid_prediction_id' });
});
