import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Process ids of what a process has started, itself or by its launcher, and what has not ended. */
export async function childrenOf(parent: number): Promise<number[]> {
  const all = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [])
    .filter(([, , , state = 'Z', args = '']) => !state.startsWith('Z') && !args.startsWith('ps '))
    .map(([, pid, ppid, , args = '']) => ({ pid: Number(pid), ppid: Number(ppid), isLauncher: /launcher-process\.[jt]s$/.test(args) }));
  const own = all.filter(({ ppid }) => ppid === parent);
  const launchers = own.filter(({ isLauncher }) => isLauncher).map(({ pid }) => pid);
  return all.filter(({ pid, ppid }) => (ppid === parent || launchers.includes(ppid)) && !launchers.includes(pid)).map(({ pid }) => pid);
}

/** On Linux. A zombie has ended: whoever adopted it may never look. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
