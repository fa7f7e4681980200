import { MonitorConfig } from '@binnacle/contract';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../kernel/index.ts';
import type { PredictionBatch } from '../../serving/index.ts';
import type { ActivityDelta, BucketDelta, MonitoringStore } from '../monitoring-store.port.ts';
import { type LogRows, LogRowsBuilder, unpackRows } from '../log-rows.ts';
import type { LogRow, PredictionLog } from '../prediction-log.port.ts';
import { ProfileSet } from '../profile/index.ts';
import { prometheusText } from '../prometheus.ts';
import { IntakeContext, putFeatures } from './intake-context.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';
import { classKey, outcome, resolveRoles } from './roles.ts';

const NOW = Date.parse('2001-06-01T12:00:00Z');
const FIVE = 300_000;
const batch = (change: Partial<PredictionBatch> = {}): PredictionBatch => ({
  endpoint: 'e',
  model: 'm',
  version: 1,
  source: 'live',
  shadow: false,
  requestId: 'r',
  receivedAt: NOW,
  eventTime: NOW,
  latencyMs: 2,
  rows: 2,
  features: [{ name: 'x', values: Float32Array.of(1.5, Number.NaN) }],
  outputs: [{ name: 'y', values: Float64Array.of(3, 4) }],
  ...change,
});

