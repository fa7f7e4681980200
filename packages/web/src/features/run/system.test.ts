import { expect, test } from 'vitest';
import { systemGroups, systemMetric } from './system.ts';

test.each([
  ['system/cpu_utilization_percentage', 'CPU', 'Utilization', '%'],
  ['system/system_memory_usage_megabytes', 'Memory', 'System memory usage', 'MB'],
  ['system/gpu_0_memory_usage_megabytes', 'GPU 0', 'Memory usage', 'MB'],
  ['system/gpu_11_power_usage_watts', 'GPU 11', 'Power usage', 'W'],
  ['system/network_receive_megabytes', 'Network', 'Receive', 'MB'],
  ['system/disk_available_megabytes', 'Disk', 'Available', 'MB'],
  ['system/node_1/disk_usage_percentage', 'node_1 · Disk', 'Usage', '%'],
  ['system/fans', 'Other', 'Fans', ''],
  ['system/cpu_', 'CPU', 'cpu_', ''],
  ['system/', 'Other', '', ''],
])('%s', (key, group, title, unit) => expect(systemMetric(key)).toEqual({ key, group, title, unit }));

test('groups stand in one order, cards by their number, nodes one after the other', () => {
  const keys = [
    'b/network_receive_megabytes',
    'gpu_10_utilization_percentage',
    'gpu_2_utilization_percentage',
    'x',
    'b/cpu_utilization_percentage',
    'system_memory_usage_percentage',
    'cpu_utilization_percentage',
  ];
  expect(systemGroups(keys.map((key) => `system/${key}`)).map(({ group }) => group)).toEqual([
    'CPU',
    'Memory',
    'GPU 2',
    'GPU 10',
    'Other',
    'b · CPU',
    'b · Network',
  ]);
});
