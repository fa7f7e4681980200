import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { CLIENT, pinned } from './cores.ts';
import { BENCH } from './paths.ts';
import { stopWithAll } from './process.ts';
import { quantile } from './stats.ts';

export interface Sample {
  /** When the request was due, milliseconds since 1970. */
  at: number;
  /** From then until its reply, milliseconds. */
  ms: number;
}
export interface Span {
  from: number;
  to: number;
}

/** Requests at a steady rate, from a process of its own: what this one does meanwhile (sending a large file, say) is not to be seen in their latencies. */
export function steadyLoad(url: string, body: string, options: { rate: number; connections: number; scratch: string }): { stop(): Promise<Sample[]> } {
  const [bodyFile, out] = [join(options.scratch, 'steady.body'), join(options.scratch, 'steady.samples')];
  writeFileSync(bodyFile, body);
  const args = [join(BENCH, 'steady-load.ts'), url, String(options.rate), String(options.connections), bodyFile, out];
  const [command, argv] = pinned(CLIENT, process.execPath, ['--disable-warning=ExperimentalWarning', ...args]);
  const child = spawn(command, argv, { stdio: ['pipe', 'ignore', 'pipe'] });
  try {
    // Who measures does not wait for those whose effect is measured, where that is allowed.
    if (child.pid !== undefined) setPriority(child.pid, -15);
  } catch {}
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // An end before it is asked for is told by `stop`.
  exited.catch(() => {});
  stopWithAll({ stop: async () => void child.kill() });
  return {
    async stop() {
      child.stdin.on('error', () => {}).end();
      const code = await exited;
      if (code !== 0) throw new Error(`the steady load ended (${code}):\n${errors.slice(-2000)}`);
      const bytes = readFileSync(out);
      const pairs = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
      return Array.from({ length: pairs.length / 2 }, (_, i) => ({ at: pairs[2 * i] ?? 0, ms: pairs[2 * i + 1] ?? 0 }));
    },
  };
}

/** Latencies of the requests that were due in any of the spans; `seconds` is as long as those are together. */
export function within(samples: readonly Sample[], spans: readonly Span[]) {
  const ms = samples.filter(({ at }) => spans.some(({ from, to }) => at >= from && at < to)).map((sample) => sample.ms);
  const seconds = spans.reduce((total, { from, to }) => total + (to - from) / 1000, 0);
  return { requests: ms.length, seconds, p50: quantile(ms, 0.5), p99: quantile(ms, 0.99), p999: quantile(ms, 0.999), max: quantile(ms, 1) };
}
