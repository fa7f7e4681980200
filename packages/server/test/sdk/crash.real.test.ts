import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startRun, syncRuns } from '@binnacle/sdk/node';
import { describe, expect, it } from 'vitest';
import { type RunningServer, startServer, temporaryFolder } from '../support/server.ts';
import { bare, client, offlineFolder, onlyRun, pointsOf, runFolders, runScript, sync } from './kit.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const POINTS = 300_000;
const TEXTS = 200;

/** A run that takes a server some seconds. */
async function largeRun(offline: string, experiment: string): Promise<string> {
  const run = await startRun({ ...bare, offline, experiment, params: { lr: 0.1 }, maxBuffered: 10 * POINTS });
  for (let step = 0; step < POINTS; step++) {
    run.log({ loss: Math.sin(step), [`key${step % 100}`]: step }, step / 2);
    if (step % (POINTS / TEXTS) === 0) run.strings({ text: `at ${step}` }, step / 2);
    if (step % 10_000 === 0) await run.flush();
  }
  await run.artifact('a.txt', 'artifact');
  await run.end();
  return String(run.folder);
}

const progressOf = (folder: string): number => {
  try {
    return (JSON.parse(readFileSync(join(folder, 'synced.json'), 'utf8')) as { offset: number }).offset;
  } catch {
    return 0;
  }
};
/** Resolves when a sync has sent a third of the run. */
async function aThird(folder: string): Promise<void> {
  const size = statSync(join(folder, 'run.jsonl')).size;
  while (progressOf(folder) < size / 3) await sleep(10);
}

async function expectWhole(url: string, experiment: string): Promise<void> {
  const run = await onlyRun(url, experiment);
  expect(run).toMatchObject({ status: 'FINISHED', params: { lr: '0.1' } });
  expect(await pointsOf(url, run.id, 'loss')).toBe(POINTS);
  expect(run.metrics.reduce((sum, { count }) => sum + count, 0)).toBe(2 * POINTS);
  expect((await client(url).call('getEntries', { params: { runId: run.id }, query: { key: 'text' } })).total).toBe(TEXTS);
  const file = await client(url).raw('getRunArtifact', { params: { runId: run.id }, query: { path: 'a.txt' } });
  expect(await file.text()).toBe('artifact');
}

const startAgain = (before: RunningServer): Promise<RunningServer> => startServer({ data: before.dataDir, args: ['--port', new URL(before.url).port] });

describe('a sync that is cut off ends the same when it is run again', () => {
  it('when the server is killed half way', async () => {
    const offline = offlineFolder();
    const folder = await largeRun(offline, 'server killed');
    let server = await startServer();
    const cut = sync(offline, server.url);
    await aThird(folder);
    await server.stop('SIGKILL');
    const { code, runs } = await cut;
    expect(code).toBe(1);
    expect(runs).toMatchObject([{ state: 'failed', error: expect.stringContaining('does not answer') as string }]);
    server = await startAgain(server);
    const { runs: again } = await sync(offline, server.url);
    expect(again).toMatchObject([{ state: 'synced' }]);
    // It went on, and did not begin again.
    expect(again[0]?.entries).toBeLessThan(1.4 * POINTS);
    await expectWhole(server.url, 'server killed');
    expect(runFolders(offline)).toEqual([]);
    await server.stop();
    rmSync(server.dataDir, { recursive: true, force: true });
  });

  it('when it comes back while the sync waits, and when the sync itself is killed', async () => {
    const offline = offlineFolder();
    const folder = await largeRun(offline, 'sync killed');
    let server = await startServer();
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'sync', offline, '--url', server.url], { stdio: 'ignore' });
    await aThird(folder);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // As the command does, with more patience: a busy machine starts a server slowly.
    const going = syncRuns(offline, client(server.url), { retryMs: 240_000 });
    await sleep(300);
    await server.stop('SIGKILL');
    server = await startAgain(server);
    expect(await going).toMatchObject([{ state: 'synced' }]);
    await expectWhole(server.url, 'sync killed');
    await server.stop();
    rmSync(server.dataDir, { recursive: true, force: true });
  });
});

