// `npm run bench [-- name… --quick]`: runs the benchmarks and writes bench/RESULTS.md (with --quick: bench/.data/RESULTS.quick.md).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { batch } from './batch.ts';
import { CLIENT, pinSelf } from './lib/cores.ts';
import { environment } from './lib/environment.ts';
import { BENCH, requireParts } from './lib/paths.ts';
import { stopAll } from './lib/process.ts';
import { type Finished, hit, markdownTable, writeResults } from './lib/report.ts';
import { figure } from './lib/stats.ts';
import type { Benchmark } from './lib/types.ts';
import { userInterface } from './interface.ts';
import { runsSearch } from './runs-search.ts';
import { fuzz } from './fuzz.ts';
import { serving } from './serving.ts';
import { servingCnn } from './serving-cnn.ts';
import { servingCosts } from './serving-costs.ts';
import { servingGrpc } from './serving-grpc.ts';
import { servingLoading } from './serving-loading.ts';
import { servingMemory } from './serving-memory.ts';
import { servingTensors } from './serving-tensors.ts';
import { startUp } from './start.ts';
import { trackingScale, trackingScalePostgres } from './tracking-scale.ts';
import { trackingWrite } from './tracking-write.ts';

const BENCHMARKS: readonly Benchmark[] = [
  trackingWrite,
  trackingScale,
  trackingScalePostgres,
  runsSearch,
  userInterface,
  serving,
  servingGrpc,
  servingTensors,
  servingCnn,
  servingCosts,
  servingLoading,
  servingMemory,
  fuzz,
  batch,
  startUp,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`No benchmark is called ${unknown.join(', ')}.`);
  console.error(`usage: npm run bench -- [${BENCHMARKS.map(({ name }) => name).join('] [')}] [--quick]`);
  process.exit(values.help ? 0 : 2);
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);
requireParts();
pinSelf(CLIENT);
const data = join(BENCH, '.data');
mkdirSync(data, { recursive: true });
const here = environment();
const finished: Finished[] = [];
let failed = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stopAll().finally(() => process.exit(1)));

for (const benchmark of BENCHMARKS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  say(`\n${benchmark.title} (${benchmark.name})`);
  // On the same disk as the caches: /tmp may be memory, where fsync costs nothing.
  const scratch = mkdtempSync(join(data, 'run-'));
  const begun = performance.now();
  try {
    const now = environment();
    const report = await benchmark.run({ quick: values.quick, data, scratch, say: (text) => say(`  ${text}`) });
    const seconds = (performance.now() - begun) / 1000;
    finished.push({ benchmark, report, environment: now, seconds });
    writeFileSync(
      join(data, `${benchmark.name}${values.quick ? '.quick' : ''}.json`),
      JSON.stringify({ ...now, seconds, quick: values.quick, ...report }, null, 1),
    );
    for (const table of report.tables) say(`\n${markdownTable(table)}`);
    say('');
    for (const aim of report.aims)
      say(
        `  ${hit(aim) ? 'hit   ' : 'MISSED'}  ${aim.what}: ${figure(aim.measured)} ${aim.unit} (aim ${aim.better === 'higher' ? '≥' : '≤'} ${figure(aim.bound)})`,
      );
    for (const note of report.notes ?? []) say(`  ${note}`);
  } catch (error) {
    failed++;
    say(`  failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  } finally {
    await stopAll();
    rmSync(scratch, { recursive: true, force: true });
  }
}

const file = values.quick ? join(data, 'RESULTS.quick.md') : join(BENCH, 'RESULTS.md');
if (finished.length > 0) writeFileSync(file, writeResults(file, BENCHMARKS, finished, here, values.quick));
say(`\n${finished.length} of ${finished.length + failed} benchmarks done; written to ${file}`);
// A missed aim is a result, a benchmark that could not run is a failure.
process.exitCode = failed === 0 ? 0 : 1;
