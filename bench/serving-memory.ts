import { createClient } from '@binnacle/sdk';
import { join } from 'node:path';
import { SERVER } from './lib/cores.ts';
import { models, push } from './lib/models.ts';
import { runToEnd, sampleMemory } from './lib/process.ts';
import { startBinnacle } from './lib/servers.ts';
import { figure, median, MIB } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';
import { post } from './lib/wrk.ts';

const TIERS = ['inline', 'worker', 'process'] as const;
/** A day of a server that gets a new version every five minutes, and ten requests a second. */
const DAY = { reloads: 288, requests: 864_000 };

interface Point {
  cycles: number;
  rss: number;
}

/** Resident bytes after so many loads, each followed by requests and a close. */
async function cycles(file: string, tier: string, count: number): Promise<Point[]> {
  const out = await runToEnd(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--max-semi-space-size=8',
      join(import.meta.dirname, 'reload-cycles.ts'),
      file,
      tier,
      String(count),
      String(Math.max(1, count / 50)),
      '4',
      '1024',
    ],
    // As `binnacle up` starts itself.
    { cores: '0-1', env: { MALLOC_ARENA_MAX: '2' } },
  );
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Point);
}

/** Medians of a fifth of the points each, since what malloc gives back comes and goes by tens of megabytes. */
const growth = (points: readonly Point[]): number => {
  const part = (from: number, to: number) => median(points.slice(Math.floor(points.length * from), Math.ceil(points.length * to)).map(({ rss }) => rss));
  return part(0.8, 1) / part(0.2, 0.4);
};
/** Those that the table shows. */
const shown = (points: readonly Point[]): Point[] => points.filter((_, i) => i % Math.max(1, Math.floor(points.length / 10)) === 0);

async function day(context: Context, tiny: string, large: string) {
  const { quick, scratch, say } = context;
  const wanted = quick ? { reloads: 6, requests: 5000 } : DAY;
  const server = await startBinnacle({ dir: join(scratch, 'binnacle') });
  const { call } = createClient({ baseUrl: server.url });
  try {
    const deploy = (endpoint: string, model: string, version: number, config = {}) =>
      call('deployEndpoint', { params: { endpoint }, body: { model, traffic: [{ version }], config } });
    for (const [model, file] of [
      ['tiny', tiny],
      ['large', large],
    ] as const)
      for (let i = 0; i < 2; i++) await push(server.url, model, file);
    await deploy('asked', 'tiny', 1);
    const body = JSON.stringify({ inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 12], data: Array.from({ length: 12 }, (_, i) => i / 12) }] });
    const stopSampling = sampleMemory(server, 500);
    let requests = 0;
    let reloads = 0;
    const marks: { requests: number; reloads: number; seconds: number }[] = [];
    const begun = performance.now();
    while (requests < wanted.requests || reloads < wanted.reloads) {
      say(`${requests} requests, ${reloads} reloads …`);
      const load = post(`${server.url}/v2/models/asked/infer`, body, { connections: 8, seconds: quick ? 2 : 10, scratch });
      for (let i = 0; i < (quick ? 2 : 12) && reloads < wanted.reloads; i++, reloads++) {
        const version = 1 + (Math.floor(reloads / 3) % 2);
        // By turns: what is asked, a model in a worker, and one in a process.
        if (reloads % 3 === 0) await deploy('asked', 'tiny', version);
        else if (reloads % 3 === 1) await deploy('beside', 'large', version, { tier: 'worker' });
        else await deploy('isolated', 'large', version, { isolation: 'process' });
      }
      requests += (await load).requests;
      marks.push({ requests, reloads, seconds: (performance.now() - begun) / 1000 });
    }
    const samples = stopSampling();
    return { samples, marks, requests, reloads, seconds: (performance.now() - begun) / 1000 };
  } finally {
    await server.stop();
  }
}

async function run(context: Context) {
  const { quick, say } = context;
  const dir = await models(context);
  const dense = join(dir, 'dense.onnx');
  const count = quick ? 20 : 500;
  say(`${count} reloads …`);
  // Beside each other: the time that they take is not measured.
  const reloads = await Promise.all(TIERS.map(async (tier) => ({ tier, points: await cycles(dense, tier, count) })));
  say('a day …');
  const whole = await day(context, join(dir, 'serving.onnx'), dense);
  const tenths = Array.from({ length: 10 }, (_, i) => {
    const part = whole.samples.slice(Math.floor((whole.samples.length * i) / 10), Math.floor((whole.samples.length * (i + 1)) / 10));
    return median(part.map(({ y }) => y));
  });
  const dayGrowth = (tenths[9] ?? 0) / (tenths[2] ?? 1);
  return {
    about: `Whether memory comes back: ${count} times a model is loaded, asked and closed; and a day of new versions and requests on one server, as fast as they go.`,
    settings: [
      `Reloads: a network of two layers (8.4 MB of weights), four requests of 1 to 4 rows between load and close; a process of its own a tier, with the allocator's settings of \`binnacle up\` (two arenas, 8 MB of young generation). Resident memory of that process (of the server's side, where the model runs in another).`,
      `A day: ${figure(whole.requests)} requests for the tiny model (8 connections), and ${whole.reloads} new versions by turns of the asked endpoint, of one in a worker and of one in a process of its own: as many as ten requests a second and a version every five minutes make in 24 h, in ${figure(whole.seconds)} s. Server on core ${SERVER}. All processes of the server, monitoring on.`,
    ],
    tables: [
      {
        caption: 'Resident MiB after so many reloads',
        header: ['Tier', ...shown(reloads[0]?.points ?? []).map(({ cycles }) => String(cycles)), '80–100 % to 20–40 %'],
        rows: reloads.map(({ tier, points }) => [tier, ...shown(points).map(({ rss }) => figure(rss / MIB)), `${growth(points).toFixed(3)}×`]),
      },
      {
        caption: 'Resident MiB over the day, medians of tenths',
        header: ['', ...tenths.map((_, i) => `${(i + 1) * 10} %`)],
        rows: [['server and its processes', ...tenths.map((bytes) => figure(bytes / MIB))]],
      },
    ],
    aims: [
      ...reloads.map(({ tier, points }) => ({
        what: `${tier}: the last fifth of ${count} reloads to the second`,
        measured: growth(points),
        better: 'lower' as const,
        bound: 1.05,
        unit: '×',
      })),
      { what: 'a day: the last tenth to the third', measured: dayGrowth, better: 'lower' as const, bound: 1.1, unit: '×' },
    ],
    raw: { reloads, day: whole },
  };
}

export const servingMemory: Benchmark = { name: 'serving-memory', title: 'Memory over reloads, and over a day', run };