function setUp(
  options: {
    config?: Partial<MonitorConfig>;
    limits?: RecorderOptions['limits'];
    describe?: RecorderOptions['describe'];
    log?: Partial<PredictionLog>;
    store?: Partial<MonitoringStore>;
  } = {},
) {
  const rows: LogRow[] = [];
  const buckets: BucketDelta[] = [];
  const activity: ActivityDelta[] = [];
  const marks: Record<string, number> = {};
  const recorder = new Recorder({
    store: {
      addActivity: async (_session: string, more: BucketDelta[], totals: ActivityDelta[]) => {
        buckets.push(...more);
        activity.push(...totals);
      },
      ...options.store,
    } as MonitoringStore,
    log: { append: async (more: LogRows) => void rows.push(...unpackRows(more)), ...options.log } as PredictionLog,
    ledger: { session: 's', previous: null, mark: (endpoint, count) => void (marks[endpoint] = count), settled() {}, close() {} },
    logger: silentLogger,
    describe: options.describe ?? (async () => ({ config: MonitorConfig.parse(options.config ?? {}), profile: null, settings: {} })),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const five = () => buckets.filter(({ level }) => level === FIVE);
  const total = (name: 'requests' | 'predictions' | 'rows' | 'errors') => five().reduce((sum, bucket) => sum + bucket[name], 0);
  return { recorder, rows, buckets, five, activity, marks, total };
}

describe('the recorder', () => {
  it('counts the requests that the sample leaves out, too, and their rows where nothing is sampled', async () => {
    const { recorder, rows, total } = setUp();
    const unseen = { endpoint: 'e', model: 'm', version: 1, at: NOW, latencyMs: 2 };
    recorder.record(batch({ weight: 2 }));
    recorder.recordCount({ ...unseen, rows: 0 });
    recorder.recordCount({ ...unseen, rows: 3 });
    const [series] = recorder.requests.all;
    expect(series?.codes.get('ok')).toBe(3);
    expect(series?.latency.reduce((sum, count) => sum + count, 0)).toBe(3);
    expect(series?.predictions.get('live')).toBe(7);
    await recorder.close();
    expect([total('requests'), total('predictions'), rows.length]).toEqual([3, 7, 2]);
  });

  it('a log that is too slow for what comes leaves rows out and counts them, and memory is bounded', async () => {
    const hanging = Promise.withResolvers<void>();
    const written: number[] = [];
    const append = async (more: LogRows) => {
      await hanging.promise;
      written.push(more.rows);
    };
    const { recorder, total, activity } = setUp({ limits: { logRows: 10, profileRows: 20, logRowsAtOnce: 2, flushMs: 5 }, log: { append } });
    for (let i = 0; i < 100; i++) {
      recorder.record(batch({ requestId: `r${i}` }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    hanging.resolve();
    await recorder.flush();
    const logged = written.reduce((sum, rows) => sum + rows, 0);
    const dropped = activity.reduce((sum, one) => sum + one.dropped, 0);
    expect(logged).toBeLessThan(40);
    expect(logged + dropped).toBe(200);
    expect(total('predictions')).toBe(200);
  });

  it('what comes while a slow flush is under way is written soon after it, with no further call', async () => {
    const hanging = Promise.withResolvers<void>();
    const slow = Promise.withResolvers<void>();
    const written: number[] = [];
    const append = async (more: LogRows) => {
      hanging.resolve();
      await slow.promise;
      written.push(more.rows);
    };
    const { recorder, total } = setUp({ limits: { flushMs: 20 }, log: { append } });
    recorder.record(batch());
    await hanging.promise;
    recorder.record(batch());
    // Its own time to be flushed passes while the first flush still hangs.
    await new Promise((resolve) => setTimeout(resolve, 60));
    slow.resolve();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(written).toEqual([2, 2]);
    expect(total('predictions')).toBe(4);
    await recorder.close();
  });

  it('rows go to the log before the flush when there are many, and are counted once', async () => {
    const { recorder, rows, buckets, total } = setUp({ limits: { logRowsAtOnce: 4, flushMs: 10_000 } });
    for (let i = 0; i < 6; i++) {
      recorder.record(batch({ requestId: `r${i}` }));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(rows.length).toBeGreaterThanOrEqual(4);
    expect(buckets).toEqual([]);
    await recorder.close();
    expect(rows.map(({ predictionId }) => predictionId)).toEqual(Array.from({ length: 6 }, (_, i) => [`r${i}:0`, `r${i}:1`]).flat());
    expect(total('predictions')).toBe(12);
  });

  it('adds a request to its five minutes, its hour and its day, and to the log', async () => {
    const { recorder, buckets, rows, activity, marks } = setUp();
    recorder.record(batch());
    recorder.record(batch({ requestId: 'q', predictionIds: ['mine', 'yours'] }));
    await recorder.flush();
    expect(buckets.map(({ level, requests, predictions, rows: profiled, predictionSum }) => [level, requests, predictions, profiled, predictionSum])).toEqual(
      [FIVE, 3_600_000, 86_400_000].map((level) => [level, 2, 4, 4, 14]),
    );
    expect(rows.map(({ predictionId, features, predictionNumber }) => [predictionId, features, predictionNumber])).toEqual([
      ['r:0', '{"x":1.5}', 3],
      ['r:1', '{"x":null}', 4],
      ['mine', '{"x":1.5}', 3],
      ['yours', '{"x":null}', 4],
    ]);
    expect(activity).toMatchObject([{ predictions: 4, recorded: 4, watermark: NOW, model: 'm' }]);
    expect(marks).toEqual({ e: 4 });
  });

  it('rows go to the five minutes of their own event times; impossible times count as now', async () => {
    const { recorder, five, rows } = setUp();
    recorder.record(
      batch({
        rows: 5,
        eventTime: Float64Array.of(NOW - FIVE, NOW - FIVE, NOW, Number.NaN, NOW + 90_000_000),
        features: [{ name: 'x', values: new Float32Array(5) }],
        outputs: [],
      }),
    );
    await recorder.flush();
    expect(five().map(({ start, predictions, requests }) => [start, predictions, requests])).toEqual([
      [NOW - FIVE, 2, 1],
      [NOW, 3, 0],
    ]);
    expect(rows.map(({ ts }) => ts)).toEqual([NOW - FIVE, NOW - FIVE, NOW, NOW, NOW]);
  });

  it('under overload rows are left out and counted, counts never', async () => {
    const { recorder, total, rows, activity } = setUp({ limits: { logRows: 10, profileRows: 20 } });
    for (let i = 0; i < 30; i++) recorder.record(batch({ requestId: `r${i}` }));
    await recorder.flush();
    expect([total('requests'), total('predictions'), total('rows')]).toEqual([30, 60, 22]);
    expect(rows).toHaveLength(12);
    expect(activity.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(48);
    expect(recorder.dropped.get('e')).toBe(48);
  });

  it('a log that cannot be written costs its rows, not the counts, and a store that fails is tried again without doubling', async () => {
    let failures = 2;
    const stored: BucketDelta[] = [];
    const { recorder } = setUp({
      log: { append: async () => Promise.reject(new Error('disk full')) },
      store: {
        addActivity: async (_session, more) => {
          if (failures-- > 0) throw new Error('busy');
          stored.push(...more);
        },
      },
    });
    recorder.record(batch());
    await recorder.flush();
    expect(recorder.dropped.get('e')).toBe(2);
    recorder.record(batch());
    await recorder.flush();
    await recorder.flush();
    expect(stored.filter(({ level }) => level === FIVE).reduce((sum, { predictions }) => sum + predictions, 0)).toBe(4);
  });

  it('a monitor that cannot be read counts its requests', async () => {
    const { recorder, total, rows } = setUp({ describe: async () => Promise.reject(new Error('gone')) });
    recorder.record(batch());
    await recorder.flush();
    expect([total('predictions'), total('rows'), rows.length]).toEqual([2, 0, 0]);
  });

  it('sampling leaves out whole requests, by id, and counts all', async () => {
    const { recorder, total, rows } = setUp({ config: { samplingFraction: 0.25 } });
    for (let i = 0; i < 2000; i++) recorder.record(batch({ requestId: `request ${i}`, rows: 1 }));
    await recorder.flush();
    expect(total('predictions')).toBe(2000);
    expect(Math.abs(rows.length / 2000 - 0.25)).toBeLessThan(0.04);
    expect(total('rows')).toBe(rows.length);
  });

  it('shadow traffic is kept apart, failures are counted, weights multiply', async () => {
    const { recorder, five, activity } = setUp();
    recorder.record(batch({ shadow: true, version: 2 }));
    recorder.record(batch({ source: 'batch', weight: 2.5 }));
    recorder.recordFailure({ endpoint: 'e', model: 'm', version: null, at: NOW, latencyMs: 3, code: 'bad_input' });
    await recorder.flush();
    expect(
      five()
        .map(({ source, version, predictions, errors }) => [source, version, predictions, errors])
        .sort(),
    ).toEqual([
      ['batch', 1, 5, 0],
      ['live', 0, 0, 1],
      ['shadow', 2, 2, 0],
    ]);
    expect(activity).toMatchObject([{ predictions: 5, errors: 1, watermark: null }]);
  });

  it('a column that changes its type or comes later does not break the profile', async () => {
    const { recorder, five } = setUp();
    recorder.record(batch({ features: [{ name: 'x', values: ['a', null] }] }));
    recorder.record(
      batch({
        features: [
          { name: 'y', values: [true, null] },
          { name: 'x', values: Float64Array.of(1, 2) },
        ],
      }),
    );
    await recorder.flush();
    const set = ProfileSet.decode(five()[0]?.profile as Uint8Array);
    expect([...set.entries].map(({ role, name, sketch }) => [role, name, sketch.kind, sketch.rows]).sort()).toEqual([
      ['feature', 'x', 'categorical', 4],
      ['feature', 'y', 'log', 2],
      ['output', 'prediction', 'log', 4],
    ]);
  });
});

describe('the roles of outputs', () => {
  const roles = (names: string[], config = {}, settings = {}) => {
    const { prediction, score, classes } = resolveRoles(names, config, settings);
    return [names[prediction] ?? null, names[score] ?? null, classes.length];
  };
  it.each([
    [['output_label', 'output_probability[0]', 'output_probability[1]'], 'output_label', 'output_probability[1]', 0],
    [['label', 'probabilities[0]', 'probabilities[1]'], 'label', 'probabilities[1]', 0],
    [['variable'], 'variable', null, 0],
    [['probability'], null, 'probability', 0],
    [['dense_2'], 'dense_2', null, 0],
    [['logits[0]', 'logits[1]', 'logits[2]'], null, null, 3],
    [['probs[0]', 'probs[1]'], null, 'probs[1]', 2],
    [['label', 'p[0]', 'p[1]', 'p[2]'], 'label', null, 0],
    [['prediction', 'score'], 'prediction', 'score', 0],
    [[], null, null, 0],
  ])('%j', (names, prediction, score, classes) => {
    expect(roles(names)).toEqual([prediction, score, classes]);
  });

  it('settings win over names, the monitor over the model', () => {
    const names = ['a', 'b', 'p[0]', 'p[1]'];
    expect(roles(names, { labelOutput: 'b', scoreOutput: 'p[0]' })).toEqual(['b', 'p[0]', 0]);
    expect(roles(names, {}, { labelOutput: 'a', score_output: 'p' })).toEqual(['a', 'p[1]', 0]);
  });

  it('scores alone predict the likelier class', () => {
    const columns = [{ values: [0.1, 0.6] }, { values: [0.2, 0.3] }, { values: [0.7, 0.1] }];
    const three = resolveRoles(['l[0]', 'l[1]', 'l[2]'], {}, {});
    expect([0, 1].map((row) => outcome(three, columns, row).prediction)).toEqual(['2', '0']);
    expect(outcome(resolveRoles(['score'], {}, {}), [{ values: [0.7] }], 0)).toEqual({ prediction: '1', number: 1, score: 0.7 });
    expect(outcome(resolveRoles(['label'], {}, {}), [{ values: [null] }], 0)).toEqual({ prediction: null, number: null, score: null });
    expect(['True', true, 1, 1n, 'late'].map(classKey)).toEqual(['1', '1', '1', '1', 'late']);
  });
});

it('features are written as JSON that reads back, whatever they hold', () => {
  const context = new IntakeContext({ endpoint: 'e', model: 'm', version: 1 }, 'live', { config: MonitorConfig.parse({}), profile: null, settings: {} });
  const columns = [
    { name: 'we"ird\n', values: ['a"b\u2028'] },
    { name: 'f', values: Float32Array.of(0.1) },
    { name: 'g', values: [Math.fround(0.1)] },
    { name: 'd', values: Float64Array.of(1234567.25) },
    { name: 'i', values: BigInt64Array.of(-5n) },
    { name: 'inf', values: Float64Array.of(Number.NEGATIVE_INFINITY) },
    { name: 'flag', values: [true] },
    { name: 'none', values: [null] },
  ];
  const written = (columnsOf: typeof columns) => {
    const text = new LogRowsBuilder();
    text.begin();
    putFeatures(text, context, context.featureSlots(columnsOf), columnsOf, 0);
    text.end();
    text.add(context.logContext('s', 1), 1, 0, 0, 0, 0, null, null);
    return Buffer.from(text.take().texts).toString();
  };
  expect(JSON.parse(written(columns))).toEqual({
    'we"ird\n': 'a"b\u2028',
    f: 0.1,
    g: 0.1,
    d: 1234567.25,
    i: -5,
    inf: '-Infinity',
    flag: true,
    none: null,
  });
  expect(written([])).toBe('{}');
});

it('metrics escape labels and count up to infinity', () => {
  const { recorder } = setUp();
  recorder.record(batch({ endpoint: 'a"b\\c\nd', latencyMs: 1e9 }));
  const text = prometheusText({
    requests: recorder.requests.all,
    monitors: [],
    drift: [{ endpoint: 'e', version: 1, feature: 'x', js: 0.5, threshold: null }],
    process: { residentBytes: 1, heapBytes: 1, cpuSeconds: 1, startedAtSeconds: 1, uptimeSeconds: Number.NaN },
  });
  expect(text).toContain('binnacle_predictions_total{endpoint="a\\"b\\\\c\\nd",version="1",source="live"} 2');
  expect(text).toContain('le="10"} 0\n');
  expect(text).toContain('le="+Inf"} 1\n');
  expect(text).toContain('binnacle_drift_js_distance{endpoint="e",version="1",feature="x"} 0.5');
  expect(text).toContain('process_uptime_seconds NaN\n');
  for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{.*\})? \S+)$/);
});
