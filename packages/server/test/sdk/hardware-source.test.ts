import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type RunningServer, startServer, temporaryFolder } from '../support/server.ts';
import { client, onlyRun, runScript } from './kit.ts';

// Each test starts several processes.
vi.setConfig({ testTimeout: 120_000 });
let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(server.dataDir, { recursive: true, force: true });
});

it('a real process has the series of its machine, under the names that MLflow gives them; a GPU through nvidia-smi', async () => {
  // There is no GPU here: a program of that name prints what a machine with two of them prints.
  const bin = temporaryFolder('bin');
  writeFileSync(join(bin, 'nvidia-smi'), '#!/bin/sh\necho "0, 97, 40000, 81559, 650.12, 700.00"\necho "1, 0, 4, 81559, 69.90, 700.00"\n');
  chmodSync(join(bin, 'nvidia-smi'), 0o755);
  const script = runScript(
    `await using run = await startRun({ experiment: 'hardware', source: false, hardware: { intervalMs: 300 } });
    const until = Date.now() + 4000;
    const kept = [];
    for (let step = 0; Date.now() < until; step++) {
      run.log({ loss: step });
      kept.push(new Float64Array(100_000).fill(step));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }`,
    { env: { BINNACLE_URL: server.url, PATH: `${bin}${delimiter}${process.env.PATH}` } },
  );
  expect(await script.ended).toBe(0);
  const run = await onlyRun(server.url, 'hardware');
  const latest = Object.fromEntries(run.metrics.map(({ key, value }) => [key, Number(value)]));
  const keys = Object.keys(latest).filter((key) => key.startsWith('system/'));
  // mlflow/system_metrics: cpu_monitor.py, disk_monitor.py, network_monitor.py, gpu_monitor.py.
  const names = [
    'cpu_utilization_percentage',
    'system_memory_usage_megabytes',
    'system_memory_usage_percentage',
    'disk_usage_percentage',
    'disk_usage_megabytes',
    'disk_available_megabytes',
    'network_receive_megabytes',
    'network_transmit_megabytes',
    ...[0, 1].flatMap((gpu) =>
      ['memory_usage_percentage', 'memory_usage_megabytes', 'utilization_percentage', 'power_usage_watts', 'power_usage_percentage'].map(
        (name) => `gpu_${gpu}_${name}`,
      ),
    ),
    'process_cpu_utilization_percentage',
    'process_memory_usage_megabytes',
  ];
  expect(keys.sort()).toEqual(names.map((name) => `system/${name}`).sort());
  expect(latest['system/gpu_0_utilization_percentage']).toBe(97);
  expect(latest['system/gpu_0_memory_usage_megabytes']).toBeCloseTo(41_943, 0);
  expect(latest['system/process_memory_usage_megabytes']).toBeGreaterThan(80);
  expect(run.metrics.find(({ key }) => key === 'system/cpu_utilization_percentage')?.count).toBeGreaterThan(1);
  // Their steps are their own count, not the training's.
  const { series } = await client(server.url).call('getSeries', { body: { runIds: [run.id], keys: ['system/cpu_utilization_percentage', 'loss'] } });
  const stepsOf = (key: string) => series.find((one) => one.key === key)?.points.map(({ step }) => step) ?? [];
  for (const key of ['loss', 'system/cpu_utilization_percentage']) expect(stepsOf(key), key).toEqual(stepsOf(key).map((_, i) => i));
});

it('a script of a repository with changes brings its source; what is secret stays', async () => {
  const repo = temporaryFolder('repo');
  const git = (...args: string[]) => execFileSync('git', args, { cwd: repo, encoding: 'utf8' }).trim();
  git('init', '-q', '-b', 'main');
  git('config', 'user.email', 'a@b.c');
  git('config', 'user.name', 'a');
  git('remote', 'add', 'origin', 'https://me:s3cret-token@example.com/team/repo.git');
  mkdirSync(join(repo, 'lib'));
  writeFileSync(join(repo, 'lib/model.ts'), 'export const depth = 3;\n');
  writeFileSync(join(repo, '.env'), 'KEY=s3cret-key\n');
  git('add', '-A');
  git('commit', '-qm', 'first');
  writeFileSync(join(repo, 'lib/model.ts'), 'export const depth = 4;\n');
  writeFileSync(join(repo, '.env'), 'KEY=s3cret-other\n');
  const script = runScript(
    `await using run = await startRun({ experiment: 'source', hardware: false, source: { files: ['lib/**/*.ts', '.env'] } });
    run.log({ loss: 1 });`,
    { cwd: repo, env: { BINNACLE_URL: server.url, SOME_API_KEY: 's3cret-variable' } },
  );
  expect(await script.ended).toBe(0);
  const run = await onlyRun(server.url, 'source');
  expect(run.tags).toMatchObject({
    'mlflow.source.type': 'LOCAL',
    'mlflow.source.name': expect.stringMatching(/^train-.*\.mts$/) as string,
    'mlflow.source.git.commit': git('rev-parse', 'HEAD'),
    'mlflow.source.git.branch': 'main',
    'mlflow.source.git.repoURL': 'https://example.com/team/repo.git',
    'mlflow.source.git.dirty': 'true',
    'mlflow.user': run.user,
  });
  const { files } = await client(server.url).call('listRunArtifacts', { params: { runId: run.id }, query: { path: 'source' } });
  expect(files.map(({ path }) => path)).toEqual(['source/lib', 'source/state.json', `source/${run.tags['mlflow.source.name']}`, 'source/uncommitted.diff']);
  const text = async (path: string) => (await client(server.url).raw('getRunArtifact', { params: { runId: run.id }, query: { path } })).text();
  expect(await text('source/uncommitted.diff')).toContain('+export const depth = 4;');
  expect(await text('source/lib/model.ts')).toBe('export const depth = 4;\n');
  const state = await text('source/state.json');
  expect(JSON.parse(state)).toMatchObject({ git: { dirty: true, diffWithout: ['.env'], untracked: [run.tags['mlflow.source.name']] } });
  const everything = JSON.stringify(run) + state + (await text('source/uncommitted.diff')) + (await text(`source/${run.tags['mlflow.source.name']}`));
  expect(everything).not.toContain('s3cret');
  rmSync(repo, { recursive: true, force: true });
});
