import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '@binnacle/sdk';
import { ALL, pinned, SERVER } from './lib/cores.ts';
import { models, push } from './lib/models.ts';
import { startBinnacle } from './lib/servers.ts';
import { figure, MIB } from './lib/stats.ts';
import { type Sample, type Span, steadyLoad, within } from './lib/steady.ts';
import type { Benchmark, Context } from './lib/types.ts';

const CONNECTIONS = 32;
/** About a third of what the endpoint answers in a closed loop on one core. */
const RATE = 2000;
/** A change is looked at for so long at least, and the server is left alone for so long between two. */
const LEAST_MS = 1000;

const PHASES = [
  ['nothing', 'nothing'],
  ['busy', 'another program computes on the same cores'],
  ['loaded', 'it is registered, deployed and warmed'],
  ['replaced', 'a new version replaces it'],
  ['unloaded', 'it is unloaded'],
] as const;
type Phase = (typeof PHASES)[number][0];

/** The same model with another word about it (`doc_string`, ModelProto's field 6), and so another file, which the server has never seen. */
const saying = (model: Uint8Array, word: string): Uint8Array<ArrayBuffer> =>
  Buffer.concat([model, Buffer.from([(6 << 3) | 2, word.length]), Buffer.from(word)]);

async function upload({ call }: Client, model: string, bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const { version } = await call('uploadVersion', { params: { model }, rawBody: new Blob([bytes]) });
  return version;
}

/** What any program on the same cores costs: no loading can cost less than the work that it is. */
async function compute(cores: string, ms: number): Promise<void> {
  const [command, argv] = pinned(cores, process.execPath, ['-e', `const until = Date.now() + ${ms}; while (Date.now() < until);`]);
  await once(spawn(command, argv, { stdio: 'ignore' }), 'exit');
}

async function rounds(
  context: Context,
  url: string,
  cores: string,
  large: Uint8Array<ArrayBuffer>,
  count: number,
  nothingMs: number,
): Promise<Record<Phase, Span[]>> {
  const client = createClient({ baseUrl: url });
  const spans: Record<Phase, Span[]> = { nothing: [], busy: [], loaded: [], replaced: [], unloaded: [] };
  const deploy = async (version: number): Promise<void> => {
    const { state, message } = await client.call('deployEndpoint', { params: { endpoint: 'large' }, body: { model: 'large', traffic: [{ version }] } });
    if (state !== 'ready') throw new Error(`the large model is ${state}: ${message}`);
    await client.call('warmEndpoint', { params: { endpoint: 'large' } });
  };
  const during = async (phase: Phase, change: () => Promise<unknown>): Promise<void> => {
    await sleep(LEAST_MS);
    const from = Date.now();
    await Promise.all([change(), sleep(LEAST_MS)]);
    spans[phase].push({ from, to: Date.now() });
  };
  for (let round = 1; round <= count; round++) {
    context.say(`round ${round} …`);
    const [first, second] = [saying(large, `${round} a`), saying(large, `${round} b`)];
    await during('nothing', () => sleep(nothingMs));
    await during('busy', () => compute(cores, 1500));
    await during('loaded', async () => deploy(await upload(client, 'large', first)));
    await during('replaced', async () => deploy(await upload(client, 'large', second)));
    await during('unloaded', () => client.call('unloadEndpoint', { params: { endpoint: 'large' } }));
  }
  return spans;
}

const LAYOUTS = [
  { cores: SERVER, what: 'one core' },
  { cores: ALL, what: 'all cores' },
] as const;

async function measure(context: Context, cores: string) {
  const { quick, scratch } = context;
  const dir = await models(context);
  const sample = JSON.parse(readFileSync(join(dir, 'serving.json'), 'utf8')) as { rows: number[][] };
  const row = sample.rows[0] ?? [];
  const large = readFileSync(join(dir, 'large.onnx'));
  const [count, nothingMs] = quick ? [1, 2000] : [10, 5000];
  const server = await startBinnacle({ dir: join(scratch, `binnacle ${cores}`), cores });
  let spans: Record<Phase, Span[]>;
  let samples: Sample[];
  try {
    await push(server.url, 'tiny', join(dir, 'serving.onnx'));
    await createClient({ baseUrl: server.url }).call('deployEndpoint', { params: { endpoint: 'tiny' }, body: { model: 'tiny', traffic: [{ version: 1 }] } });
    const body = JSON.stringify({ inputs: [{ name: 'X', datatype: 'FP32', shape: [1, row.length], data: row }] });
    const load = steadyLoad(`${server.url}/v2/models/tiny/infer`, body, { rate: RATE, connections: CONNECTIONS, scratch });
    // The compiler has seen the way of a request by then, and that of a load.
    await rounds(context, server.url, cores, large, 1, 1000);
    spans = await rounds(context, server.url, cores, large, count, nothingMs);
    samples = await load.stop();
  } finally {
    await server.stop();
  }
  const measured = PHASES.map(([phase, what]) => ({ phase, what, ...within(samples, spans[phase]), times: spans[phase].length }));
  return { measured, spans, large: large.length, count, nothingMs };
}

async function run(context: Context) {
  const runs: (Awaited<ReturnType<typeof measure>> & (typeof LAYOUTS)[number])[] = [];
  for (const layout of LAYOUTS) {
    context.say(`${layout.what} …`);
    runs.push({ ...layout, ...(await measure(context, layout.cores)) });
  }
  const { large = 0, count = 0, nothingMs = 0 } = runs[0] ?? {};
  return {
    about: 'Whether a tiny endpoint answers as fast while a large model beside it comes, changes and goes.',
    settings: [
      `Open Inference over JSON, ${figure(RATE)} requests a second over ${CONNECTIONS} connections, from a process of its own (where it may, at a higher priority than all others); a latency counts from when the request was due. A reply other than 200 fails the benchmark.`,
      `The large model: 24 layers of 1024, ${figure(large / MIB)} MiB in one file. Each push is a file that the server has not seen, so that it tries it in a process first; ${count} rounds after one that does not count, ${nothingMs / 1000} s of nothing in each. A change is looked at until it is done, and for ${LEAST_MS / 1000} s at least.`,
      `“One core”: the server, with the threads and the process that load the model, has one core for all; the client that sends the model shares the other with the one that measures. “All cores”: the server has the ${availableParallelism()} of the machine, and both clients share them.`,
    ],
    tables: [
      {
        header: ['The server has', 'While', 'Requests/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'Longest ms', 'Takes s'],
        rows: runs.flatMap((layout) =>
          layout.measured.map(({ what, requests, seconds, p50, p99, p999, max, times }) => [
            layout.what,
            what,
            ...[requests / seconds, p50, p99, p999, max, seconds / times].map(figure),
          ]),
        ),
      },
    ],
    aims: runs.flatMap(({ what: layout, measured }) => {
      const quiet = measured[0]?.p99 ?? Number.NaN;
      return measured
        .filter(({ phase }) => phase !== 'nothing' && phase !== 'busy')
        .map(({ what, p99 }) => ({
          what: `${layout}: p99 while ${what}, to p99 without`,
          measured: p99 / quiet,
          better: 'lower' as const,
          bound: 2,
          unit: '×',
        }));
    }),
    raw: runs.map(({ what, spans, measured }) => ({ what, spans, measured })),
  };
}

export const servingLoading: Benchmark = { name: 'serving-loading', title: 'Latency while a large model is loaded', run };
