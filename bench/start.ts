import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Memory, memory } from './lib/process.ts';
import { type Server, startBinnacle, startMlflow } from './lib/servers.ts';
import { figure, MIB, ratio, summarise, type Summary } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';

interface Measured {
  server: string;
  /** Spawn to the first 200 of /health, milliseconds; on an empty folder, then on the same again. */
  empty: Summary;
  again: Summary | null;
  idle: Memory;
}

async function measure(name: string, repeats: number, idleSeconds: number, twice: boolean, launch: (attempt: string) => Promise<Server>): Promise<Measured> {
  const empty: number[] = [];
  const again: number[] = [];
  let idle: Memory = { processes: 0, rss: 0, pss: 0 };
  for (let i = 0; i < repeats; i++) {
    const first = await launch(`${i}`);
    empty.push(first.readyMs);
    if (i === repeats - 1) {
      await sleep(idleSeconds * 1000);
      idle = memory(first);
    }
    await first.stop();
    if (!twice) continue;
    const second = await launch(`${i}`);
    again.push(second.readyMs);
    await second.stop();
  }
  return { server: name, empty: summarise(empty), again: twice ? summarise(again) : null, idle };
}

async function run({ quick, scratch, say }: Context) {
  const idleSeconds = quick ? 3 : 10;
  say('Binnacle …');
  // Both cores for both: a start is what a user sees on the whole machine.
  const ours = await measure('Binnacle', quick ? 2 : 10, idleSeconds, true, (attempt) =>
    startBinnacle({ dir: join(scratch, `binnacle-${attempt}`), cores: '0-1', pollMs: 5 }),
  );
  say('mlflow server …');
  const theirs = [
    await measure('`mlflow server` (4 workers, its default)', quick ? 1 : 2, idleSeconds, !quick, (attempt) =>
      startMlflow({ dir: join(scratch, `mlflow-${attempt}`), database: `sqlite:///${join(scratch, `mlflow-${attempt}.db`)}`, cores: '0-1' }),
    ),
  ];
  if (!quick)
    theirs.push(
      await measure('`mlflow server --workers 1`, job runner off', 2, idleSeconds, !quick, (attempt) =>
        startMlflow({
          dir: join(scratch, `mlflow1-${attempt}`),
          database: `sqlite:///${join(scratch, `mlflow1-${attempt}.db`)}`,
          cores: '0-1',
          workers: 1,
          jobs: false,
        }),
      ),
    );
  const all = [ours, ...theirs];
  return {
    about: 'Time from starting an empty server to its first 200 from `/health`, and its memory when idle.',
    settings: [
      `Median of ${ours.empty.count} starts (mlflow: ${theirs[0]?.empty.count}), each on a folder that did not exist before (empty), and once more on the same folder (again). Both cores for both. Files are in the page cache, and Binnacle's compiled code is in its own cache but for the first start after a build.`,
      `Memory ${idleSeconds} s after the start, all processes of the server: RSS summed (shared pages count in each process), PSS (shared pages divided).`,
      'Binnacle: `node packages/server/dist/main.js up`, all roles. `mlflow server`: SQLite, with and without its job runner.',
    ],
    tables: [
      {
        header: ['Server', 'Empty, s', 'slowest, s', 'Again, s', 'Processes', 'RSS MiB', 'PSS MiB'],
        rows: all.map((m) => [
          m.server,
          figure(m.empty.p50 / 1000),
          figure(m.empty.max / 1000),
          figure((m.again?.p50 ?? Number.NaN) / 1000),
          m.idle.processes,
          figure(m.idle.rss / MIB),
          figure(m.idle.pss / MIB),
        ]),
      },
    ],
    aims: [
      { what: 'start of an empty Binnacle to `/health`', measured: ours.empty.p50 / 1000, better: 'lower' as const, bound: 1, unit: 's' },
      { what: 'idle RSS', measured: ours.idle.rss / 1e6, better: 'lower' as const, bound: 150, unit: 'MB' },
    ],
    notes: theirs.map(
      (m) =>
        `${m.server}: ${ratio(m.empty.p50 / ours.empty.p50)} Binnacle's time to start, ${ratio(m.idle.rss / ours.idle.rss)} its RSS, ${ratio(m.idle.pss / ours.idle.pss)} its PSS.`,
    ),
    raw: all,
  };
}

export const startUp: Benchmark = { name: 'start', title: 'Start and idle memory', run };
