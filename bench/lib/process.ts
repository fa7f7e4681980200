import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pinned } from './cores.ts';
import { sum } from './stats.ts';

export interface Running {
  pid: number;
  /** When the process was started, `performance.now()`. */
  startedAt: number;
  logFile: string;
  exited: Promise<number | null>;
  alive(): boolean;
  /** SIGTERM to the whole group, SIGKILL after ten seconds; returns when the group is gone. */
  stop(): Promise<void>;
}

const started = new Set<{ stop(): Promise<void> }>();

/** Something that is to end, too, when a benchmark fails or is interrupted. */
export const stopWithAll = (process: { stop(): Promise<void> }): void => void started.add(process);

export interface StartOptions {
  cores: string;
  logFile: string;
  env?: Record<string, string> | undefined;
  cwd?: string | undefined;
}

/** Starts a program in a process group of its own, pinned, its output in a file (as a service manager would keep it). */
export function start(program: string, args: string[], options: StartOptions): Running {
  const log = openSync(options.logFile, 'w');
  const [command, argv] = pinned(options.cores, program, args);
  const startedAt = performance.now();
  const child = spawn(command, argv, { detached: true, stdio: ['ignore', log, log], cwd: options.cwd, env: { ...process.env, ...options.env } });
  const running = wrap(child, startedAt, options.logFile);
  started.add(running);
  return running;
}

function wrap(child: ChildProcess, startedAt: number, logFile: string): Running {
  let over = false;
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      over = true;
      resolve(code);
    });
  });
  const pid = child.pid ?? -1;
  const running: Running = {
    pid,
    startedAt,
    logFile,
    exited,
    alive: () => !over,
    async stop() {
      started.delete(running);
      signal(pid, 'SIGTERM');
      for (let waited = 0; waited < 10_000 && group(pid).length > 0; waited += 50) await sleep(50);
      signal(pid, 'SIGKILL');
      if (!over) await exited;
    },
  };
  return running;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // The group has ended by itself.
  }
}

/** Ends whatever a benchmark that failed left behind. */
export async function stopAll(): Promise<void> {
  await Promise.all([...started].map((running) => running.stop()));
}

/** Polls until the URL answers 200; returns the milliseconds since the process was started. */
export async function untilHealthy(running: Running, url: string, timeoutMs = 120_000, pollMs = 20): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (!running.alive()) throw new Error(`the server ended before it answered ${url}:\n${tail(running.logFile)}`);
    try {
      const reply = await fetch(url, { signal: AbortSignal.timeout(2000) });
      await reply.arrayBuffer();
      if (reply.status === 200) return performance.now() - running.startedAt;
    } catch {
      // Not listening yet.
    }
    await sleep(pollMs);
  }
  throw new Error(`no answer from ${url} in ${timeoutMs / 1000} s:\n${tail(running.logFile)}`);
}

export const tail = (file: string, lines = 15): string => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  return (await boundOnce(0)) as number;
}

/** One whose next is free, too: Binnacle's gRPC listens there. */
export async function freePorts(): Promise<number> {
  for (let tries = 0; tries < 20; tries++) {
    const port = await freePort();
    if ((await boundOnce(port + 1)) !== undefined) return port;
  }
  throw new Error('no two free ports beside each other');
}

/** The port, after it has been bound and let go of; undefined when it is taken. */
async function boundOnce(wanted: number): Promise<number | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(wanted, '127.0.0.1', resolve));
  } catch {
    return undefined;
  }
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** The processes of a group, and all that they have started: Binnacle's launcher, and so what that starts, has a group of its own. */
function group(leader: number): number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // pid (comm) state ppid pgrp: comm may hold spaces and brackets, so count from the last one.
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, ppid, pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return state === 'Z' ? [] : [{ pid: Number(name), ppid: Number(ppid), pgrp: Number(pgrp) }];
      } catch {
        return [];
      }
    });
  const found = new Set(all.filter(({ pgrp }) => pgrp === leader).map(({ pid }) => pid));
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const { pid, ppid } of all) if (found.has(ppid)) found.add(pid);
  }
  return [...found];
}

export interface Memory {
  processes: number;
  /** Resident bytes, summed over the group: pages shared between processes count once for each. */
  rss: number;
  /** Proportional set size, bytes: shared pages are divided among those who share them. */
  pss: number;
}

const kib = (text: string, key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;

/** The memory of a program with all the processes it started. */
export function memory(running: Running): Memory {
  const each = group(running.pid).map((pid) => {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      return { rss: kib(text, 'Rss'), pss: kib(text, 'Pss') };
    } catch {
      return { rss: 0, pss: 0 };
    }
  });
  return { processes: each.length, rss: sum(each.map((m) => m.rss)), pss: sum(each.map((m) => m.pss)) };
}

/** Resident bytes from /proc/PID/status: cheap enough to sample ten times a second. */
function residentBytes(leader: number): number {
  return sum(
    group(leader).map((pid) => {
      try {
        return kib(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS');
      } catch {
        return 0;
      }
    }),
  );
}

export interface MemorySample {
  /** Seconds since sampling began. */
  x: number;
  /** Resident bytes. */
  y: number;
}

/** Samples the resident memory of a program until told to stop. */
export function sampleMemory(running: Running, everyMs = 100): () => MemorySample[] {
  const begun = performance.now();
  const samples: MemorySample[] = [];
  const take = () => {
    const y = residentBytes(running.pid);
    if (y > 0) samples.push({ x: (performance.now() - begun) / 1000, y });
  };
  take();
  const timer = setInterval(take, everyMs);
  return () => {
    clearInterval(timer);
    take();
    return samples;
  };
}

/** Runs a program to its end and returns its standard output. @throws with its last words when it fails. */
export async function runToEnd(program: string, args: string[], options: { cores: string; env?: Record<string, string>; cwd?: string }): Promise<string> {
  const [command, argv] = pinned(options.cores, program, args);
  const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'pipe'], cwd: options.cwd, env: { ...process.env, ...options.env } });
  let out = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} failed (${code}):\n${errors.slice(-2000)}`);
  return out;
}
