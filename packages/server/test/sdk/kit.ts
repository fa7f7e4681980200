import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunReport, syncRuns } from '@binnacle/sdk/node';
import { type CallResult, type Client, createClient } from '@binnacle/sdk';
import { binnacle, temporaryFolder } from '../support/server.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

export const client = (url: string): Client => createClient({ baseUrl: url });
export const runFolders = (dir: string): string[] => (existsSync(dir) ? readdirSync(dir).sort() : []);

export async function sync(dir: string, url: string, ...args: string[]): Promise<{ code: number | null; runs: RunReport[]; stderr: string }> {
  const { code, stdout, stderr } = await binnacle(['sync', dir, '--url', url, '--json', ...args]);
  return { code, runs: stdout === '' ? [] : (JSON.parse(stdout) as { runs: RunReport[] }).runs, stderr };
}
/** In this process, for tests about what arrives. */
export const syncHere = (dir: string, url: string): Promise<RunReport[]> => syncRuns(dir, client(url));

export interface Script {
  child: ChildProcess;
  stdout: () => string;
  /** Resolves with the first match in what it printed; rejects when it ends before. */
  said(pattern: RegExp): Promise<string>;
  ended: Promise<number | null>;
}

/** Runs a TypeScript module that imports `startRun` in a process of its own; below the workspace, so that the SDK is found as if installed. */
export function runScript(body: string, options: { env?: Record<string, string>; cwd?: string } = {}): Script {
  const folder = join(root, '.cache', 'sdk-tests');
  mkdirSync(folder, { recursive: true });
  const file = join(options.cwd ?? folder, `train-${process.pid}-${Math.random().toString(36).slice(2)}.mts`);
  const sdk = options.cwd === undefined ? '@binnacle/sdk/node' : join(root, 'packages/sdk/dist/node/index.js');
  writeFileSync(file, `import { startRun } from ${JSON.stringify(sdk)};\n${body}\n`);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BINNACLE_') && !name.startsWith('MLFLOW_')));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], { cwd: options.cwd ?? folder, env: { ...env, ...options.env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const said = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = pattern.exec(stdout);
      if (found !== null) return found[0];
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`It ended without saying ${pattern}: ${stdout}\n${stderr}`);
      await Promise.race([once(child.stdout, 'data'), ended]);
    }
  };
  return { child, stdout: () => stdout, said, ended };
}

export const offlineFolder = (): string => join(temporaryFolder('offline'), 'runs');
/** Options of a run in which nothing but what the test logs is logged. */
export const bare = { hardware: false, source: false } as const;

export async function onlyRun(url: string, experiment: string): Promise<CallResult<'getRun'>> {
  const { experiments } = await client(url).call('listExperiments', { query: { q: experiment } });
  const found = experiments.find(({ name }) => name === experiment);
  if (found === undefined) throw new Error(`no experiment ${experiment}`);
  const { runs } = await client(url).call('searchRuns', { body: { experimentIds: [found.id] } });
  if (runs.length !== 1) throw new Error(`${runs.length} runs`);
  return client(url).call('getRun', { params: { runId: runs[0]?.id ?? '' } });
}

export async function pointsOf(url: string, runId: string, key: string): Promise<number> {
  const { metrics } = await client(url).call('listMetricKeys', { params: { runId }, query: {} });
  return metrics.find((metric) => metric.key === key)?.count ?? 0;
}
