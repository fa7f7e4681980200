import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Where cores are short, another process comes after the server: `niceness` from 0 to 19. Without effect where that is forbidden. */
export function giveWay(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    // It has ended already, or a sandbox forbids it.
  }
}

/** The same for the thread that calls it. On Linux each thread has a niceness of its own; elsewhere they stay equals. */
export function threadGivesWay(niceness: number): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (Number.isInteger(thread)) giveWay(thread, niceness);
  } catch {
    // No Linux.
  }
}
