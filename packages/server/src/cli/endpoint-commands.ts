import type { Command } from '@commander-js/extra-typings';
import { url, data, json, integer, collect } from './options.ts';

/** What is served: `binnacle endpoints …`. */
export function addEndpointCommands(program: Command): void {
  const endpoints = program.command('endpoints').description('what is served');
  endpoints
    .command('ls')
    .description('list endpoints')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (options) => (await import('./commands/endpoints.ts')).list(options));
  endpoints
    .command('show')
    .description('one endpoint')
    .argument('<endpoint>')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (name, options) => (await import('./commands/endpoints.ts')).show(name, options));
  endpoints
    .command('logs')
    .description('what the server of a Python model says')
    .argument('<endpoint>')
    .option('--version <n>', 'version of the model (default: one that has failed, else the one with the most requests)', integer)
    .option('--lines <n>', 'how many of the last lines (default 200)', integer)
    .option('--follow', 'go on as more is written')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (name, options) => (await import('./commands/endpoint-logs.ts')).logs(name, options));
  endpoints
    .command('rm')
    .description('stop serving')
    .argument('<endpoint>')
    .addOption(url())
    .addOption(data())
    .action(async (name, options) => (await import('./commands/endpoints.ts')).remove(name, options));

  for (const [name, description] of [
    ['load', 'load what was unloaded, or try again what failed'],
    ['unload', 'free the memory and answer no more requests until it is loaded again'],
  ] as const)
    endpoints
      .command(name)
      .description(description)
      .argument('<endpoint>')
      .addOption(url())
      .addOption(data())
      .addOption(json())
      .action(async (endpoint, options) => (await import('./commands/endpoint-changes.ts'))[name](endpoint, options));
  endpoints
    .command('history')
    .description('what it served since when, and why it changed')
    .argument('<endpoint>')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (endpoint, options) => (await import('./commands/endpoint-changes.ts')).history(endpoint, options));
  endpoints
    .command('rollback')
    .description('serve again what was served before')
    .argument('<endpoint>')
    .option('--revision <n>', 'of the history (default: the newest with another traffic)', integer)
    .option('--reason <text>', 'for the history')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (endpoint, options) => (await import('./commands/endpoint-changes.ts')).rollBack(endpoint, options));
  endpoints
    .command('config')
    .description('show or change how it runs: batching, limits, cache, isolation, guards')
    .argument('<endpoint>')
    .option('--config <file>', 'JSON that replaces the configuration')
    .option('--set <key=value>', 'one value, such as batching.maxQueueDelayMicros=500; null takes it out (repeatable)', collect)
    .option('--guard <bounds>', 'when a canary is rolled back, such as errors=5%,latency=2x,drift=0.2', collect)
    .option('--split-by <what>', 'header:NAME, cookie:NAME or weight')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (endpoint, options) => (await import('./commands/endpoint-changes.ts')).config(endpoint, options));
}
