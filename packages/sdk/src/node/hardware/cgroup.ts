import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a container, or a service, may use and does use. Absent: no limit. */
export interface Limits {
  /** Cores, fractions allowed, and the CPU time used so far in microseconds. */
  cpu?: { cores: number; usedMicros: number };
  /** Bytes; `used` without what the system can take back at once (inactive file cache). */
  memory?: { limit: number; used: number };
}

const text = async (path: string): Promise<string | undefined> => {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return undefined;
  }
};
const numberAt = async (path: string): Promise<number | undefined> => {
  const value = await text(path);
  return value !== undefined && /^-?\d+$/.test(value) ? Number(value) : undefined;
};
const fieldOf = (lines: string | undefined, name: string): number | undefined => {
  const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(lines ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
};
/** A group and those around it: a limit of any of them holds. In a container the inner path is not mounted, and its root is the group. */
const upwards = (path: string): string[] => {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return [...parts.map((_, i) => parts.slice(0, parts.length - i).join('/')), ''];
};

interface Group {
  folder: string;
  limit: number;
}
/** The group whose limit is the tightest. */
async function tightest(folders: string[], limitOf: (folder: string) => Promise<number | undefined>): Promise<Group | undefined> {
  let found: Group | undefined;
  for (const folder of folders) {
    const limit = await limitOf(folder);
    if (limit !== undefined && limit > 0 && (found === undefined || limit < found.limit)) found = { folder, limit };
  }
  return found;
}

/** Version 2: one tree; version 1: one for each controller. */
interface Tree {
  cpu: string[];
  memory: string[];
  cores(folder: string): Promise<number | undefined>;
  usedMicros(folder: string): Promise<number | undefined>;
  bytes(folder: string): Promise<number | undefined>;
  usedBytes(folder: string): Promise<number | undefined>;
}

/**
 * Reads the limits of this process's control group (Linux). A limit above what the machine has is none.
 * @param machine Cores and bytes of the machine.
 * @param root Where the file system begins; another one in tests.
 */
export async function readLimits(machine: { cores: number; memory: number }, root = '/'): Promise<Limits> {
  const own = await text(join(root, 'proc/self/cgroup'));
  if (own === undefined) return {};
  const mount = join(root, 'sys/fs/cgroup');
  const pathOf = (controller: string): string => {
    for (const line of own.split('\n')) {
      const [, controllers = '', path = ''] = line.split(':');
      if (controllers.split(',').includes(controller)) return path;
    }
    return '/';
  };
  const tree = (await text(join(mount, 'cgroup.controllers'))) === undefined ? version1(mount, pathOf) : version2(mount, pathOf(''));
  const limits: Limits = {};
  const cpu = await tightest(tree.cpu, tree.cores);
  const usedMicros = cpu && (await tree.usedMicros(cpu.folder));
  if (cpu !== undefined && usedMicros !== undefined && cpu.limit < machine.cores) limits.cpu = { cores: cpu.limit, usedMicros };
  const memory = await tightest(tree.memory, tree.bytes);
  const used = memory && (await tree.usedBytes(memory.folder));
  if (memory !== undefined && used !== undefined && memory.limit < machine.memory) limits.memory = { limit: memory.limit, used };
  return limits;
}

function version2(mount: string, path: string): Tree {
  const folders = upwards(path).map((one) => join(mount, one));
  return {
    cpu: folders,
    memory: folders,
    async cores(folder) {
      const [quota, period] = ((await text(join(folder, 'cpu.max'))) ?? 'max').split(' ').map(Number);
      return quota !== undefined && period !== undefined && quota > 0 ? quota / period : undefined;
    },
    usedMicros: async (folder) => fieldOf(await text(join(folder, 'cpu.stat')), 'usage_usec'),
    bytes: (folder) => numberAt(join(folder, 'memory.max')),
    async usedBytes(folder) {
      const used = await numberAt(join(folder, 'memory.current'));
      return used === undefined ? undefined : used - (fieldOf(await text(join(folder, 'memory.stat')), 'inactive_file') ?? 0);
    },
  };
}

function version1(mount: string, pathOf: (controller: string) => string): Tree {
  const foldersOf = (controller: string) => upwards(pathOf(controller)).map((one) => join(mount, controller, one));
  return {
    cpu: foldersOf('cpu'),
    memory: foldersOf('memory'),
    async cores(folder) {
      const [quota, period] = [await numberAt(join(folder, 'cpu.cfs_quota_us')), await numberAt(join(folder, 'cpu.cfs_period_us'))];
      return quota !== undefined && period !== undefined && quota > 0 ? quota / period : undefined;
    },
    async usedMicros(folder) {
      const nanos = await numberAt(join(mount, 'cpuacct', folder.slice(join(mount, 'cpu').length), 'cpuacct.usage'));
      return nanos === undefined ? undefined : nanos / 1000;
    },
    bytes: (folder) => numberAt(join(folder, 'memory.limit_in_bytes')),
    async usedBytes(folder) {
      const used = await numberAt(join(folder, 'memory.usage_in_bytes'));
      return used === undefined ? undefined : used - (fieldOf(await text(join(folder, 'memory.stat')), 'total_inactive_file') ?? 0);
    },
  };
}
