import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Carried by every process of a service, and by those that they start: what is left over is known by it, whatever its process id. */
export const MARK = 'BINNACLE_SERVICE';

/** Process ids of a service, wherever they have gone. Empty when it has ended. */
export async function processesOf(id: string): Promise<number[]> {
  const mark = `${MARK}=${id}`;
  try {
    const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(
      all.map(async (pid) => {
        const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
        return environment.split('\0').includes(mark) ? Number(pid) : undefined;
      }),
    );
    return found.filter((pid) => pid !== undefined);
  } catch {
    // No /proc (macOS): ps shows the environment of one's own processes.
    const { stdout } = await promisify(execFile)('ps', ['axeww', '-o', 'pid=,command='], { maxBuffer: 64 * 1024 * 1024 }).catch(() => ({ stdout: '' }));
    return stdout
      .split('\n')
      .filter((line) => line.split(' ').includes(mark))
      .map((line) => Number.parseInt(line.trim(), 10))
      .filter((pid) => pid !== process.pid);
  }
}

/** Resident memory of these, bytes; undefined when it cannot be told. Pages that they share count once where the kernel tells (Pss). */
export async function memoryOf(pids: readonly number[]): Promise<number | undefined> {
  const each = await Promise.all(pids.map(memoryOfOne));
  const known = each.filter((bytes) => bytes !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, bytes) => sum + bytes, 0);
}

async function memoryOfOne(pid: number): Promise<number | undefined> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => '');
  const kib = /^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'latin1').catch(() => ''))?.[1];
  if (kib !== undefined) return Number(kib) * 1024;
  if (process.platform === 'linux') return undefined;
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', `${pid}`]).catch(() => ({ stdout: '' }));
  return /^\s*\d+\s*$/.test(stdout) ? Number(stdout) * 1024 : undefined;
}

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Ends all that carries this mark: SIGTERM, after two seconds SIGKILL. How many there were. */
export async function endProcessesOf(id: string): Promise<number> {
  const first = await processesOf(id);
  signalAll(first, 'SIGTERM');
  for (let round = 0, left = first; left.length > 0 && round <= 250; round++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    left = await processesOf(id);
    if (round > 100) signalAll(left, 'SIGKILL');
  }
  return first.length;
}
