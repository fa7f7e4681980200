import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT } from './cores.ts';
import { runToEnd } from './process.ts';
import { quantile } from './stats.ts';
import type { Load } from './wrk.ts';

/** A gRPC message as it goes over the wire: not compressed, its length before it (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/**
 * h2load with one thread on the client's core: `clients` connections of `streams` calls each, all of the same message. It sees HTTP statuses
 * only: the caller has checked an answer before, and compares its size by `bytes`.
 */
export async function calls(
  port: number,
  method: string,
  message: Uint8Array,
  options: { clients: number; streams: number; seconds: number; warmUp: number; scratch: string },
): Promise<Load> {
  const [data, log] = [join(options.scratch, 'message'), join(options.scratch, 'h2load.log')];
  writeFileSync(data, framed(message));
  const argv = ['-t', '1', '-c', String(options.clients), '-m', String(options.streams), '-w', '24', '-W', '24'];
  argv.push('-D', String(options.seconds), `--warm-up-time=${options.warmUp}`, '-d', data, `--log-file=${log}`);
  argv.push('-H', 'content-type: application/grpc', '-H', 'te: trailers', `http://127.0.0.1:${port}${method}`);
  const out = await runToEnd('h2load', argv, { cores: CLIENT });
  const failed = Number(/requests: .*?(\d+) failed/.exec(out)?.[1] ?? 0);
  const rows = readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t').map(Number));
  const first = rows.reduce((latest, [start = 0]) => Math.max(latest, start), 0) - options.seconds * 1e6;
  const counted = rows.filter(([start = 0]) => start >= first);
  const bad = counted.filter(([, status]) => status !== 200).length;
  if (failed + bad > 0) throw new Error(`${failed + bad} calls of ${method} failed:\n${out.slice(-1500)}`);
  const ms = counted.map(([, , micros = 0]) => micros / 1000);
  const at = (q: number) => quantile(ms, q);
  return {
    requests: ms.length,
    seconds: options.seconds,
    perSecond: ms.length / options.seconds,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    p999: at(0.999),
    max: at(1),
    failed: 0,
  };
}
