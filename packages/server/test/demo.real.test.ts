import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Kept } from '../src/cli/demo/promises.ts';
import type { DemoSummary } from '../src/cli/demo/figures.ts';

type Printed = DemoSummary & { promises: Kept[] };
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const started = new Set<ChildProcess>();

interface Demo {
  process: ChildProcess;
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** Resolves when standard error has said it. */
  says(text: string): Promise<void>;
}

function startDemo(data: string, ...flags: string[]): Demo {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'demo', '--data', data, ...flags], {
    env: { ...process.env, NO_COLOR: '1', CI: 'true' },
  });
  started.add(child);
  let stdout = '';
  let stderr = '';
  const waiting: { text: string; resolve(): void }[] = [];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    for (const { text, resolve } of waiting) if (stderr.includes(text)) resolve();
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, stdout, stderr })),
  );
  return {
    process: child,
    ended,
    says: (text) =>
      new Promise((resolve, reject) => {
        if (stderr.includes(text)) return resolve();
        waiting.push({ text, resolve });
        return void ended.then(() => reject(new Error(`It ended without saying "${text}":\n${stderr}`)));
      }),
  };
}

async function summaryOf(demo: Demo): Promise<Printed> {
  const { code, stdout, stderr } = await demo.ended;
  expect(code, stderr + stdout).toBe(0);
  return JSON.parse(stdout) as Printed;
}

const folders: string[] = [];
const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), 'binnacle-demo-'));
  folders.push(made);
  return made;
};
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await Promise.all(folders.map((path) => rm(path, { recursive: true, force: true })));
});

let data: string;
let first: Printed;
let seconds: number;
beforeAll(async () => {
  data = await folder();
  const before = performance.now();
  first = await summaryOf(startDemo(data, '--exit', '--json'));
  seconds = (performance.now() - before) / 1000;
});

it('the summary has what was promised, and every promise was kept', () => {
  expect(first).toMatchObject({
    runs: expect.any(Array),
    versions: expect.any(Array),
    gates: expect.any(Array),
    endpoint: expect.any(Object),
    batch: expect.any(Object),
    live: expect.any(Object),
    quality: expect.any(Object),
    drift: expect.any(Object),
    alarms: expect.any(Array),
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
  });
  expect(first.promises.filter(({ kept }) => !kept)).toEqual([]);
});

it('it takes at most 90 seconds', () => {
  expect(seconds).toBeLessThan(90);
});

it('three runs became three versions; the bad one is refused by its metric, the boosted one serves', () => {
  expect(first.runs.map(({ name, status }) => [name, status])).toEqual([
    ['linear', 'FINISHED'],
    ['boosted', 'FINISHED'],
    ['bad', 'FINISHED'],
  ]);
  expect(first.gates.map(({ run, passed }) => [run, passed])).toEqual([
    ['linear', true],
    ['boosted', true],
    ['bad', false],
  ]);
  expect(first.gates[2]?.results.filter(({ passed }) => !passed).map(({ gate }) => gate)).toEqual(['metric']);
  expect(first.versions.find(({ champion }) => champion)?.run).toBe('boosted');
  expect(first.endpoint?.state).toBe('ready');
});

it('April is scored whole, to the row', () => {
  expect(first.batch).toMatchObject({ state: 'succeeded', rows: 501_030, rowsFailed: 0 });
});

it('live quality is that of the README, and better than no model', () => {
  const { validation, live } = first.quality as NonNullable<Printed['quality']>;
  expect(validation.auc).toBeCloseTo(0.659, 3);
  expect(live.auc).toBeGreaterThan(0.6);
  expect(live.auc).toBeLessThan(0.75);
  expect(live.brier).toBeLessThan(live.majorityBrier as number);
  expect(live.labelled).toBe(first.live?.instances);
});

it('the one alarm names the distance, in the week of the simulated fault', () => {
  expect(first.alarms.map(({ kind, feature, week }) => [kind, feature, week])).toEqual([['feature-drift', 'distance', '2001-06-11']]);
  expect(first.drift.weeks.filter(({ drifted }) => drifted.length > 0).map(({ start, drifted }) => [start, drifted])).toEqual([['2001-06-11', ['distance']]]);
  expect(first.drift.weeks).toHaveLength(7);
});

it('a second start doubles nothing; a third, beside it, shows the same from the running one', async () => {
  const demo = startDemo(data);
  await demo.says('it stays up');
  const third = await summaryOf(startDemo(data, '--json'));
  for (const key of ['runs', 'versions', 'gates', 'quality', 'drift', 'alarms'] as const) {
    const withoutUrl = (value: unknown) => JSON.stringify(value).replaceAll(/http:\/\/[\d.:]+/g, '');
    expect(withoutUrl(third[key]), key).toBe(withoutUrl(first[key]));
  }
  expect(third.batch).toEqual(first.batch);
  expect(third.live?.requests).toBe(first.live?.requests);
  const info = (await (await fetch(`${third.url}/api/binnacle/v1/info`)).json()) as { counts: Record<string, number> };
  expect(info.counts).toMatchObject({ runs: 3, models: 1, endpoints: 1, batchJobs: 1 });
  const monitor = (await (await fetch(`${third.url}/api/binnacle/v1/monitors/flight-delays`)).json()) as { labelled: number };
  expect(monitor.labelled).toBe(first.live?.instances);
  demo.process.kill('SIGINT');
  const { code, stderr } = await demo.ended;
  expect(code).toBe(0);
  expect(stderr).toContain('already there');
});

it('a demo killed in the middle of the live requests goes on where it was, and nothing is lost or doubled', async () => {
  const cut = await folder();
  const demo = startDemo(cut);
  await demo.says('✓ April in batch');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  demo.process.kill('SIGKILL');
  await demo.ended;
  const summary = await summaryOf(startDemo(cut, '--exit', '--json'));
  const live = summary.live as NonNullable<Printed['live']>;
  // A request whose rows were half in the log is two: its rest was sent by itself.
  const requests = first.live?.requests ?? 0;
  expect([requests, requests + 1]).toContain(live.requests + live.sentBefore);
  expect(summary.quality?.live.labelled).toBe(first.live?.instances);
  expect(summary.quality?.live.auc).toBe(first.quality?.live.auc);
  expect(summary.runs).toHaveLength(3);
  expect(summary.versions).toHaveLength(3);
});
