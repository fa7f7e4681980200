// Made-up data for looking at every page without a Binnacle: 5,000 runs, long names, odd values, open and closed alarms.
export const DAY = 86_400_000;
export const WEEK = 7 * DAY;
export const NOW = Date.now();

let seed = 7;
export function random() {
  seed = (seed * 1_664_525 + 1_013_904_223) >>> 0;
  return seed / 4_294_967_296;
}
export const normal = () => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
const id = (prefix, n) => `${prefix}${((n * 2_654_435_761) >>> 0).toString(16).padStart(8, '0')}${(n * 40_503 + 977).toString(16).padStart(8, '0')}`;

export const experiments = [
  { id: '831640121795443712', name: 'flight-delays', runCount: 3, lastRunAt: NOW - 40_000 },
  { id: '831640121795443713', name: 'hyperparameter-search', runCount: 5000, lastRunAt: NOW - 3_600_000 },
  {
    id: '831640121795443714',
    name: 'an experiment whose name is so long that it has to be cut somewhere or wrapped: customer-churn/eu-west/2026-Q3/ablation-of-every-feature-group-one-at-a-time',
    runCount: 0,
    lastRunAt: null,
  },
  { id: '831640121795443715', name: 'Vorhersage der Verspätungen ✈ 遅延予測', runCount: 0, lastRunAt: null },
].map((e) => ({ artifactLocation: `mlflow-artifacts:/${e.id}`, lifecycleStage: 'active', createdAt: NOW - 20 * DAY, updatedAt: NOW, tags: {}, ...e }));

const MODELS = ['linear', 'boosted', 'bad'];
function run(n, experiment, name, more = {}) {
  return {
    id: id('r', n),
    experimentId: experiment.id,
    name,
    status: 'FINISHED',
    user: n % 3 === 0 ? 'ana' : 'marcel',
    startedAt: NOW - n * 600_000 - 60_000,
    endedAt: NOW - n * 600_000,
    lifecycleStage: 'active',
    metrics: {},
    params: {},
    tags: { 'mlflow.source.name': 'train.py', 'mlflow.user': 'ana' },
    datasets: [{ name: 'flights-2001-q1', digest: '5d2f09ac', context: 'training' }],
    ...more,
  };
}
export const runs = [
  ...MODELS.map((m, i) =>
    run(i + 1, experiments[0], `${m} on January to March`, {
      metrics: {
        val_auc: [0.6601, 0.6812, 0.5012][i],
        val_logloss: [0.428, 0.4197, 0.4477][i],
        brier: [0.1291, 0.1263, 0.135][i],
        train_auc: [0.664, 0.702, 0.503][i],
        fit_seconds: [21.2, 38.9, 7.1][i],
        'a metric with a very long name/which/uses/slashes/and goes on': i === 2 ? 'NaN' : i,
      },
      params: {
        model: m,
        learning_rate: ['–', '0.15', '0.15'][i],
        leaves: '31',
        steps: ['12', '120', '20'][i],
        seed: '2001',
        features: 'dep_hour, day_of_week, distance, origin, destination',
        threshold_minutes: '15',
      },
      status: i === 2 ? 'FAILED' : i === 1 ? 'RUNNING' : 'FINISHED',
      endedAt: i === 1 ? null : NOW - i * 600_000,
    }),
  ),
  ...Array.from({ length: 5000 }, (_, i) => {
    const lr = 10 ** (-1 - 3 * random());
    const depth = 3 + Math.floor(random() * 9);
    return run(i + 10, experiments[1], i % 97 === 0 ? `sweep-${i} with quite a long name that somebody typed in because the run was special` : `sweep-${i}`, {
      status: i % 41 === 0 ? 'FAILED' : 'FINISHED',
      metrics: {
        auc: 0.6 + 0.08 * (1 - Math.abs(Math.log10(lr) + 2) / 3) + normal() * 0.01,
        loss: 0.4 + random() * 0.1,
        'val/f1': i % 7 === 0 ? 'NaN' : random(),
        latency_ms: 0.2 + random(),
      },
      params: {
        learning_rate: lr.toPrecision(3),
        max_depth: String(depth),
        subsample: (0.5 + random() / 2).toFixed(2),
        seed: '1',
        booster: i % 3 === 0 ? 'dart' : 'gbtree',
      },
    });
  }),
];
export const columnsOf = (experimentId) => {
  const first = runs.filter((r) => r.experimentId === experimentId).slice(0, 50);
  const keys = (kind) => [...new Set(first.flatMap((r) => Object.keys(r[kind])))].sort();
  const extra = experimentId === experiments[1].id ? Array.from({ length: 3000 }, (_, i) => `layer_${i}/gradient_norm`) : [];
  return { metrics: [...keys('metrics'), ...extra], params: keys('params'), tags: keys('tags') };
};