describe('a training that is killed', () => {
  it('has logged everything that flush acknowledged, and ends as KILLED', async () => {
    const server = await startServer();
    for (const pause of [150, 400, 900]) {
      const offline = offlineFolder();
      const experiment = `killed after ${pause}`;
      const script = runScript(`
        const run = await startRun({ offline: ${JSON.stringify(offline)}, experiment: ${JSON.stringify(experiment)}, hardware: false, source: false, flushIntervalMs: 7 });
        for (let step = 0; ; step++) {
          for (let i = 0; i < 200; i++) run.log({ loss: step, ['key' + (i % 7)]: i }, step + i / 1000);
          run.files({ file: { path: 'files/' + step + '.txt', content: 'file ' + step } }, step);
          await run.flush();
          console.log('acknowledged ' + step);
        }`);
      await script.said(/acknowledged 0/);
      await sleep(pause);
      script.child.kill('SIGKILL');
      await script.ended;
      const last = Number(/(\d+)\n[^\n]*$/.exec(script.stdout())?.[1]);
      // As a crash of the machine may leave it.
      appendFileSync(join(offline, runFolders(offline)[0] ?? '', 'run.jsonl'), '{"kind":"metric","key":"lo');
      expect(await sync(offline, server.url)).toMatchObject({ code: 0, runs: [{ state: 'interrupted', refused: [] }] });
      const run = await onlyRun(server.url, experiment);
      expect(run.status).toBe('KILLED');
      expect(await pointsOf(server.url, run.id, 'loss')).toBeGreaterThanOrEqual((last + 1) * 200);
      const { keys } = await client(server.url).call('listEntryKeys', { params: { runId: run.id }, query: { kind: 'file' } });
      expect(keys[0]?.count).toBeGreaterThanOrEqual(last + 1);
      const file = await client(server.url).raw('getRunArtifact', { params: { runId: run.id }, query: { path: `files/${last}.txt` } });
      expect(await file.text()).toBe(`file ${last}`);
      expect(runFolders(offline)).toEqual([]);
    }
    await server.stop();
    rmSync(server.dataDir, { recursive: true, force: true });
  });
});

describe('auto: to the server while it answers, and to the disk always', () => {
  it('a server that comes late, dies and comes back has all of it at the end, and nothing stays', async () => {
    const offline = offlineFolder();
    let server = await startServer();
    await server.stop();
    const warned: unknown[] = [];
    const run = await startRun({
      ...bare,
      mode: 'auto',
      offline,
      baseUrl: server.url,
      experiment: 'late',
      flushIntervalMs: 50,
      endTimeoutMs: 240_000,
      onError: (e) => warned.push(e),
    });
    const log = async (from: number) => {
      for (let step = from; step < from + 1000; step++) run.log({ loss: step });
      await run.flush();
    };
    await log(0);
    expect(warned.length).toBeGreaterThan(0);
    server = await startAgain(server);
    await log(1000);
    expect(await onlyRun(server.url, 'late')).toMatchObject({ status: 'RUNNING', metrics: [{ count: 2000 }] });
    await server.stop('SIGKILL');
    await log(2000);
    const ending = run.end();
    server = await startAgain(server);
    await ending;
    expect(await onlyRun(server.url, 'late')).toMatchObject({ status: 'FINISHED', metrics: [{ count: 3000 }] });
    expect([run.dropped, runFolders(offline)]).toEqual([0, []]);
    await server.stop();
    rmSync(server.dataDir, { recursive: true, force: true });
  });

  it('what a server was not there for stays for a sync', async () => {
    const offline = offlineFolder();
    let server = await startServer();
    await server.stop();
    const run = await startRun({ ...bare, mode: 'auto', offline, baseUrl: server.url, experiment: 'away', endTimeoutMs: 500, onError: () => {} });
    run.log({ loss: 1 });
    await run.end();
    expect(existsSync(String(run.folder))).toBe(true);
    server = await startAgain(server);
    expect(await sync(offline, server.url)).toMatchObject({ code: 0, runs: [{ state: 'synced' }] });
    expect(await onlyRun(server.url, 'away')).toMatchObject({ status: 'FINISHED', metrics: [{ count: 1 }] });
    await server.stop();
    rmSync(server.dataDir, { recursive: true, force: true });
  });
});

