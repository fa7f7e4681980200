import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Who writes a record: enough to tell later whether that process is still there. */
export interface Writer {
  host: string;
  pid: number;
  /** Which system, since its start, and which space of process ids; absent where the system does not tell. */
  system?: string;
  /** When the process started, in the system's own count: a process id is used again. */
  started?: string;
}

const quietly = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

/** Linux: the boot and the PID namespace. Elsewhere the host's name has to do. */
const system = (): string | undefined =>
  quietly(() => `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`);

/** The 22nd field of /proc/PID/stat; the second may hold spaces and parentheses. */
const startOf = (pid: number): string | undefined =>
  quietly(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  });

export function thisWriter(): Writer {
  const [own, started] = [system(), startOf(process.pid)];
  return { host: hostname(), pid: process.pid, ...(own === undefined ? {} : { system: own }), ...(started === undefined ? {} : { started }) };
}

/** Whether the process that writes a record is there; unknown when it is, or was, on another system. */
export function stateOf(writer: Writer): 'there' | 'gone' | 'unknown' {
  if (writer.host !== hostname() || writer.system !== system()) return 'unknown';
  try {
    process.kill(writer.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'gone';
  }
  return writer.started === startOf(writer.pid) ? 'there' : 'gone';
}