/** A learning curve; `boosted` has 100,000 points and a stretch of NaN. */
export function series(run, key, maxPoints, from = 0, to = Number.POSITIVE_INFINITY) {
  const total = run.name.startsWith('boosted') && key === 'val_logloss' ? 100_000 : key === 'fit_seconds' ? 1 : run.name.startsWith('linear') ? 12 : 120;
  const end = Math.min(total - 1, to);
  const start = Math.max(0, from);
  const count = Math.max(1, end - start + 1);
  const bucket = Math.max(1, Math.ceil(count / maxPoints));
  const points = [];
  const last = Number(run.metrics[key] ?? 0.5);
  for (let step = start; step <= end; step += bucket) {
    const t = step / total;
    const value = last + (0.6 - last * 0.2) * Math.exp(-6 * t) * 0.4 + Math.sin(step / 5) * 0.002 * (1 - t);
    const spread = bucket > 1 ? 0.012 * (1 - t) + 0.003 : 0;
    const nan = Number.isNaN(value) || (total > 1000 && t > 0.5 && t < 0.53);
    points.push({
      step,
      timestamp: run.startedAt + step * 100,
      value: nan ? 'NaN' : value,
      min: nan ? 'NaN' : value - spread,
      max: nan ? 'NaN' : value + spread,
      count: bucket,
    });
  }
  return { runId: run.id, key, total, forkStep: null, points };
}

