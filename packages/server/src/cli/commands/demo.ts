import { createClient } from '@binnacle/sdk';
import { loadConfig } from '../../config/index.ts';
import { scoreApril } from '../demo/april.ts';
import type { DemoContext } from '../demo/context.ts';
import { deploy } from '../demo/endpoint.ts';
import { toRequests } from '../demo/flights.ts';
import { replayLive } from '../demo/live.ts';
import { findFlights, findRecording } from '../demo/locate.ts';
import { promoteThroughGates, registerVersions } from '../demo/models.ts';
import { checkPromises } from '../demo/promises.ts';
import { readRecording } from '../demo/recording.ts';
import { formatSummary } from '../demo/report.ts';
import { replayRuns } from '../demo/runs.ts';
import { COLUMNS, sampleLive } from '../demo/sample.ts';
import type { DemoSummary } from '../demo/figures.ts';
import { summarize } from '../demo/summary.ts';
import { started } from '../lean-start.ts';
import { bold, dim, EXIT_FAILED, print, printJson, progressBar, say, yellow } from '../output.ts';
import { untilSignal } from './up.ts';

export interface DemoOptions {
  data?: string | undefined;
  port?: number | undefined;
  exit?: true | undefined;
  json?: true | undefined;
}

/**
 * Starts Binnacle on a data directory of its own and carries a real model through it, over HTTP as any client would. Each step first looks
 * what is there, so a second start doubles nothing and one that was cut off goes on. Exit code 1 when the demo did not show what it promises.
 */
export async function demo(options: DemoOptions): Promise<void> {
  const config = await loadConfig({
    // Not BINNACLE_DATA: what a person works on is no place for a demo.
    data: options.data ?? '.binnacle-demo',
    port: options.port ?? 0,
    host: '127.0.0.1',
    logLevel: 'warn',
    monitoring: true,
  });
  const { isLocked, readOwner } = await import('../../compose/data-dir.ts');
  if (isLocked(config.dataDir)) return attach(config.dataDir, readOwner(config.dataDir)?.url ?? undefined, options);

  // Before anything is started: what is missing should be said at once.
  const recording = await readRecording(findRecording());
  const flights = findFlights();
  const { startApp } = await import('../../compose.ts');
  const app = await startApp({ ...config, token: undefined, batch: { ...config.batch, roots: undefined } });
  started();
  const context: DemoContext = { client: createClient({ baseUrl: app.url }), url: app.url, dataDir: config.dataDir };
  const stop = stopOnSignal(() => app.stop());
  try {
    say(`${bold('Binnacle')} at ${bold(`${app.url}/ui/`)}, data in ${config.dataDir}`);
    const runs = await replayRuns(context, recording);
    const versions = await registerVersions(context, runs);
    await promoteThroughGates(context, versions);
    await deploy(context);
    await scoreApril(context, flights);
    await replayLive(context, async () => {
      const { tables } = await import('../../compose/tables.ts');
      const table = await tables.open(flights);
      try {
        return toRequests(await sampleLive(table.stream({ columns: COLUMNS })));
      } finally {
        await table.close();
      }
    });
    const bar = progressBar('drift and alarms');
    await context.client.call('evaluateMonitor', { params: { endpoint: 'flight-delays' } });
    const summary = await summarize(context);
    bar.end(`${summary.drift.weeks.length} weeks, ${summary.alarms.length} ${summary.alarms.length === 1 ? 'alarm' : 'alarms'}`);
    show(summary, options);
    stop.disarm();
    if (!options.exit) {
      say(dim('  it stays up; stop with Ctrl-C'));
      await untilSignal();
      say(dim('stopping: finishing what runs …'));
    }
  } catch (error) {
    // A step that fails because the server is being stopped has nothing to say; the signal ends the process.
    if (stop.signalled()) return new Promise<never>(() => {});
    throw error;
  } finally {
    if (!stop.signalled()) await app.stop();
  }
}

/** Another process has the directory: shows what its server holds. */
async function attach(dataDir: string, url: string | undefined, options: DemoOptions): Promise<void> {
  if (url === undefined)
    throw new Error(
      `The data directory ${dataDir} is held by a Binnacle that is just starting or stopping. Try again in a moment, or name another with --data DIR.`,
    );
  say(`${yellow('!')} the demo is running already at ${bold(`${url}/ui/`)}, data in ${dataDir}; nothing was started`);
  const summary = await summarize({ client: createClient({ baseUrl: url }), url, dataDir });
  show(summary, options);
}

function show(summary: DemoSummary, options: DemoOptions): void {
  const promises = summary.live === null ? null : checkPromises(summary);
  if (options.json) printJson({ ...summary, promises });
  else print(formatSummary(summary, promises));
  if (promises === null || promises.some(({ kept }) => !kept)) process.exitCode = EXIT_FAILED;
}

/** While the steps run, Ctrl-C stops the server in order; the next start goes on from there. */
function stopOnSignal(close: () => Promise<void>): { disarm(): void; signalled(): boolean } {
  let signalled = false;
  const onSignal = (signal: NodeJS.Signals) => {
    signalled = true;
    disarm();
    say(dim('\nstopping; the next start goes on from here'));
    const code = signal === 'SIGINT' ? 130 : 143;
    close().then(
      () => process.exit(code),
      () => process.exit(code),
    );
  };
  const disarm = () => void process.removeListener('SIGINT', onSignal).removeListener('SIGTERM', onSignal);
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return { disarm, signalled: () => signalled };
}