it('--watch follows a run to its end, over a server that goes away', async () => {
  const offline = offlineFolder();
  let server = await startServer();
  const run = await startRun({ ...bare, offline, experiment: 'watched', flushIntervalMs: 50 });
  const args = ['sync', offline, '--watch', '--interval', '0.1', '--json', '--url', server.url];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  const count = async () => (await onlyRun(server.url, 'watched').catch(() => undefined))?.metrics[0]?.count ?? 0;
  run.log({ loss: 1 });
  await expect.poll(count, { timeout: 120_000 }).toBe(1);
  await server.stop('SIGKILL');
  run.log({ loss: 2 });
  await sleep(500);
  server = await startAgain(server);
  await expect.poll(count, { timeout: 120_000 }).toBe(2);
  run.log({ loss: 3 });
  await run.end();
  await expect.poll(() => runFolders(offline), { timeout: 120_000 }).toEqual([]);
  child.kill('SIGINT');
  expect((await once(child, 'exit'))[0]).toBe(0);
  expect(said.trim().split('\n').at(-1)).toContain('"synced"');
  expect(await onlyRun(server.url, 'watched')).toMatchObject({ status: 'FINISHED', metrics: [{ count: 3 }] });
  await server.stop();
  rmSync(server.dataDir, { recursive: true, force: true });
});

it('a large file goes through in pieces: recorded, sent, and synced', async () => {
  const server = await startServer();
  const folder = temporaryFolder('large');
  const script = runScript(`
    import { truncateSync, writeFileSync } from 'node:fs';
    import { createClient, syncRuns } from '@binnacle/sdk/node';
    const file = ${JSON.stringify(join(folder, 'large.bin'))};
    writeFileSync(file, 'start');
    truncateSync(file, 400_000_000);
    let peak = 0;
    setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()); }, 10).unref();
    for (const mode of ['offline', 'online']) {
      const run = await startRun({ mode, offline: ${JSON.stringify(join(folder, 'runs'))}, experiment: mode, hardware: false, source: false });
      await run.artifactFile('large.bin', file);
      await run.end();
    }
    await syncRuns(${JSON.stringify(join(folder, 'runs'))}, createClient({ baseUrl: process.env.BINNACLE_URL }));
    console.log('peak ' + peak);`, { env: { BINNACLE_URL: server.url } }); // biome-ignore format: a script
  expect(await script.ended).toBe(0);
  expect(Number(/peak (\d+)/.exec(script.stdout())?.[1])).toBeLessThan(300_000_000);
  for (const experiment of ['offline', 'online']) {
    const run = await onlyRun(server.url, experiment);
    const { files } = await client(server.url).call('listRunArtifacts', { params: { runId: run.id }, query: {} });
    expect(files).toMatchObject([{ path: 'large.bin', size: 400_000_000 }]);
  }
  await server.stop();
  for (const one of [folder, server.dataDir]) rmSync(one, { recursive: true, force: true });
});

describe.runIf(process.getuid?.() === 0 && process.platform === 'linux')('a full disk', () => {
  it('stops no training, and what was waiting is written when there is room again', async () => {
    const { execFileSync } = await import('node:child_process');
    const disk = temporaryFolder('disk');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
    try {
      const told: string[] = [];
      const run = await startRun({ ...bare, offline: join(disk, 'runs'), experiment: 'full', flushIntervalMs: 20, onError: (e) => told.push(String(e)) });
      const ballast = join(disk, 'ballast');
      appendFileSync(ballast, Buffer.alloc(128 * 1024));
      for (let step = 0; step < 2000; step++) run.log({ loss: step });
      await run.flush();
      expect(told.join()).toContain('ENOSPC');
      await run.artifact('large.bin', Buffer.alloc(200_000));
      expect(run.dropped).toBe(1);
      rmSync(ballast);
      const ending = run.end();
      await ending;
      const server = await startServer();
      const { runs } = await sync(join(disk, 'runs'), server.url);
      // The line that was torn is there again behind it, whole.
      expect(runs).toMatchObject([{ refused: [] }]);
      expect(await onlyRun(server.url, 'full')).toMatchObject({ status: 'FINISHED', metrics: [{ key: 'loss', count: 2000 }] });
      await server.stop();
      rmSync(server.dataDir, { recursive: true, force: true });
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
