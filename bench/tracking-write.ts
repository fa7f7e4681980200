import { join } from 'node:path';
import { Connection, withClients } from './lib/http.ts';
import { type Server, startBinnacle, startMlflow } from './lib/servers.ts';
import { figure, ratio, type Summary, summarise } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';

const KEYS = 20;
const STEPS = 50;
const POINTS = KEYS * STEPS;
const API = '/api/2.0/mlflow';

interface Measured {
  clients: number;
  batches: number;
  seconds: number;
  pointsPerSecond: number;
  /** A request, milliseconds. */
  latency: Summary;
}

/** A log-batch body: 20 keys, 50 steps each, of one of a run's successive batches. */
function body(runId: string, batch: number): Buffer {
  const metrics = [];
  for (let step = batch * STEPS; step < (batch + 1) * STEPS; step++)
    for (let key = 0; key < KEYS; key++)
      metrics.push({ key: `metric_${key}`, value: Math.sin(step * 0.01 + key) + step * 1e-6, timestamp: 1_700_000_000_000 + step * 1000, step });
  return Buffer.from(JSON.stringify({ run_id: runId, metrics }));
}

async function createRun(connection: Connection, name: string): Promise<string> {
  const { run } = await connection.json<{ run: { info: { run_id: string } } }>('POST', `${API}/runs/create`, {
    experiment_id: '0',
    run_name: name,
    start_time: Date.now(),
  });
  return run.info.run_id;
}

/** Each client logs to a run of its own, one request at a time; the bodies are made beforehand. */
async function measure(server: Server, clients: number, batches: number): Promise<Measured> {
  const each = Math.max(1, Math.round(batches / clients));
  const setup = new Connection(server.url);
  const runs = [];
  for (let i = 0; i < clients; i++) runs.push(await createRun(setup, `clients-${clients}-${i}`));
  const bodies = runs.map((run) => Array.from({ length: each }, (_, i) => body(run, i)));
  const latencies: number[] = [];
  const begun = performance.now();
  await withClients(server.url, clients, async (connection, client) => {
    for (const payload of bodies[client] ?? []) {
      const reply = await connection.send('POST', `${API}/runs/log-batch`, payload);
      if (reply.status !== 200) throw new Error(`log-batch: ${reply.status} ${reply.body.toString('utf8', 0, 300)}`);
      latencies.push(reply.ms);
    }
  });
  const seconds = (performance.now() - begun) / 1000;
  for (const run of runs) await verify(setup, run, each);
  setup.close();
  return { clients, batches: each * clients, seconds, pointsPerSecond: (each * clients * POINTS) / seconds, latency: summarise(latencies) };
}

/** What was acknowledged is there: every point of one key. */
async function verify(connection: Connection, run: string, batches: number): Promise<void> {
  let points = 0;
  let token = '';
  do {
    const query = new URLSearchParams({ run_id: run, metric_key: 'metric_7', max_results: '25000', ...(token === '' ? {} : { page_token: token }) });
    const page = await connection.json<{ metrics?: unknown[]; next_page_token?: string }>('GET', `${API}/metrics/get-history?${query}`);
    points += page.metrics?.length ?? 0;
    token = page.next_page_token ?? '';
  } while (token !== '');
  if (points !== batches * STEPS) throw new Error(`run ${run} has ${points} points of metric_7, and ${batches * STEPS} were acknowledged`);
}

async function side(server: Server, plan: { clients: number; batches: number }[], warmUp: number): Promise<Measured[]> {
  try {
    await measure(server, 1, warmUp);
    const out = [];
    for (const { clients, batches } of plan) out.push(await measure(server, clients, batches));
    return out;
  } finally {
    await server.stop();
  }
}

async function run({ quick, scratch, say }: Context) {
  const size = (many: number) => (quick ? Math.max(8, Math.round(many / 20)) : many);
  say('Binnacle …');
  const ours = await side(
    await startBinnacle({ dir: join(scratch, 'binnacle') }),
    [
      { clients: 1, batches: size(1000) },
      { clients: 8, batches: size(2000) },
    ],
    size(200),
  );
  const theirs: { workers: number; results: Measured[] }[] = [];
  // Four workers are its default; on one core, with one writer at a time, fewer may do better: the better one counts.
  for (const workers of quick ? [4] : [4, 1]) {
    say(`mlflow server, ${workers} worker(s) …`);
    const server = await startMlflow({
      dir: join(scratch, `mlflow-${workers}`),
      database: `sqlite:///${join(scratch, `mlflow-${workers}.db`)}`,
      workers,
      jobs: false,
    });
    theirs.push({
      workers,
      results: await side(
        server,
        [
          { clients: 1, batches: size(60) },
          { clients: 8, batches: size(80) },
        ],
        4,
      ),
    });
  }
  const best = [1, 8].map((clients) =>
    Math.max(...theirs.flatMap(({ results }) => results.filter((r) => r.clients === clients).map((r) => r.pointsPerSecond))),
  );
  const row = (name: string, m: Measured) => [
    name,
    m.clients,
    figure(m.pointsPerSecond),
    figure(m.latency.p50),
    figure(m.latency.p99),
    m.batches,
    ratio(m.pointsPerSecond / (best[m.clients === 1 ? 0 : 1] ?? Number.NaN)),
  ];
  return {
    about: `Points a second through MLflow's REST route \`runs/log-batch\`, ${POINTS} metrics a request (${KEYS} keys × ${STEPS} steps), each request acknowledged when it is on disk.`,
    settings: [
      'Binnacle: SQLite in WAL, `synchronous=FULL` (its default).',
      '`mlflow server`: SQLite as it opens it, rollback journal with `synchronous=FULL` (its default); `--workers 4` (its default) and 1, the better counts; job runner and telemetry off.',
      'The same client for both: node:http, one kept-alive connection a client, bodies made beforehand, one run a client. Afterwards the points of a key are read back and counted.',
    ],
    tables: [
      {
        header: ['Server', 'Clients', 'Points/s', 'p50 ms', 'p99 ms', 'Batches', 'to the best MLflow'],
        rows: [
          ...ours.map((m) => row('Binnacle', m)),
          ...theirs.flatMap(({ workers, results }) => results.map((m) => row(`mlflow server, ${workers} worker${workers === 1 ? '' : 's'}`, m))),
        ],
      },
    ],
    aims: ours.map((m, i) => ({
      what: `points/s, ${m.clients} client${m.clients === 1 ? '' : 's'}, to \`mlflow server\``,
      measured: m.pointsPerSecond / (best[i] ?? Number.NaN),
      better: 'higher' as const,
      bound: 10,
      unit: '×',
    })),
    raw: { ours, theirs },
  };
}

export const trackingWrite: Benchmark = { name: 'tracking-write', title: 'Logging metrics', run };
