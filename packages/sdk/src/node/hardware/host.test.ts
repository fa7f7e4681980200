import { expect, test } from 'vitest';
import { HostMonitor } from './host.ts';

test('tells of this machine and process in percent and megabytes', async () => {
  const host = new HostMonitor('/');
  await host.start();
  const until = performance.now() + 300;
  let burnt = 0;
  while (performance.now() < until) burnt += Math.sqrt(burnt + 1);
  const values = await host.sample();
  for (const name of ['cpu_utilization_percentage', 'system_memory_usage_percentage', 'disk_usage_percentage']) {
    expect(values[name], name).toBeGreaterThan(0);
    expect(values[name], name).toBeLessThanOrEqual(100);
  }
  expect(values['process_cpu_utilization_percentage']).toBeGreaterThan(5);
  expect(values['process_memory_usage_megabytes']).toBeCloseTo(process.memoryUsage.rss() / 1e6, -2);
  expect(values['system_memory_usage_megabytes']).toBeGreaterThan(10);
  expect(values['disk_available_megabytes']).toBeGreaterThan(0);
  if (process.platform === 'linux') expect(values['network_receive_megabytes']).toBeGreaterThanOrEqual(0);
});

test('a disk that is not there is left out', async () => {
  const host = new HostMonitor('/no/such/place');
  await host.start();
  expect(Object.keys(await host.sample()).filter((name) => name.startsWith('disk'))).toEqual([]);
});
