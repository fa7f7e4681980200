import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FAULT, LIVE } from '../src/cli/demo/context.ts';
import { encode, type Flight, PER_REQUEST, sentDistance, toRequests, truth } from '../src/cli/demo/flights.ts';
import { percentile, resume } from '../src/cli/demo/live.ts';
import { findFlights, findRecording } from '../src/cli/demo/locate.ts';
import { proxyPath } from '../src/cli/demo/mlflow.ts';
import { checkPromises } from '../src/cli/demo/promises.ts';
import { offsetTo, pieces, readRecording, rewriteMlModel } from '../src/cli/demo/recording.ts';
import { formatSummary } from '../src/cli/demo/report.ts';
import { calendar, hash, sampleLive } from '../src/cli/demo/sample.ts';
import type { DemoSummary, WeekFigures } from '../src/cli/demo/figures.ts';
import { wrap } from '../src/cli/demo/wrap.ts';
import type { Table } from '../src/tables/index.ts';

const at = (text: string): number => Date.parse(`${text}Z`);
const flight = (time: number, more: Partial<Flight> = {}): Flight => ({
  time,
  ...calendar(time),
  distance: 1000,
  origin: 'BNA',
  destination: 'MHT',
  late: 0,
  ...more,
});

it('hour and weekday are those of the departure as it stands, Monday is 1 and Sunday 7', () => {
  expect(calendar(at('2001-05-07T00:00:00'))).toEqual({ dep_hour: 0, day_of_week: 1 });
  expect(calendar(at('2001-06-24T23:59:00'))).toEqual({ dep_hour: 23, day_of_week: 7 });
  expect(calendar(at('1969-12-31T22:00:00'))).toEqual({ dep_hour: 22, day_of_week: 3 });
});

it('the same flights are grouped into the same requests, whatever order they come in', () => {
  const flights = Array.from({ length: 100 }, (_, i) => flight(at('2001-05-07T10:00:00') + i * 30_000, { distance: 100 + i }));
  const requests = toRequests(flights);
  expect(toRequests(flights.toReversed())).toEqual(requests);
  expect(requests.map((request) => request.flights.length)).toEqual([1, PER_REQUEST, PER_REQUEST, PER_REQUEST, 3]);
  expect(requests.map((request) => request.id)).toEqual([
    'demo-2001050710-0',
    'demo-2001050710-1',
    'demo-2001050710-2',
    'demo-2001050710-3',
    'demo-2001050710-4',
  ]);
  expect(new Set(toRequests([...flights, flight(at('2001-05-07T11:00:00'))]).map((request) => request.id)).size).toBe(6);
});

it('no request mixes two hours, and its event time is its first departure', () => {
  const requests = toRequests([flight(at('2001-05-07T10:59:00')), flight(at('2001-05-07T10:59:30')), flight(at('2001-05-07T11:00:00'))]);
  expect(requests.map(({ time, flights }) => [time, flights.length])).toEqual([
    [at('2001-05-07T10:59:00'), 1],
    [at('2001-05-07T10:59:30'), 1],
    [at('2001-05-07T11:00:00'), 1],
  ]);
});

it('distances are in kilometres in the week of the fault and in no other', () => {
  expect(sentDistance(flight(FAULT.from))).toBe(1609);
  expect(sentDistance(flight(FAULT.to - 1))).toBe(1609);
  expect([sentDistance(flight(FAULT.from - 1)), sentDistance(flight(FAULT.to))]).toEqual([1000, 1000]);
  expect(new Date(FAULT.from).getUTCDay()).toBe(1);
  expect(new Date(LIVE.from).getUTCDay()).toBe(1);
});

it('a request has the same features in both protocols', () => {
  const [single, group] = toRequests([flight(at('2001-05-07T10:00:00')), flight(at('2001-05-07T10:00:00'), { origin: 'PHX' })]);
  const tensors = JSON.parse(encode(single as never).body) as { inputs: { name: string; data: unknown[]; shape: number[] }[] };
  const table = JSON.parse(encode(group as never).body) as { dataframe_split: { columns: string[]; data: unknown[][] } };
  expect(tensors.inputs.map(({ name }) => name)).toEqual(table.dataframe_split.columns);
  expect(tensors.inputs.map(({ data }) => data[0])).toEqual([10, 1, 1000, 'BNA', 'MHT']);
  expect(table.dataframe_split.data).toEqual([[10, 1, 1000, 'PHX', 'MHT']]);
});

