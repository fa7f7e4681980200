// The answers of the stand-in for Binnacle, a route an operation of the contract.
import * as base from './fixture-data.mjs';
import * as monitoring from './fixture-monitoring.mjs';

const data = { ...base, ...monitoring };

class Failure extends Error {
  constructor(status, code, detail, details) {
    super(detail);
    Object.assign(this, { status, code, details });
  }
}
export const missing = (what) => new Failure(404, 'not_found', `There is no ${what}.`);
const find = (list, key, value, what) =>
  list.find((item) => String(item[key]) === value) ??
  (() => {
    throw missing(`${what} ${value}`);
  })();
const pick = (from, keys) => Object.fromEntries(keys.filter((k) => k in from).map((k) => [k, from[k]]));
const row = (r, c) =>
  c === undefined ? r : { ...r, metrics: pick(r.metrics, c.metrics ?? []), params: pick(r.params, c.params ?? []), tags: pick(r.tags, c.tags ?? []) };
const summary = (r, key) => {
  const s = data.series(r, key, 50);
  const values = s.points.map((p) => p.value).filter((v) => typeof v === 'number');
  return {
    key,
    value: r.metrics[key],
    step: s.total - 1,
    timestamp: r.startedAt,
    count: s.total,
    min: values.length === 0 ? 'NaN' : Math.min(...values),
    max: values.length === 0 ? 'NaN' : Math.max(...values),
    inherited: false,
  };
};
const metricsOf = (r) => Object.keys(r.metrics).map((key) => summary(r, key));
function detail(r) {
  const e = data.experiments.find((x) => x.id === r.experimentId);
  const v = data.versions.find((x) => x.runId === r.id);
  return {
    ...r,
    experimentName: e.name,
    artifactUri: `mlflow-artifacts:/${r.experimentId}/${r.id}/artifacts`,
    note: 'The boosted one.\n\nTrained on three months; *better* by 0.02 AUC.',
    metricKeys: Object.keys(r.metrics).length,
    entryKeys: { string: 0, histogram: 0, file: 0 },
    fork: null,
    forks: [],
    metrics: metricsOf(r),
    datasets: r.datasets.map((d) => ({ ...d, sourceType: 'local', source: 'flights-3m.parquet', schema: null, profile: null })),
    models: v ? [{ modelId: `m-${r.id}`, name: 'model', step: 0, status: 'READY', versions: [{ name: v.model, version: v.version }] }] : [],
  };
}
function search(body) {
  if (/[^\w\s.`'"<>=!%-]/.test(body.filter ?? '') || /metric\b/.test(body.filter ?? ''))
    throw new Failure(
      400,
      'invalid_filter',
      `Cannot read the filter at character 1: "${body.filter}". Expected metrics., params., tags., attributes. or datasets.`,
    );
  let found = data.runs.filter((r) => body.experimentIds.includes(r.experimentId));
  const condition = /metrics\.[`"]?([\w/]+)[`"]?\s*([<>])\s*([\d.]+)/.exec(body.filter ?? '');
  if (condition)
    found = found.filter((r) => (condition[2] === '>' ? r.metrics[condition[1]] > Number(condition[3]) : r.metrics[condition[1]] < Number(condition[3])));
  if (body.view === 'deleted') found = [];
  const order = /^(metrics|params|attributes)\.[`"]?(.+?)[`"]? (ASC|DESC)$/.exec(body.orderBy?.[0] ?? '');
  if (order) {
    const of = (r) => (order[1] === 'attributes' ? { start_time: r.startedAt, run_name: r.name, status: r.status }[order[2]] : r[order[1]][order[2]]);
    found = [...found].sort((a, b) => (of(a) < of(b) ? -1 : 1) * (order[3] === 'ASC' ? 1 : -1));
  }
  const from = Number(body.pageToken ?? 0);
  const limit = body.limit ?? 100;
  return {
    runs: found.slice(from, from + limit).map((r) => row(r, body.columns)),
    ...(from + limit < found.length ? { nextPageToken: String(from + limit) } : {}),
  };
}
function compare({ runIds }) {
  const runs = runIds.map((id) => find(data.runs, 'id', id, 'run'));
  const rows = [];
  for (const [kind, from] of [
    ['param', 'params'],
    ['metric', 'metrics'],
    ['tag', 'tags'],
  ])
    for (const key of new Set(runs.flatMap((r) => Object.keys(r[from])))) {
      const values = runs.map((r) => r[from][key] ?? null);
      rows.push({ kind, key, values, differs: new Set(values).size > 1 });
    }
  return { runs: runs.map(({ metrics: _m, params: _p, tags: _t, ...rest }) => rest), rows };
}
const FILES = {
  '': [
    ['model', true],
    ['plots', true],
    ['report.csv', false],
    ['config.json', false],
    ['train.log', false],
  ],
  model: [
    ['model/MLmodel', false],
    ['model/model.onnx', false],
  ],
  plots: [['plots/roc.svg', false]],
};
export const CONTENT = {
  'report.csv': 'hour,flights,late\n' + Array.from({ length: 24 }, (_, h) => `${h},${1000 + h * 40},${(h / 100).toFixed(3)}`).join('\n'),
  'config.json': '{"seed":2001,"features":["dep_hour","distance"]}',
  'train.log': 'step 1 loss 0.61\nstep 2 loss 0.52\n',
  'model/MLmodel': 'flavors:\n  onnx:\n    data: model.onnx\n',
  'plots/roc.svg':
    '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><path d="M10 190 Q60 40 290 10" stroke="teal" fill="none" stroke-width="3"/></svg>',
  'model/model.onnx': 'x',
};

/** What the stand-in answers; `empty`: as a Binnacle that has nothing yet. */
export function fixtureRoutes({ empty = false, url = 'http://127.0.0.1' } = {}) {
  const none = (value) => (empty ? [] : value);
  return [
    [
      'GET /info',
      () => ({
        name: 'binnacle',
        version: '0.1.0',
        dataDir: '~/.binnacle-demo',
        url,
        startedAt: data.NOW - 9e6,
        uptimeSeconds: 9000,
        node: 'v24',
        authentication: 'none',
        counts: empty
          ? { experiments: 1, runs: 0, models: 0, endpoints: 0, batchJobs: 0, openAlarms: 0 }
          : { experiments: 4, runs: 5003, models: 2, endpoints: 1, batchJobs: 4, openAlarms: 1 },
      }),
    ],
    [
      'GET /search',
      ({ query }) => ({
        hits: [
          ...data.experiments.map((e) => ({ kind: 'experiment', label: e.name, detail: `${e.runCount} runs`, href: `/experiments/${e.id}` })),
          ...data.runs.slice(0, 400).map((r) => ({ kind: 'run', label: r.name, detail: r.id, href: `/runs/${r.id}` })),
          ...data.models.map((m) => ({ kind: 'model', label: m.name, detail: 'model', href: `/models/${encodeURIComponent(m.name)}` })),
        ]
          .filter((h) => h.label.includes(query.q))
          .slice(0, 20),
      }),
    ],
    [
      'GET /experiments',
      ({ query }) => ({ experiments: empty ? [{ ...data.experiments[2], name: 'Default' }] : data.experiments.filter((e) => e.name.includes(query.q ?? '')) }),
    ],
    ['GET /experiments/:id', ({ p }) => find(data.experiments, 'id', p.id, 'experiment')],
    [
      'GET /experiments/:id/columns',
      ({ p, query }) => {
        const all = data.columnsOf(p.id);
        const limit = Number(query.limit ?? 500);
        const f = (l) => l.filter((k) => k.includes(query.q ?? '')).slice(0, limit);
        return { metrics: f(all.metrics), params: f(all.params), tags: f(all.tags), truncated: all.metrics.length > limit };
      },
    ],
    ['GET /experiments/:id/views', () => ({ views: [] })],
    ['POST /runs/search', ({ body }) => search(body)],
    ['POST /runs/compare', ({ body }) => compare(body)],
    [
      'POST /runs/series',
      ({ body }) => ({
        series: body.runIds.flatMap((id) => {
          const r = find(data.runs, 'id', id, 'run');
          return body.keys.filter((k) => k in r.metrics).map((k) => data.series(r, k, body.maxPoints ?? 1000, body.from, body.to));
        }),
      }),
    ],
    ['GET /runs/:id', ({ p }) => detail(find(data.runs, 'id', p.id, 'run'))],
    ['PATCH /runs/:id', ({ p }) => detail(find(data.runs, 'id', p.id, 'run'))],
    ['GET /runs/:id/metric-keys', ({ p, query }) => ({ metrics: metricsOf(find(data.runs, 'id', p.id, 'run')).filter((m) => m.key.includes(query.q ?? '')) })],
    [
      'GET /runs/:id/artifacts',
      ({ query }) => ({
        files: (FILES[query.path ?? ''] ?? []).map(([path, isDirectory]) => ({
          path,
          isDirectory,
          size: isDirectory ? null : (CONTENT[path]?.length ?? 812_345),
        })),
      }),
    ],
    ['GET /models', ({ query }) => ({ models: none(data.models).filter((m) => m.name.includes(query.q ?? '')) })],
    [
      'GET /models/:name',
      ({ p }) => {
        const m = find(data.models, 'name', p.name, 'model');
        return { ...m, versions: m.versionCount > 0 ? data.versions : [] };
      },
    ],
    ['GET /runs/:id/lineage', () => data.lineage],
    ['GET /runs/:id/entry-keys', () => ({ keys: [] })],
    ['GET /models/:name/lineage', () => data.lineage],
    ['GET /models/:name/versions/:v', ({ p }) => data.versionDetail(find(data.versions, 'version', p.v, 'version'))],
    ['GET /models/:name/versions/:v/gates', ({ p }) => ({ reports: [data.reports(Number(p.v), p.v !== '3')] })],
    ['POST /models/:name/versions/:v/gates', ({ p }) => data.reports(Number(p.v), p.v !== '3')],
    [
      'PUT /models/:name/aliases/:a',
      ({ p, body }) => {
        if (body.version === 3 && !body.force)
          throw new Failure(409, 'gate_failed', 'The gate "metric" refuses version 3 for champion: val_auc is 0.5012, 0.6712 is needed (0.17 too low).', {
            report: data.reports(3, false),
          });
        return { alias: p.a, version: body.version, report: null };
      },
    ],
    ['PUT /models/:name/gate-policy', ({ body }) => body],
    [
      'GET /endpoints',
      () => ({ endpoints: none(data.endpoints.map(({ signature: _s, tensors: _t, sample: _a, logged: _l, labels: _b, ...listed }) => listed)) }),
    ],
    ['GET /endpoints/:name', ({ p }) => find(data.endpoints, 'name', p.name, 'endpoint')],
    ['PUT /endpoints/:name', () => data.endpoints[0]],
    ['POST /endpoints/:name/load', () => data.endpoints[0]],
    ['POST /endpoints/:name/unload', () => data.endpoints[0]],
    ['POST /endpoints/:name/rollback', () => data.endpoints[0]],
    [
      'POST /endpoints/:name/warm',
      () => ({
        versions: [
          { version: 2, millis: 0.19 },
          { version: 1, millis: null },
        ],
      }),
    ],
    ['GET /endpoints/:name/changes', () => ({ changes: data.endpointChanges })],
    ['GET /endpoints/:name/stats', () => data.endpointStats()],
    ['GET /batch', () => ({ jobs: none(data.jobs) })],
    ['POST /batch', () => data.jobs[0]],
    ['GET /batch/:id', ({ p }) => find(data.jobs, 'id', p.id, 'batch job')],
    [
      'GET /batch/:id/files',
      () => ({
        files: [
          ...Array.from({ length: 4 }, (_, i) => ({ name: `part-0000${i}.parquet`, kind: 'part', rows: 100_000, bytes: 812_345 })),
          { name: 'errors.jsonl', kind: 'errors', rows: 12, bytes: 2_210 },
          { name: '_SUCCESS', kind: 'marker', rows: null, bytes: 0 },
        ],
      }),
    ],
    ['GET /monitors', () => ({ monitors: none([data.monitor]) })],
    ['GET /monitors/:e', ({ p }) => find([data.monitor], 'endpoint', p.e, 'monitor')],
    ['PUT /monitors/:e/config', ({ body }) => body],
    ['GET /monitors/:e/timeseries', ({ query }) => data.timeSeries(query.from && Number(query.from), query.to && Number(query.to))],
    ['GET /monitors/:e/drift', () => data.drift()],
    ['POST /monitors/:e/evaluate', () => data.drift()],
    ['GET /monitors/:e/distribution', ({ query }) => data.distribution(query.feature, Number(query.windowStart))],
    ['GET /monitors/:e/quality', () => data.quality()],
    ['GET /monitors/:e/predictions', () => ({ predictions: data.predictions() })],
    ['GET /alarms', ({ query }) => ({ alarms: none(data.alarms).filter((a) => query.state === 'all' || a.state === (query.state ?? a.state)) })],
  ].map(([spec, handler]) => {
    const [method, path] = spec.split(' ');
    const names = [];
    const pattern = new RegExp(
      `^/api/binnacle/v1${path.replace(/:(\w+)/g, (_, n) => {
        names.push(n);
        return '([^/]+)';
      })}$`,
    );
    return { method, path, handler, names, pattern };
  });
}
