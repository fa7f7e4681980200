import { setTimeout as sleep } from 'node:timers/promises';
import { type RunReport, syncRuns } from '@binnacle/sdk/node';
import { type ConnectFlags, connect } from '../connect.ts';
import { bold, count, print, printJson, say } from '../output.ts';
import { UsageError } from '../usage.ts';

export interface SyncFlags extends ConnectFlags {
  watch?: true | undefined;
  interval?: number | undefined;
  keep?: true | undefined;
  endInterrupted?: true | undefined;
  json?: true | undefined;
}

/** States of a run that is not, or not all, on the server. */
const WRONG: ReadonlySet<RunReport['state']> = new Set<RunReport['state']>(['failed', 'incomplete']);

/** Sends offline runs to a server. Exit code 1 when something could not be sent. */
export async function sync(dir: string, options: SyncFlags): Promise<void> {
  const interval = options.interval ?? 5;
  if (interval <= 0) throw new UsageError('--interval is a number of seconds above 0.');
  const stop = new AbortController();
  if (options.watch) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const { client, close } = await connect(options);
  try {
    do {
      const reports = await syncRuns(dir, client, {
        keep: options.keep === true,
        endInterrupted: options.endInterrupted === true,
        onRun: options.json ? () => {} : show,
      });
      const wrong = reports.filter(({ state }) => WRONG.has(state)).length;
      process.exitCode = wrong > 0 ? 1 : 0;
      if (options.json && (!options.watch || reports.length > 0)) printReports(reports, options.watch === true);
      if (!options.json && !options.watch) summary(reports, wrong);
      if (options.watch) await sleep(interval * 1000, undefined, { signal: stop.signal }).catch(() => {});
    } while (options.watch && !stop.signal.aborted);
  } finally {
    await close();
  }
}

/** One document; with --watch one line a round. */
function printReports(runs: RunReport[], line: boolean): void {
  if (line) print(JSON.stringify({ runs }));
  else printJson({ runs });
}

const SAID: Record<RunReport['state'], string> = {
  synced: 'complete',
  open: 'still open, sent so far',
  interrupted: 'its process is gone: ended as KILLED',
  unchanged: 'was complete',
  incomplete: 'NOT COMPLETE',
  failed: 'FAILED',
};

function show({ folder, runId, experiment, name, state, entries, artifacts, refused, damaged, error }: RunReport): void {
  const title = runId === '' ? folder : `${bold(name ?? runId)} (${experiment})`;
  print(`${title}: ${SAID[state]}; ${count(entries)} entries, ${count(artifacts)} artifacts${error === null ? '' : `; ${error}`}`);
  for (const { what, message } of refused) print(`  refused: ${what}: ${message}`);
  if (damaged > 0) print(`  ${count(damaged)} lines cannot be read`);
  if (WRONG.has(state)) print(`  it stays in ${folder}`);
}

function summary(reports: RunReport[], wrong: number): void {
  if (reports.length === 0) say('no offline runs here');
  else if (wrong > 0) say(`${count(wrong)} of ${count(reports.length)} runs could not be sent, or not all of them; run it again to go on`);
}