it('truth names each prediction of a request by its place', () => {
  const [, group] = toRequests([flight(at('2001-05-07T10:00:00')), flight(at('2001-05-07T10:01:00'), { late: 1 }), flight(at('2001-05-07T10:02:00'))]);
  expect(truth(group as never).map(({ predictionId, label }) => [predictionId, label])).toEqual([
    ['demo-2001050710-1:0', 1],
    ['demo-2001050710-1:1', 0],
  ]);
});

it('after a crash what the log lacks is sent, and no row twice', () => {
  const requests = toRequests(Array.from({ length: 50 }, (_, i) => flight(at('2001-05-07T10:00:00') + i * 1000, { distance: i })));
  const [first, second, third] = requests.map(({ id }) => id) as [string, string, string];
  const { all, pending } = resume(
    requests,
    new Map([
      [first, 1],
      [second, 20],
    ]),
  );
  expect(pending.map(({ id, flights }) => [id, flights.length])).toEqual([
    [`${second}-rest`, 12],
    [third, 17],
  ]);
  expect(all.map(({ id, flights }) => [id, flights.length])).toEqual([
    [first, 1],
    [second, 20],
    [`${second}-rest`, 12],
    [third, 17],
  ]);
  expect(all.flatMap(({ flights }) => flights)).toEqual(requests.flatMap(({ flights }) => flights));
  const again = resume(
    requests,
    new Map([
      [first, 1],
      [second, 20],
      [`${second}-rest`, 12],
      [third, 17],
    ]),
  );
  expect([again.pending, again.all]).toEqual([[], all]);
  expect(resume(requests, new Map())).toEqual({ all: requests, pending: requests });
});

it('the sample takes its share of the live weeks, nothing outside them, and reads no further than it must', async () => {
  const rows = 20_000;
  let tables = 0;
  const table = (start: number): Table => ({
    rows,
    columns: [
      { name: 'date', values: Float64Array.from({ length: rows }, (_, i) => start + i * 1000) },
      { name: 'delay', values: Float64Array.from({ length: rows }, (_, i) => (i % 5 === 0 ? 15 : 14)) },
      { name: 'distance', values: Float64Array.from({ length: rows }, (_, i) => i) },
      { name: 'origin', values: Array.from({ length: rows }, () => 'BNA') },
      { name: 'destination', values: Array.from({ length: rows }, () => 'MHT') },
    ],
  });
  async function* stream() {
    for (const start of [LIVE.from - rows * 1000, LIVE.from, LIVE.to, LIVE.to + 1]) {
      tables++;
      yield table(start);
    }
  }
  const flights = await sampleLive(stream());
  expect(tables).toBe(3);
  expect(flights.every(({ time }) => time >= LIVE.from && time < LIVE.to)).toBe(true);
  expect(flights.length / rows).toBeGreaterThan(0.08);
  expect(flights.length / rows).toBeLessThan(0.1);
  expect(flights.filter(({ late }) => late === 1).length / flights.length).toBeCloseTo(0.2, 1);
});

it('the hash spreads near-equal texts and never changes', () => {
  expect([hash(''), hash('a'), hash('2001 BNA MHT')]).toEqual([2872998923, 444641715, 1799509258]);
  const buckets = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 10_000; i++) buckets[hash(`row ${i}`) % 10] = (buckets[hash(`row ${i}`) % 10] ?? 0) + 1;
  expect(Math.min(...buckets)).toBeGreaterThan(900);
});

it('percentiles are nearest ranks', () => {
  expect([percentile(Float64Array.of(3, 1, 2), 0.5), percentile(Float64Array.of(1, 2), 0.99), percentile(new Float64Array(), 0.5)]).toEqual([2, 2, 0]);
});

it('a batch of points never exceeds what one call takes', () => {
  expect(
    pieces(
      Array.from({ length: 2001 }, (_, i) => i),
      1000,
    ).map((piece) => piece.length),
  ).toEqual([1000, 1000, 1]);
  expect(pieces([], 1000)).toEqual([]);
});

