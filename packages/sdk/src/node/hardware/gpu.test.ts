import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { GpuMonitor, parseNvidiaSmi } from './gpu.ts';

test('what nvidia-smi prints gets the names and units of MLflow; what a card does not tell is left out', () => {
  const values = parseNvidiaSmi('0, 87, 10240, 81559, 312.45, 700.00\n1, [N/A], 512, 16384, [Not Supported], [N/A]\n');
  expect(values).toEqual({
    gpu_0_utilization_percentage: 87,
    gpu_0_memory_usage_megabytes: 10240 * 1.048576,
    gpu_0_memory_usage_percentage: (100 * 10240) / 81559,
    gpu_0_power_usage_watts: 312.45,
    gpu_0_power_usage_percentage: (100 * 312.45) / 700,
    gpu_1_memory_usage_megabytes: 512 * 1.048576,
    gpu_1_memory_usage_percentage: (100 * 512) / 16384,
  });
  expect(parseNvidiaSmi('No devices were found\n')).toEqual({});
});

describe.skipIf(process.platform === 'win32')('a program of that name on PATH', () => {
  const path = process.env['PATH'];
  afterEach(() => {
    process.env['PATH'] = path;
  });
  /** Puts a shell script there that notes each call. */
  function standIn(script: string): () => string[] {
    const folder = mkdtempSync(join(tmpdir(), 'binnacle-smi-'));
    writeFileSync(join(folder, 'calls'), '');
    writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\necho "$@" >> "${folder}/calls"\n${script}\n`);
    chmodSync(join(folder, 'nvidia-smi'), 0o755);
    process.env['PATH'] = `${folder}${delimiter}${path}`;
    return () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n').filter(Boolean);
  }

  test('is asked for numbers without units', async () => {
    const calls = standIn('echo "0, 5, 100, 1000, 50.00, 100.00"');
    expect((await new GpuMonitor().sample())['gpu_0_power_usage_percentage']).toBe(50);
    expect(calls()).toEqual(['--query-gpu=index,utilization.gpu,memory.used,memory.total,power.draw,enforced.power.limit --format=csv,noheader,nounits']);
  });

  test('is asked no more after it failed three times in a row', async () => {
    const calls = standIn('echo "NVIDIA-SMI has failed because it couldn\'t communicate with the NVIDIA driver." ; exit 9');
    const monitor = new GpuMonitor();
    for (let i = 0; i < 6; i++) expect(await monitor.sample()).toEqual({});
    expect(calls()).toHaveLength(3);
    expect(monitor.active).toBe(false);
  });

  test('that hangs is ended', async () => {
    standIn('exec sleep 60');
    const monitor = new GpuMonitor(200);
    for (let i = 0; i < 3; i++) expect(await monitor.sample()).toEqual({});
    expect(monitor.active).toBe(false);
  });

  test('when there is none, it is looked for once', async () => {
    process.env['PATH'] = mkdtempSync(join(tmpdir(), 'binnacle-empty-'));
    const monitor = new GpuMonitor();
    expect(await monitor.sample()).toEqual({});
    expect(monitor.active).toBe(false);
  });
});
