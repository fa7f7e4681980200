import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '@binnacle/sdk';
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

async function rounds(context: Context, url: string, large: Uint8Array<ArrayBuffer>, count: number, nothingMs: number): Promise<Record<Phase, Span[]>> {
  const client = createClient({ baseUrl: url });
  const spans: Record<Phase, Span[]> = { nothing: [], loaded: [], replaced: [], unloaded: [] };
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
    await during('loaded', async () => deploy(await upload(client, 'large', first)));
    await during('replaced', async () => deploy(await upload(client, 'large', second)));
    await during('unloaded', () => client.call('unloadEndpoint', { params: { endpoint: 'large' } }));
  }
  return spans;
}

async function run(context: Context) {
  const { quick, scratch } = context;
  const dir = await models(context);
  const sample = JSON.parse(readFileSync(join(dir, 'serving.json'), 'utf8')) as { rows: number[][] };
  const row = sample.rows[0] ?? [];
  const large = readFileSync(join(dir, 'large.onnx'));
  const [count, nothingMs] = quick ? [1, 2000] : [5, 10_000];
  const server = await startBinnacle({ dir: join(scratch, 'binnacle') });
  let spans: Record<Phase, Span[]>;
  let samples: Sample[];
  try {
    await push(server.url, 'tiny', join(dir, 'serving.onnx'));
    await createClient({ baseUrl: server.url }).call('deployEndpoint', { params: { endpoint: 'tiny' }, body: { model: 'tiny', traffic: [{ version: 1 }] } });
    const body = JSON.stringify({ inputs: [{ name: 'X', datatype: 'FP32', shape: [1, row.length], data: row }] });
    const load = steadyLoad(`${server.url}/v2/models/tiny/infer`, body, { rate: RATE, connections: CONNECTIONS, scratch });
    // The compiler has seen the way of a request by then.
    await sleep(quick ? 3000 : 5000);
    spans = await rounds(context, server.url, large, count, nothingMs);
    samples = await load.stop();
  } finally {
    await server.stop();
  }
  const measured = PHASES.map(([phase, what]) => ({ phase, what, ...within(samples, spans[phase]) }));
  const quiet = measured[0]?.p99 ?? Number.NaN;
  return {
    about: 'Whether a tiny endpoint answers as fast while a large model beside it comes, changes and goes.',
    settings: [
      `Open Inference over JSON, ${figure(RATE)} requests a second over ${CONNECTIONS} connections, from a process of its own; a latency counts from when the request was due. A reply other than 200 fails the benchmark.`,
      `The large model: 24 layers of 1024, ${figure(large.length / MIB)} MiB in one file. Each push is a file that the server has not seen, so that it tries it in a process first; ${count} rounds, ${nothingMs / 1000} s of nothing in each. A change is looked at until it is done, and for ${LEAST_MS / 1000} s at least.`,
      'The server, with the threads and the process that load the model, has one core for all; the client that sends the model shares the other with the one that measures.',
    ],
    tables: [
      {
        header: ['While', 'Requests/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'Longest ms', 'Takes s'],
        rows: measured.map(({ phase, what, requests, seconds, p50, p99, p999, max }) => [
          what,
          ...[requests / seconds, p50, p99, p999, max, seconds / spans[phase].length].map(figure),
        ]),
      },
    ],
    aims: measured
      .slice(1)
      .map(({ what, p99 }) => ({ what: `p99 while ${what}, to p99 without`, measured: p99 / quiet, better: 'lower' as const, bound: 2, unit: '×' })),
    raw: { spans, measured },
  };
}

export const servingLoading: Benchmark = { name: 'serving-loading', title: 'Latency while a large model is loaded', run };
