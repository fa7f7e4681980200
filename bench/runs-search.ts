import { join } from 'node:path';
import { Connection } from './lib/http.ts';
import { binnacleData, experimentId, mlflowData } from './lib/search-data.ts';
import { type Server, startBinnacle, startMlflow } from './lib/servers.ts';
import { figure, ratio, type Summary, summarise } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';

const QUERIES = [
  { name: 'half of the runs match', filter: 'metrics.m03 > 0.5', order: 'metrics.m07 DESC', page: 1, aim: true },
  { name: 'one in a hundred matches', filter: 'metrics.m03 > 0.99', order: 'metrics.m07 DESC', page: 1, aim: true },
  { name: 'metric and param', filter: "metrics.m03 > 0.5 and params.p02 = 'v7'", order: 'metrics.m07 DESC', page: 1, aim: true },
  { name: 'half match, tenth page', filter: 'metrics.m03 > 0.5', order: 'metrics.m07 DESC', page: 10, aim: false },
] as const;
type Query = (typeof QUERIES)[number];

interface Page {
  runs: { data: { metrics: { key: string; value: number }[]; params: { key: string }[] } }[];
  next_page_token?: string;
}
interface Measured {
  query: string;
  /** Milliseconds. */
  latency: Summary;
  /** The ordering metric down the page: the same on both sides, or they did not answer the same question. */
  answer: number[];
  bytes: number;
}

async function measure(connection: Connection, experiment: string, query: Query, repeats: number, warmUp: number): Promise<Measured> {
  const ask = { experiment_ids: [experiment], filter: query.filter, order_by: [query.order], max_results: 100 };
  let token: string | undefined;
  for (let page = 1; page < query.page; page++)
    token = (await connection.json<Page>('POST', '/api/2.0/mlflow/runs/search', { ...ask, page_token: token })).next_page_token;
  const body = JSON.stringify({ ...ask, page_token: token });
  const times: number[] = [];
  let last: Buffer = Buffer.alloc(0);
  for (let i = -warmUp; i < repeats; i++) {
    const reply = await connection.send('POST', '/api/2.0/mlflow/runs/search', body);
    if (reply.status !== 200) throw new Error(`runs/search: ${reply.status} ${reply.body.toString('utf8', 0, 500)}`);
    if (i >= 0) times.push(reply.ms);
    last = reply.body;
  }
  const { runs } = JSON.parse(last.toString('utf8')) as Page;
  return {
    query: query.name,
    latency: summarise(times),
    answer: runs.map((run) => run.data.metrics.find((m) => m.key === 'm07')?.value ?? Number.NaN),
    bytes: last.length,
  };
}

async function side(server: Server, queries: readonly Query[], repeats: number, warmUp: number): Promise<Measured[]> {
  const connection = new Connection(server.url);
  try {
    const experiment = await experimentId(connection);
    const out = [];
    for (const query of queries) out.push(await measure(connection, experiment, query, repeats, warmUp));
    return out;
  } finally {
    connection.close();
    await server.stop();
  }
}

/** Both must have answered the same runs in the same order. */
function compare(ours: readonly Measured[], theirs: readonly Measured[]): void {
  for (const other of theirs) {
    const mine = ours.find(({ query }) => query === other.query)?.answer ?? [];
    if (mine.length !== other.answer.length || mine.some((v, k) => v !== other.answer[k]))
      throw new Error(
        `'${other.query}' was answered differently: ${mine.slice(0, 3).join(', ')}… (${mine.length}) by Binnacle, ${other.answer.slice(0, 3).join(', ')}… (${other.answer.length}) by MLflow`,
      );
  }
}

async function run(context: Context) {
  const { quick, scratch, say } = context;
  const size = { runs: quick ? 1000 : 20_000, metrics: 20, params: 20 };
  const mlflowDir = await mlflowData(context, size);
  const binnacleDir = await binnacleData(context, size);
  say('Binnacle …');
  const ours = await side(await startBinnacle({ dir: binnacleDir }), QUERIES, quick ? 20 : 300, quick ? 3 : 30);
  const mlflow = (name: string) => startMlflow({ dir: join(scratch, name), database: `sqlite:///${join(mlflowDir, `${name}.db`)}`, workers: 1, jobs: false });
  say('mlflow server, database analyzed …');
  const analyzed = await side(await mlflow('analyzed'), QUERIES, quick ? 5 : 20, 2);
  say('mlflow server as it comes …');
  // Its plan without statistics is quadratic in the runs, some ten seconds a search: three of one query are enough to show it.
  const plain = await side(await mlflow('mlflow'), QUERIES.slice(0, 1), 3, 0);
  compare(ours, analyzed);
  compare(ours, plain);
  const of = (results: readonly Measured[], i: number) => results[i]?.latency ?? summarise([]);
  const times = (results: readonly Measured[], i: number) => of(results, i).p50 / of(ours, i).p50;
  return {
    about: `Latency of \`runs/search\` with a metric filter, ordered by another metric, a page of 100, over ${size.runs.toLocaleString('en-US')} runs × ${size.metrics} metrics × ${size.params} params; each run of the page comes with all its metrics and params.`,
    settings: [
      'One client, one request at a time, databases warm; order `metrics.m07 DESC`, `max_results` 100.',
      'Both hold the same values: Binnacle loaded through its API, MLflow through its own SQLAlchemy tables. The pages are compared: both sides answer the same runs in the same order.',
      '`mlflow server`: SQLite, `--workers 1` (one request at a time needs no more), job runner and telemetry off. MLflow never runs `ANALYZE`, and without it its SQLite plan is quadratic in the number of runs; the aims are judged against the *analyzed* database, the harder one.',
    ],
    tables: [
      {
        header: [
          'Query',
          'Binnacle p50 ms',
          'p99 ms',
          'mlflow server, analyzed: p50 ms',
          'p99 ms',
          'as it comes: p50 ms',
          'p50, times faster',
          'than as it comes',
        ],
        rows: QUERIES.map((query, i) => [
          `${query.name}: \`${query.filter}\``,
          figure(of(ours, i).p50),
          figure(of(ours, i).p99),
          figure(of(analyzed, i).p50),
          figure(of(analyzed, i).p99),
          figure(of(plain, i).p50),
          ratio(times(analyzed, i)),
          ratio(times(plain, i)),
        ]),
      },
    ],
    aims: QUERIES.flatMap((query, i) =>
      query.aim
        ? [
            {
              what: `\`runs/search\` p50, ${query.name}, to \`mlflow server\` (analyzed)`,
              measured: times(analyzed, i),
              better: 'higher' as const,
              bound: 10,
              unit: '×',
            },
          ]
        : [],
    ),
    raw: { size, ours, analyzed, plain },
  };
}

export const runsSearch: Benchmark = { name: 'runs-search', title: 'Searching runs', run };
