import { type Backend, postgresBackend, sqliteBackend } from './lib/backends.ts';
import { memory } from './lib/process.ts';
import { figure, MIB, ratio, type Summary } from './lib/stats.ts';
import { large, PAGES, searches, type Writes, writes } from './lib/tracking-load.ts';
import type { Benchmark, Context } from './lib/types.ts';

async function run(context: Context, backend: Backend) {
  const { quick, say } = context;
  const size = { runs: quick ? 2000 : 100_000, metrics: 20, params: 20 };
  const small = { ...size, runs: size.runs / 10 };
  const binnacle = { few: await backend.binnacle(small), empty: await backend.binnacle(undefined), many: await backend.binnacle(size) };
  const mlflow = { empty: await backend.mlflow(undefined), many: await backend.mlflow(size) };

  say('Binnacle, a tenth of the runs …');
  const few = await binnacle.few();
  const fewSearches = await searches(few, quick ? 10 : 100, false).finally(() => few.stop());
  say('Binnacle …');
  const fresh = await binnacle.empty();
  const ours = await writes(fresh, quick ? 0.05 : 1).finally(() => fresh.stop());
  const server = await binnacle.many();
  let oursSearches: Summary[];
  let big: Awaited<ReturnType<typeof large>>;
  let grown: Writes;
  let rss: number;
  try {
    oursSearches = await searches(server, quick ? 10 : 100, false);
    big = await large(server, quick ? 20_000 : 1_000_000, quick ? 5000 : 100_000);
    grown = await writes(server, quick ? 0.05 : 0.5);
    rss = memory(server).rss;
  } finally {
    await server.stop();
  }
  say('mlflow server …');
  const other = await mlflow.empty();
  const theirs = await writes(other, quick ? 0.01 : 0.03).finally(() => other.stop());
  const searched = await mlflow.many();
  let theirSearches: Summary[];
  let theirRss: number;
  try {
    theirSearches = await searches(searched, quick ? 3 : 8, true);
    theirRss = memory(searched).rss;
  } finally {
    await searched.stop();
  }

  const aim = (what: string, measured: number, bound: number, unit = '×', better: 'higher' | 'lower' = 'higher') => ({ what, measured, bound, unit, better });
  const p50 = (key: 'create' | 'tag' | 'param') => theirs[key].p50 / ours[key].p50;
  const batchRatios = ours.batches.map((b, i) => b.perSecond / (theirs.batches[i]?.perSecond ?? Number.NaN));
  const latency = (name: string, mine: Summary, other: Summary) => [
    name,
    figure(mine.p50),
    figure(mine.p95),
    figure(other.p50),
    figure(other.p95),
    ratio(other.p50 / mine.p50),
  ];
  const rate = (name: string, mine: number, other: number) => [name, figure(mine), figure(other), ratio(mine / other)];
  return {
    about: `Tracking at scale: ${size.runs.toLocaleString('en-US')} runs × ${size.metrics} metrics × ${size.params} params, single writes, 32 clients, a series of a million points, a run with 100,000 metric keys.`,
    settings: [
      ...backend.settings,
      '`mlflow server` with its 4 workers, job runner and telemetry off.',
      'The same plain HTTP client for both, on bare sockets, one kept-alive connection a client; MLflow gets fewer requests of the same kind.',
    ],
    tables: [
      {
        header: ['Writes, points/s', 'Binnacle', 'mlflow server', 'ratio'],
        rows: [
          rate('`log-metric` one by one, 32 clients', ours.single, theirs.single),
          ...ours.batches.map((b, i) =>
            rate(`\`log-batch\` of ${b.points}, ${b.clients} client${b.clients === 1 ? '' : 's'}`, b.perSecond, theirs.batches[i]?.perSecond ?? Number.NaN),
          ),
        ],
      },
      {
        header: ['Latency, ms', 'Binnacle p50', 'p95', 'mlflow server p50', 'p95', 'p50, times faster'],
        rows: [
          latency('create run', ours.create, theirs.create),
          latency('set tag', ours.tag, theirs.tag),
          latency('log param', ours.param, theirs.param),
          ...PAGES.map(({ name }, i) => latency(`\`runs/search\`, ${name}`, oursSearches[i] as Summary, theirSearches[i] as Summary)),
        ],
      },
    ],
    aims: [
      ...ours.batches.map((b, i) =>
        aim(`points/s, \`log-batch\` of ${b.points}, ${b.clients} client${b.clients === 1 ? '' : 's'}`, batchRatios[i] ?? Number.NaN, 20),
      ),
      aim('points/s, `log-metric`, 32 clients', ours.single / theirs.single, 10),
      aim('create run, p50', p50('create'), 5),
      aim('set tag, p50', p50('tag'), 5),
      aim('log param, p50', p50('param'), 5),
      ...PAGES.map(({ name }, i) =>
        aim(`\`runs/search\`, ${name}, p95`, (theirSearches[i] as Summary).p95 / (oursSearches[i] as Summary).p95, i === 2 ? 10 : 20),
      ),
      ...PAGES.slice(0, 2).map(({ name }, i) => aim(`\`runs/search\`, ${name}, p95`, (oursSearches[i] as Summary).p95, 30, 'ms', 'lower')),
      aim('a series of 1,000,000 points as 1,000 buckets, p50', big.series.p50, 30, 'ms', 'lower'),
      aim('a run with 100,000 metric keys: opening it, p50', big.open.p50, 200, 'ms', 'lower'),
      aim('picking one of its keys, p50', big.pick.p50, 200, 'ms', 'lower'),
      aim('RSS after all of it, to mlflow server after its searches', rss / theirRss, 0.2, '×', 'lower'),
      aim('ten times the runs: search, p50', (oursSearches[0] as Summary).p50 / (fewSearches[0] as Summary).p50, 1.3, '×', 'lower'),
      aim(
        '100,000 runs rather than none: time a point of `log-batch` of 1000',
        (ours.batches.at(-1)?.perSecond ?? 0) / (grown.batches.at(-1)?.perSecond ?? 1),
        1.3,
        '×',
        'lower',
      ),
    ],
    notes: [
      `Requests that got an error under 32 clients: Binnacle ${ours.failed + grown.failed}, mlflow server ${theirs.failed}${theirs.failed > 0 ? ' (its database is locked, or its pool of connections is empty)' : ''}.`,
      `RSS: Binnacle ${figure(rss / MIB)} MiB, mlflow server ${figure(theirRss / MIB)} MiB (its processes summed).`,
    ],
    raw: { ours, theirs, oursSearches, fewSearches, theirSearches, big, grown, rss, theirRss },
  };
}

/** The same on one backend of the metadata. */
const on = (name: string, title: string, open: (context: Context) => Promise<Backend>): Benchmark => ({
  name,
  title,
  async run(context) {
    const backend = await open(context);
    return run(context, backend).finally(() => backend.close());
  },
});
export const trackingScale = on('tracking-scale', 'Tracking at scale, on SQLite', sqliteBackend);
export const trackingScalePostgres = on('tracking-scale-postgres', 'Tracking at scale, on PostgreSQL', postgresBackend);