it('an MLmodel is given the ids and the address of the replay', () => {
  const text = 'artifact_path: mlflow-artifacts:/1/models/m-1/artifacts\nmodel_id: m-1\nmodel_uuid: m-1\nrun_id: r1\n';
  expect(rewriteMlModel(text, { runId: 'r1', modelId: 'm-1' }, { runId: 'r2', modelId: 'm-2', artifactUri: 'mlflow-artifacts:/7/models/m-2/artifacts' })).toBe(
    'artifact_path: mlflow-artifacts:/7/models/m-2/artifacts\nmodel_id: m-2\nmodel_uuid: m-2\nrun_id: r2\n',
  );
});

it.each([
  ['mlflow-artifacts:/1/r/artifacts', '1/r/artifacts'],
  ['mlflow-artifacts://host:8000/1/r/artifacts/', '1/r/artifacts'],
])('the proxy path of %s', (uri, path) => {
  expect(proxyPath(uri)).toBe(path);
});

it('an address that is not the artifact proxy is refused', () => {
  expect(() => proxyPath('s3://bucket/x')).toThrow('s3://bucket/x is not an address of the artifact proxy');
});

it('the recording in the repository is whole, and its times shift by one offset to end at the start', async () => {
  const runs = await readRecording(findRecording());
  expect(runs.map((run) => run.name)).toEqual(['linear', 'boosted', 'bad']);
  const now = Date.now();
  const shifted = runs.map((run) => run.end_time + offsetTo(runs, now));
  expect(Math.max(...shifted)).toBeLessThanOrEqual(now);
  expect(Math.max(...shifted)).toBeGreaterThan(now - 1000);
});

it('the data is found in the clone', () => {
  expect(findFlights()).toMatch(/flights-3m\.parquet$/);
});

it('without the data or the recording the error says what to do', () => {
  const nowhere = join(mkdtempSync(join(tmpdir(), 'binnacle-demo-')), 'x.js');
  expect(() => findFlights([nowhere])).toThrow('npm install vega-datasets');
  expect(() => findRecording(nowhere)).toThrow('npm run demo');
});

const week = (start: string, more: Partial<WeekFigures> = {}): WeekFigures => ({
  start,
  flights: 10_500,
  labelled: 10_500,
  drifted: [],
  js: { distance: 0.041, origin: 0.085, destination: 0.081, prediction: 0.01, score: 0.04 },
  simulatedFault: false,
  auc: 0.66,
  brier: 0.15,
  accuracy: 0.81,
  majorityBrier: 0.158,
  majorityAccuracy: 0.8,
  ...more,
});
const figures = { auc: 0.66, brier: 0.15, accuracy: 0.81, majorityBrier: 0.158, majorityAccuracy: 0.8 };
const gate = (gateName: string, passed: boolean) => ({
  gate: gateName,
  passed,
  message: passed
    ? 'fine'
    : 'val_auc is 0.5073; the champion has 0.6590 and the bound is 0.6540, missed by 0.1467. An absolute bound of 0.6 is missed too, by 0.0927.',
});
const summary: DemoSummary = {
  url: 'http://127.0.0.1:4711',
  dataDir: '.binnacle-demo',
  runs: ['linear', 'boosted', 'bad'].map((name) => ({ name, runId: 'r', status: 'FINISHED', auc: 0.64, brier: 0.16, url: 'u' })),
  versions: ['linear', 'boosted', 'bad'].map((run, i) => ({ version: i + 1, run, aliases: i === 1 ? ['champion'] : [], champion: i === 1 })),
  gates: ['linear', 'boosted', 'bad'].map((run, i) => ({
    version: i + 1,
    run,
    passed: run !== 'bad',
    results: [gate('signature', true), gate('metric', run !== 'bad')],
  })),
  endpoint: { name: 'flight-delays', model: 'flight-delays', state: 'ready', version: 2, tier: 'worker', runMicros: 210 },
  batch: { jobId: 'b', state: 'succeeded', rows: 501_030, rowsFailed: 0, rowsPerSecond: 150_000, seconds: 3.3, inferenceSeconds: 2, output: 'out' },
  live: {
    requests: 4000,
    instances: 73_500,
    labels: 73_500,
    concurrency: 8,
    seconds: 5,
    requestsPerSecond: 800,
    instancesPerSecond: 14_700,
    p50Ms: 4,
    p99Ms: 12,
    sentBefore: 0,
    from: '2001-05-07',
    to: '2001-06-24',
    serverP50Ms: 1,
    serverP99Ms: 4,
  },
  quality: { validation: figures, live: { ...figures, labelled: 73_500 } },
  drift: {
    windowSeconds: 604_800,
    baseline: { source: 'training.parquet', rows: 24_000 },
    excluded: ['dep_hour', 'day_of_week'],
    simulatedFault: { from: '2001-06-11', to: '2001-06-17', feature: 'distance', what: FAULT.what },
    weeks: [week('2001-06-04'), week('2001-06-11', { drifted: ['distance'], simulatedFault: true }), week('2001-06-18')],
  },
  alarms: [
    {
      kind: 'feature-drift',
      feature: 'distance',
      version: 2,
      state: 'closed',
      message: 'distance drifted: JS 0.318 against a threshold of 0.1',
      value: 0.318,
      threshold: 0.1,
      week: '2001-06-11',
    },
  ],
};
const broken = (changed: DemoSummary): string[] =>
  checkPromises(changed)
    .filter(({ kept }) => !kept)
    .map(({ promise }) => promise);

