import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readLimits } from './cgroup.ts';

const GB = 1024 ** 3;
const machine = { cores: 16, memory: 64 * GB };
function files(tree: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'binnacle-cgroup-'));
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
  return root;
}

test('version 2 in a container: its group is the root of what is mounted', async () => {
  const root = files({
    'proc/self/cgroup': '0::/',
    'sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids',
    'sys/fs/cgroup/cpu.max': '150000 100000',
    'sys/fs/cgroup/cpu.stat': 'usage_usec 8000000\nuser_usec 6000000\nsystem_usec 2000000',
    'sys/fs/cgroup/memory.max': String(2 * GB),
    'sys/fs/cgroup/memory.current': String(GB),
    'sys/fs/cgroup/memory.stat': `anon 1\ninactive_file ${GB / 4}`,
  });
  expect(await readLimits(machine, root)).toEqual({ cpu: { cores: 1.5, usedMicros: 8_000_000 }, memory: { limit: 2 * GB, used: 0.75 * GB } });
});

test('version 2 in a service: the tightest of the groups around it holds', async () => {
  const root = files({
    'proc/self/cgroup': '0::/system.slice/train.service',
    'sys/fs/cgroup/cgroup.controllers': 'cpu memory',
    'sys/fs/cgroup/system.slice/train.service/cpu.max': 'max 100000',
    'sys/fs/cgroup/system.slice/train.service/memory.max': String(8 * GB),
    'sys/fs/cgroup/system.slice/memory.max': String(4 * GB),
    'sys/fs/cgroup/system.slice/memory.current': String(3 * GB),
  });
  expect(await readLimits(machine, root)).toEqual({ memory: { limit: 4 * GB, used: 3 * GB } });
});

test('version 1: a tree for each controller', async () => {
  const root = files({
    'proc/self/cgroup': '4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/',
    'sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us': '200000',
    'sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us': '100000',
    'sys/fs/cgroup/cpuacct/docker/abc/cpuacct.usage': '5000000000',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
    'sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': String(GB),
    'sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes': String(GB / 2),
    'sys/fs/cgroup/memory/docker/abc/memory.stat': `total_inactive_file ${GB / 8}`,
  });
  expect(await readLimits(machine, root)).toEqual({ cpu: { cores: 2, usedMicros: 5_000_000 }, memory: { limit: GB, used: 0.375 * GB } });
});

test('no limit, one above the machine, and no control groups at all are none', async () => {
  expect(
    await readLimits(
      machine,
      files({
        'proc/self/cgroup': '0::/',
        'sys/fs/cgroup/cgroup.controllers': 'cpu memory',
        'sys/fs/cgroup/cpu.max': '3200000 100000',
        'sys/fs/cgroup/cpu.stat': 'usage_usec 1',
        'sys/fs/cgroup/memory.max': 'max',
        'sys/fs/cgroup/memory.current': '1',
      }),
    ),
  ).toEqual({});
  expect(await readLimits(machine, files({ 'etc/hostname': 'mac' }))).toEqual({});
});
