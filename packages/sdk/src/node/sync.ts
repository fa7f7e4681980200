import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '../client.ts';
import { isFinal } from '../delivery.ts';
import { retryAfterOf, until } from '../retry.ts';
import { removeRest } from './progress.ts';
import { PROGRESS, recordOf } from './record.ts';
import { type RunReport, RunSync, type RunSyncOptions } from './run-sync.ts';

export interface SyncOptions extends RunSyncOptions {
  /** Milliseconds for which a run is tried again while the server does not answer; 10,000 by default. */
  retryMs?: number;
  /** Told of each run when it is done. */
  onRun?: (report: RunReport) => void;
}

/**
 * Sends the offline runs of a folder (or one run's own folder) to a server. What is sent twice is there once, so a sync may be cut off, repeated,
 * or run beside another. Runs that are complete are removed, or marked with `keep`; one that is still being written is sent as far as it is.
 *
 * @example const reports = await syncRuns('offline', createClient({ baseUrl: 'http://127.0.0.1:8000' }));
 * @throws when the folder cannot be read; what is wrong with a run is in its report.
 */
export async function syncRuns(dir: string, client: Client, options: SyncOptions = {}): Promise<RunReport[]> {
  const reports: RunReport[] = [];
  let away: unknown;
  for (const folder of await runFolders(dir)) {
    const run = new RunSync(folder, client, options);
    const report = away === undefined ? await syncOne(run, options.retryMs ?? 10_000) : { report: run.report('failed', away), away };
    if (report === undefined) continue;
    away = report.away;
    reports.push(report.report);
    options.onRun?.(report.report);
  }
  return reports;
}

/** Of the runs in a folder, oldest first, or the folder itself when it is one. */
async function runFolders(dir: string): Promise<string[]> {
  if (existsSync(recordOf(dir))) return [dir];
  const folders: string[] = [];
  for (const entry of (await readdir(dir, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory()) continue;
    const folder = join(dir, entry.name);
    if (existsSync(recordOf(folder))) folders.push(folder);
    // A sync was killed while it removed a run.
    else if (existsSync(join(folder, PROGRESS))) await removeRest(folder);
  }
  return folders;
}

/** A run as far as it goes; `away` when the server does not answer. Undefined when another sync has done it. */
async function syncOne(run: RunSync, retryMs: number): Promise<{ report: RunReport; away?: unknown } | undefined> {
  let report: RunReport | undefined;
  let failure: unknown;
  const answered = await until(Date.now() + retryMs, async () => {
    failure = undefined;
    try {
      report = await run.advance();
      return 'done';
    } catch (error) {
      failure = error;
      return isAway(error) ? retryAfterOf(error) : 'done';
    }
  });
  if (failure !== undefined && !existsSync(recordOf(run.folder))) {
    // What this one noted after the other was done.
    await removeRest(run.folder);
    return undefined;
  }
  if (!answered) return { report: run.report('failed', failure), away: failure };
  return { report: report ?? run.report('failed', failure) };
}

/** No answer, or one that says to come again; what the server refuses, and what is wrong with the folder, stays so. */
export function isAway(error: unknown): boolean {
  if ((error as Error).name === 'TimeoutError') return true;
  const status = (error as { status?: unknown }).status;
  return typeof status === 'number' && !isFinal(error) && status !== 401 && status !== 403;
}
