import { type ChildProcess, spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import type { ExitReason, OnLine, Service } from '../../compute/index.ts';
import { memoryOf, processesOf, signalAll } from './group.ts';
import { eachLine } from './lines.ts';
import { killGroup } from './run-program.ts';

export interface ChildOptions {
  id: string;
  port: number;
  program: string;
  argv: string[];
  env: Record<string, string>;
  /** Its working directory and home, removed with it. */
  home: string;
  memoryMiB: number | undefined;
  onLine: OnLine;
}

const WATCH_MS = 1000;
const MIB = 1024 * 1024;

/** A service as a group of processes of its own. */
export class ChildService implements Service {
  readonly host = '127.0.0.1';
  readonly id: string;
  readonly port: number;
  readonly exited: Promise<ExitReason>;
  readonly #child: ChildProcess;
  #reason: ExitReason | undefined;
  #graceUntil = 0;

  constructor({ id, port, program, argv, env, home, memoryMiB, onLine }: ChildOptions) {
    this.id = id;
    this.port = port;
    const child = spawn(program, argv, { cwd: home, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    eachLine(child.stdout, (line) => onLine(line, 'stdout'));
    eachLine(child.stderr, (line) => onLine(line, 'stderr'));
    // When memory runs out, the kernel shall take this before the server.
    if (child.pid !== undefined) void writeFile(`/proc/${child.pid}/oom_score_adj`, '500').catch(() => {});
    const watch = memoryMiB === undefined ? undefined : setInterval(() => void this.#watchMemory(memoryMiB), WATCH_MS).unref();
    this.exited = new Promise<ExitReason>((resolve) => {
      child.once('error', (error) => resolve({ kind: 'lost', why: `it could not be started (${error.message})` }));
      child.once('exit', (code, signal) => resolve(signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal }));
    }).then(async (reason) => {
      clearInterval(watch);
      await this.#reap();
      await rm(home, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
      return this.#reason ?? reason;
    });
  }

  async stop(graceMs: number): Promise<void> {
    this.#graceUntil = Date.now() + graceMs;
    this.#signal('SIGTERM');
    const kill = setTimeout(() => this.#signal('SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(kill);
  }

  async memoryBytes(): Promise<number | undefined> {
    return memoryOf(await processesOf(this.id));
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) killGroup(this.#child.pid, signal);
  }

  async #watchMemory(limitMiB: number): Promise<void> {
    const bytes = await this.memoryBytes();
    if (bytes === undefined || bytes <= limitMiB * MIB || this.#reason !== undefined) return;
    this.#reason = { kind: 'memory', limitMiB };
    this.#signal('SIGKILL');
  }

  /** What it started ends with it: at once after a crash, in what is left of the grace after `stop`. */
  async #reap(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    while (Date.now() < this.#graceUntil && killGroup(pid, 0)) await new Promise((resolve) => setTimeout(resolve, 20));
    killGroup(pid, 'SIGKILL');
    for (let round = 0; round < 50; round++) {
      const left = await processesOf(this.id);
      if (left.length === 0) return;
      signalAll(left, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
