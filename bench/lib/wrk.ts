import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT } from './cores.ts';
import { runToEnd } from './process.ts';

export interface Load {
  requests: number;
  seconds: number;
  perSecond: number;
  /** Latencies in milliseconds. */
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
  /** Replies other than 2xx/3xx, broken connections, time-outs. */
  failed: number;
}

let loads = 0;

/** wrk with one thread on the client's core: `connections` kept-alive connections, each posting the same body as soon as its reply is there. */
export async function post(
  url: string,
  body: string | Buffer,
  options: { connections: number; seconds: number; scratch: string; type?: string; headers?: Record<string, string> },
): Promise<Load> {
  const file = join(options.scratch, 'body');
  writeFileSync(file, body);
  const argv = [
    '--threads',
    '1',
    '--connections',
    String(options.connections),
    '--duration',
    `${options.seconds}s`,
    '--timeout',
    '10s',
    '--script',
    join(import.meta.dirname, 'post.lua'),
    ...Object.entries(options.headers ?? {}).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    url,
  ];
  // So that no load sends what an earlier one has sent; a float32 tells whole numbers apart up to 2^24.
  const from = (loads++ % 80) * 200_000;
  const out = await runToEnd('wrk', argv, { cores: CLIENT, env: { BODY: file, TYPE: options.type ?? 'application/json', FROM: String(from) } });
  const line = out.trimEnd().split('\n').at(-1) ?? '';
  const load = JSON.parse(line) as Omit<Load, 'perSecond'>;
  if (load.failed > 0) throw new Error(`${load.failed} of ${load.requests} requests to ${url} failed`);
  return { ...load, perSecond: load.requests / load.seconds };
}