it('a demo that showed everything keeps every promise', () => {
  expect(broken(summary)).toEqual([]);
});

it.each<[string, DemoSummary, string]>([
  ['the fault raised no alarm', { ...summary, alarms: [] }, 'the fault is found'],
  ['another feature was named', { ...summary, alarms: summary.alarms.map((alarm) => ({ ...alarm, feature: 'origin' })) }, 'the fault is found'],
  [
    'an alarm in a clean week',
    { ...summary, alarms: [...summary.alarms, ...summary.alarms.map((alarm) => ({ ...alarm, week: '2001-06-04' }))] },
    'no alarm in a clean week',
  ],
  [
    'a drifted feature in a clean week',
    { ...summary, drift: { ...summary.drift, weeks: [week('2001-06-04', { drifted: ['origin'] }), ...summary.drift.weeks] } },
    'no drifted feature in a clean week',
  ],
  ['the bad model passed', { ...summary, gates: summary.gates.map((g) => ({ ...g, passed: true })) }, 'the gates refuse the bad model'],
  ['labels were lost', { ...summary, quality: { validation: figures, live: { ...figures, labelled: 73_499 } } }, 'every live prediction has its truth'],
  ['nothing was sent', { ...summary, live: null, quality: null }, 'every live prediction has its truth'],
  ['the batch job has bad rows', { ...summary, batch: { ...(summary.batch as NonNullable<DemoSummary['batch']>), rowsFailed: 1 } }, 'April is scored'],
])('%s: a promise is broken and named', (_, changed, promise) => {
  expect(broken(changed).some((text) => text.startsWith(promise))).toBe(true);
});

it('the report fits 100 columns and says what matters', () => {
  const text = formatSummary(summary, checkPromises(summary));
  for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
  for (const part of [
    'simulated fault',
    'kilometres',
    'majority baseline',
    'refused',
    'missed by 0.1467',
    'http://127.0.0.1:4711/ui/',
    '150,000 rows/s',
    'p99 12.0 ms',
    'all that it promises',
  ])
    expect(text).toContain(part);
});

it('the report of an unfinished demo is readable too', () => {
  const empty: DemoSummary = {
    ...summary,
    runs: [],
    versions: [],
    gates: [],
    endpoint: null,
    batch: null,
    live: null,
    quality: null,
    drift: { ...summary.drift, weeks: [], excluded: [], baseline: null },
    alarms: [],
  };
  expect(formatSummary(empty, checkPromises(empty))).toContain('checks failed');
  expect(formatSummary(empty, null)).toContain('still at work');
});

it('long messages wrap between words, behind a margin', () => {
  const lines = wrap(Array.from({ length: 60 }, () => 'word').join(' '), 6);
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) expect(line).toMatch(/^ {6}word/);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
});
