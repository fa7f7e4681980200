import { execFileSync } from 'node:child_process';

/** The ids of a process's children, of which ps itself is none. */
export async function childrenOf(parent: number): Promise<number[]> {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,comm='], { encoding: 'utf8' }).split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, ppid, state, command]) => Number(ppid) === parent && !state?.startsWith('Z') && command !== 'ps')
    .map(([pid]) => Number(pid));
}