const signature = {
  inputs: [
    ['dep_hour', 'long'],
    ['day_of_week', 'long'],
    ['distance', 'double'],
    ['origin', 'string'],
    ['destination', 'string'],
  ].map(([name, type]) => ({ name, type, required: true })),
  outputs: [
    { name: 'label', type: 'long' },
    { name: 'probabilities', type: 'tensor', shape: [-1, 2] },
  ],
};
const tensors = {
  inputs: [
    ['dep_hour', 'INT64'],
    ['day_of_week', 'INT64'],
    ['distance', 'FP32'],
    ['origin', 'BYTES'],
    ['destination', 'BYTES'],
  ].map(([name, datatype]) => ({ name, datatype, shape: [-1, 1] })),
  outputs: [
    { name: 'label', datatype: 'INT64', shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
  ],
};
const report = (version, passed, more = {}) => ({
  id: `g${version}`,
  model: 'flight-delays',
  version,
  alias: 'champion',
  passed,
  forced: false,
  reason: null,
  createdAt: NOW - 3 * 3_600_000 + version * 1000,
  results: [
    { gate: 'signature', passed: true, message: 'The version declares 5 inputs and 2 outputs.', measured: null, bound: null },
    { gate: 'golden', passed: true, message: '20 examples reproduce; the largest difference is 3.1e-8, allowed is 1e-4.', measured: 3.1e-8, bound: 1e-4 },
    {
      gate: 'metric',
      passed,
      message: passed
        ? 'val_auc is 0.6812, the champion has 0.6601, at most 0.01 worse is allowed.'
        : 'val_auc is 0.5012; the champion has 0.6812 and at most 0.01 worse is allowed, so 0.6712 is needed: 0.17 too low.',
      measured: passed ? 0.6812 : 0.5012,
      bound: 0.6712,
    },
    { gate: 'latency', passed: true, message: 'p95 of one row over 50 runs is 0.21 ms, the budget is 5 ms.', measured: 0.21, bound: 5 },
  ],
  ...more,
});
export const versions = MODELS.map((m, i) => ({
  model: 'flight-delays',
  version: i + 1,
  status: 'READY',
  statusMessage: '',
  description: '',
  createdAt: NOW - (4 - i) * 3_600_000,
  updatedAt: NOW,
  runId: runs[i].id,
  runName: runs[i].name,
  source: `models:/m-${i}`,
  aliases: i === 1 ? ['champion'] : i === 0 ? ['challenger'] : [],
  tags: {},
  stage: 'None',
  flavors: ['onnx', 'python_function'],
  servable: true,
  sizeBytes: [48_200, 812_345, 120_000][i],
  lastGateReport: report(i + 1, i !== 2),
})).reverse();
export const versionDetail = (v) => ({
  ...v,
  signature,
  tensors,
  hasProfile: true,
  goldenExamples: 20,
  metrics: runs[v.version - 1].metrics,
  files: [
    { path: 'MLmodel', isDirectory: false, size: 1_822 },
    { path: 'model.onnx', isDirectory: false, size: v.sizeBytes },
    { path: 'binnacle/training-profile.json', isDirectory: false, size: 22_000 },
    { path: 'binnacle/golden-examples.json', isDirectory: false, size: 4_100 },
  ],
});
export const reports = report;
const policy = {
  aliases: ['champion'],
  signature: {},
  golden: { tolerance: 1e-4, required: true },
  metric: { key: 'val_auc', direction: 'higher', margin: 0.01, atLeast: 0.6 },
  latency: { p95Ms: 5, rows: 1, runs: 50 },
};
export const models = [
  {
    name: 'flight-delays',
    description: 'Will a flight arrive 15 minutes late or more? Trained on January to March 2001.',
    createdAt: NOW - DAY,
    updatedAt: NOW - 3_600_000,
    tags: {},
    aliases: { champion: 2, challenger: 1 },
    latestVersion: 3,
    versionCount: 3,
    endpoints: ['flight-delays'],
    gatePolicy: policy,
  },
  {
    name: 'churn/eu-west (a name with slashes and spaces)',
    description: '',
    createdAt: NOW - 9 * DAY,
    updatedAt: NOW - 9 * DAY,
    tags: {},
    aliases: {},
    latestVersion: null,
    versionCount: 0,
    endpoints: [],
    gatePolicy: null,
  },
];
export const lineage = {
  nodes: [
    { id: 'd', kind: 'dataset', label: 'flights-2001-q1', detail: '5d2f09ac', href: null },
    ...MODELS.map((m, i) => ({ id: `r${i}`, kind: 'run', label: runs[i].name, detail: runs[i].status.toLowerCase(), href: `/runs/${runs[i].id}` })),
    ...MODELS.map((m, i) => ({
      id: `v${i}`,
      kind: 'version',
      label: `flight-delays v${i + 1}`,
      detail: ['challenger', 'champion', ''][i],
      href: `/models/flight-delays/versions/${i + 1}`,
    })),
    { id: 'e', kind: 'endpoint', label: 'flight-delays', detail: 'ready', href: '/endpoints/flight-delays' },
    { id: 'b', kind: 'batch', label: 'April', detail: '485,000 rows', href: '/batch/b1' },
  ],
  edges: [
    ...[0, 1, 2].flatMap((i) => [
      { from: 'd', to: `r${i}`, label: 'training' },
      { from: `r${i}`, to: `v${i}`, label: '' },
    ]),
    { from: 'v1', to: 'e', label: '90%' },
    { from: 'v0', to: 'e', label: '10%' },
    { from: 'v1', to: 'b', label: '' },
  ],
};
const stats = {
  windowSeconds: 1800,
  requests: 48_211,
  instances: 96_422,
  errors: 3,
  requestsPerSecond: 26.8,
  meanMs: 0.61,
  p50Ms: 0.42,
  p95Ms: 1.32,
  p99Ms: 3.9,
};
const columns = ['dep_hour', 'day_of_week', 'distance', 'origin', 'destination'];
const row = [14, 3, 1045, 'SFO', 'ORD'];
export const endpoints = [
  {
    name: 'flight-delays',
    model: 'flight-delays',
    description: 'Called by the booking page.',
    createdAt: NOW - DAY,
    updatedAt: NOW - 3_600_000,
    revision: 4,
    state: 'ready',
    message: '',
    stats,
    source: 'registry',
    logged: [],
    labels: {},
    config: {
      batching: { maxRows: 64, maxQueueDelayMicros: 500 },
      maxQueue: 500,
      cache: { maxMiB: 64, ttlSeconds: 300 },
      canaryGuard: { errorRate: 0.02, latencyP99: 1.5, driftDistance: 0.1 },
    },
    traffic: [
      { alias: 'champion', weight: 90, shadow: false },
      { version: 1, weight: 10, shadow: false },
      { version: 3, weight: 0, shadow: true },
    ],
    versions: [
      {
        version: 2,
        state: 'ready',
        error: null,
        weight: 90,
        shadow: false,
        aliases: ['champion'],
        canary: null,
        tier: 'inline',
        memoryBytes: 8_412_160,
        runMicros: 152,
        loadedAt: NOW - 3_600_000,
        queue: { waiting: 0, running: 1, merging: true, why: 'a row costs 31 µs in a run of eight and 152 µs alone' },
      },
      {
        version: 1,
        state: 'ready',
        error: null,
        weight: 10,
        shadow: false,
        aliases: ['challenger'],
        canary: { state: 'waiting', text: '61 of 100 requests have been answered.' },
        tier: 'worker',
        memoryBytes: 2_105_344,
        runMicros: 38,
        loadedAt: NOW - 3_600_000,
        queue: { waiting: 2, running: 1, merging: false, why: 'rows cannot be merged' },
      },
      {
        version: 3,
        state: 'failed',
        error: 'model.onnx: the graph needs opset 24 of ai.onnx, this runtime has 23. Export it again with target_opset=23.',
        weight: 0,
        shadow: true,
        aliases: [],
        canary: null,
        tier: null,
        memoryBytes: null,
        runMicros: null,
        loadedAt: null,
        queue: null,
      },
    ],
    signature,
    tensors,
    sample: {
      invocations: { dataframe_split: { columns, data: [row] } },
      openInference: { inputs: columns.map((name, i) => ({ name, datatype: tensors.inputs[i].datatype, shape: [1, 1], data: [row[i]] })) },
    },
  },
];
const batches = (micros, sizes) => sizes.map((rows) => ({ rows, runs: Math.round(31_000 / rows ** 1.4), meanMicros: micros * (0.8 + rows / 5) }));
export const endpointChanges = [
  {
    revision: 4,
    kind: 'rolled_back',
    reason: 'Back to revision 2: the canary was slower than the others.',
    traffic: endpoints[0].traffic,
    at: NOW - 3_600_000,
  },
  { revision: 3, kind: 'deployed', reason: '', traffic: [{ version: 3, weight: 100, shadow: false }], at: NOW - 5_400_000 },
  { revision: 2, kind: 'deployed', reason: '', traffic: endpoints[0].traffic, at: NOW - 0.5 * DAY },
  { revision: 1, kind: 'deployed', reason: '', traffic: [{ version: 1, weight: 100, shadow: false }], at: NOW - DAY },
];
export const endpointStats = () => {
  const start = Math.floor(Date.now() / 10_000) * 10_000;
  return {
    total: stats,
    failures: { queue_full: 2, wrong_datatype: 1 },
    shadowsDropped: 4,
    cache: { entries: 1_204, bytes: 1_912_004 },
    byVersion: [
      {
        version: 2,
        shadow: false,
        stats,
        failures: { queue_full: 2 },
        cacheHits: 9_120,
        cacheMisses: 34_001,
        queueMicros: 41,
        batches: batches(152, [1, 2, 4, 8, 16]),
      },
      {
        version: 1,
        shadow: false,
        stats: { ...stats, requests: 5_120, p50Ms: 0.18 },
        failures: { wrong_datatype: 1 },
        cacheHits: 0,
        cacheMisses: 5_120,
        queueMicros: 12,
        batches: batches(38, [1]),
      },
    ],
    buckets: Array.from({ length: 180 }, (_, i) => ({
      start: start - (180 - i) * 10_000,
      requests: Math.round(260 + 60 * Math.sin(i / 15) + normal() * 12),
      instances: 500,
      errors: i % 60 === 11 ? 1 : 0,
      p50Ms: 0.4 + 0.05 * random(),
      p95Ms: 1.2 + 0.3 * random(),
      p99Ms: 3 + 2 * random(),
    })),
  };
};
const spec = {
  model: 'flight-delays',
  alias: 'champion',
  input: '/data/flights/april-2001.parquet',
  inputFormat: 'auto',
  output: '/data/scored/april',
  outputFormat: 'auto',
  singleFile: false,
  resume: false,
  overwrite: false,
  chunkRows: 100_000,
  maxErrorRate: 0.001,
  monitor: true,
  timestampColumn: 'date',
  where: "date >= '2001-04-01' AND date < '2001-05-01'",
};
export const jobs = [
  ['b1', 'running', 310_000, null],
  ['b2', 'succeeded', 485_120, null],
  [
    'b3',
    'failed',
    120_000,
    'Chunk 2 of /data/flights/march.csv: the column distance is missing; the model needs dep_hour, day_of_week, distance, origin, destination. Found: date, delay, origin, destination.',
  ],
  ['b4', 'cancelled', 50_000, null],
].map(([jobId, state, done, error], i) => ({
  id: jobId,
  state,
  spec,
  model: 'flight-delays',
  version: 2,
  createdAt: NOW - i * 7_200_000 - 9_000,
  startedAt: NOW - i * 7_200_000 - 8_000,
  endedAt: state === 'running' ? null : NOW - i * 7_200_000,
  rowsTotal: 485_120,
  rowsDone: done,
  rowsFailed: i === 1 ? 12 : 0,
  chunksTotal: 5,
  chunksDone: Math.floor(done / 100_000),
  rowsPerSecond: 61_234.5,
  etaSeconds: state === 'running' ? 2.9 : null,
  inferenceSeconds: 6.1,
  message: state === 'running' ? 'Chunk 4 of 5' : '',
  error,
  output: '/data/scored/april',
}));
