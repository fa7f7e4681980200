// The monitor of the made-up endpoint: time series, drift with a fault, quality, predictions.
import { DAY, NOW, normal, random, WEEK } from './fixture-data.mjs';

const config = {
  windowSeconds: 604_800,
  excludedFeatures: ['day_of_week'],
  consecutiveWindows: 2,
  minimumRows: 500,
  thresholds: { js: 0.1, w1n: 0.1, ks: 0.1, psi: 0.25 },
  samplingFraction: 1,
};
export const START = Date.UTC(2001, 3, 30);
const alarm = (aid, more) => ({
  id: aid,
  endpoint: 'flight-delays',
  version: 2,
  kind: 'feature-drift',
  feature: 'distance',
  state: 'open',
  severity: 'critical',
  message: 'distance drifted in 2 windows in a row: JS 0.41, allowed 0.1; its mean is 1,180, 733 in training.',
  firstWindow: START + 6 * WEEK,
  lastWindow: START + 7 * WEEK,
  raisedAt: NOW - 7_200_000,
  closedAt: null,
  value: 0.41,
  threshold: 0.1,
  ...more,
});
export const alarms = [
  alarm('a1', {}),
  alarm('a2', {
    kind: 'prediction-drift',
    feature: null,
    state: 'closed',
    severity: 'warning',
    message: 'The scores drifted: JS 0.14, allowed 0.1.',
    firstWindow: START + 2 * WEEK,
    lastWindow: START + 3 * WEEK,
    closedAt: NOW - 3_600_000,
    value: 0.14,
  }),
];
export const monitor = {
  endpoint: 'flight-delays',
  model: 'flight-delays',
  predictions: 1_284_112,
  predictionsLastDay: 20_511,
  errors: 3,
  labelled: 1_100_300,
  firstPredictionAt: START,
  lastPredictionAt: START + 8 * WEEK + 3 * DAY,
  hasBaseline: true,
  driftedFeatures: ['distance'],
  openAlarms: 1,
  config,
};
export const timeSeries = (from = START, to = START + 8.4 * WEEK) => {
  const bucketSeconds = Math.max(300, Math.round((to - from) / 1000 / 240 / 300) * 300);
  return {
    bucketSeconds,
    buckets: Array.from({ length: Math.floor((to - from) / 1000 / bucketSeconds) }, (_, i) => {
      const start = from + i * bucketSeconds * 1000;
      const day = Math.sin((start / DAY) * 2 * Math.PI);
      return {
        start,
        requests: 90,
        predictions: Math.round(900 + 500 * day + normal() * 40),
        errors: random() > 0.985 ? 1 : 0,
        p50Ms: 0.4,
        p95Ms: 1.2 + random() * 0.2,
        p99Ms: 2.6 + random(),
        meanScore: 0.18 + 0.02 * day + (start > START + 6 * WEEK ? 0.03 : 0) + normal() * 0.004,
        meanPrediction: 0.05,
        versions: { 2: 800, 1: 100 },
      };
    }),
  };
};
const FEATURES = [
  ['score', 'prediction'],
  ['distance', 'numeric'],
  ['dep_hour', 'numeric'],
  ['day_of_week', 'numeric'],
  ['origin', 'categorical'],
  ['destination', 'categorical'],
];
export const drift = () => {
  const windows = Array.from({ length: 9 }, (_, i) => ({
    start: START + i * WEEK,
    end: START + (i + 1) * WEEK,
    rows: i === 4 ? 210 : 140_000,
    complete: i < 8,
    driftedShare: i >= 6 ? 0.2 : 0,
  }));
  const cell = (w, i, name) => {
    const bad = name === 'distance' && (i === 6 || i === 7);
    const js = bad ? 0.38 + i / 200 : name === 'score' && i === 6 ? 0.12 : 0.01 + random() * 0.045;
    return {
      windowStart: w.start,
      rows: w.rows,
      status: name === 'day_of_week' ? 'excluded' : i === 4 ? 'insufficient' : bad ? 'drift' : js > 0.1 ? 'warning' : 'ok',
      js,
      ks: js * 0.8,
      w1n: js * 1.4,
      psi: js * js * 3,
      noiseFloor: 0.012,
      threshold: 0.1,
      missingShare: 0,
      unseenShare: name === 'origin' ? 0.0003 : null,
      mean: 733,
    };
  };
  return {
    endpoint: 'flight-delays',
    version: 2,
    windowSeconds: 604_800,
    baseline: { source: 'the training profile of version 2', rows: 1_374_222 },
    windows,
    features: FEATURES.map(([name, kind]) => ({ name, kind, excluded: name === 'day_of_week', cells: windows.map((w, i) => cell(w, i, name)) })),
    alarms,
  };
};
export const distribution = (feature, windowStart) => {
  const shape = (shift, scale) => {
    const raw = Array.from({ length: 65 }, (_, i) => Math.exp(-(((i - 20 - shift) / (12 * scale)) ** 2)) + 0.2 * Math.exp(-(((i - 45 - shift) / 6) ** 2)));
    raw[0] = 0;
    if (shift === 0) raw[64] = 0;
    const sum = raw.reduce((a, b) => a + b, 0);
    return raw.map((v) => v / sum);
  };
  const found = drift().features.find((f) => f.name === feature);
  const cell = found?.cells.find((c) => c.windowStart === windowStart) ?? null;
  const moved = cell !== null && cell.status === 'drift';
  const side = (rows, shares, mean, std) => ({ rows, shares, mean, std, missingShare: 0, min: 21, max: 4962 });
  if (found?.kind === 'categorical') {
    const categories = ['ATL', 'ORD', 'DFW', 'LAX', 'PHX', 'STL', 'DTW', 'MSP', 'LAS', 'BOS'];
    const shares = [0.2, 0.17, 0.15, 0.12, 0.1, 0.08, 0.07, 0.05, 0.03, 0.02, 0.01];
    return {
      feature,
      kind: 'categorical',
      edges: null,
      categories,
      baseline: side(1_374_222, shares, null, null),
      current: {
        ...side(
          140_000,
          shares.map((s, i) => s * (1 + (i % 3) * 0.05)),
          null,
          null,
        ),
        unseenShare: 0.0003,
      },
      cell,
    };
  }
  return {
    feature,
    kind: found?.kind ?? 'numeric',
    edges: Array.from({ length: 64 }, (_, i) => 50 + i * 45),
    categories: null,
    baseline: side(1_374_222, shape(0, 1), 733, 561),
    current: { ...side(140_000, shape(moved ? 14 : 0.4, moved ? 1.5 : 1), moved ? 1180 : 735, moved ? 902 : 560), unseenShare: null },
    cell,
  };
};
export const quality = () => {
  const w = (i) => ({
    start: START + i * WEEK,
    end: START + (i + 1) * WEEK,
    predictions: 140_000,
    labelled: i === 8 ? 0 : 135_000,
    auc: i === 8 ? null : 0.672 - (i >= 6 ? 0.03 : 0) + normal() * 0.004,
    brier: i === 8 ? null : 0.128 + normal() * 0.002,
    accuracy: i === 8 ? null : 0.84,
    logLoss: 0.42,
    rmse: null,
    mae: null,
    positives: i === 8 ? 0 : 21_800,
    majorityAccuracy: 0.839,
    majorityBrier: 0.1352,
  });
  const windows = Array.from({ length: 9 }, (_, i) => w(i));
  return { windowSeconds: 604_800, windows, overall: { ...w(0), predictions: 1_284_112, labelled: 1_100_300, end: START + 9 * WEEK } };
};
export const predictions = () =>
  Array.from({ length: 100 }, (_, i) => ({
    predictionId: `01K9${(i * 7919).toString(36).padStart(10, '0')}:${i % 4}`,
    timestamp: START + 8 * WEEK - i * 60_000,
    endpoint: 'flight-delays',
    version: i % 9 === 0 ? 1 : 2,
    latencyMs: 0.4 + random(),
    features: { dep_hour: 14, day_of_week: 3, distance: 200 + Math.round(random() * 2000), origin: 'SFO', destination: 'ORD' },
    prediction: random() > 0.9 ? 1 : 0,
    score: random() * 0.6,
    label: i % 5 === 0 ? null : i % 2,
  }));
