import { rm, writeFile } from 'node:fs/promises';
import type { ExitReason, OnLine, Service } from '../../compute/index.ts';
import { launch, type Program } from '../../launcher/index.ts';
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
  readonly #program: Program;
  #reason: ExitReason | undefined;
  #graceUntil = 0;

  /** Rejects when the program cannot be started; its home is removed then, too. */
  static async start(options: ChildOptions): Promise<ChildService> {
    const { program, argv, env, home } = options;
    try {
      return new ChildService(options, await launch(program, argv, { cwd: home, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }));
    } catch (error) {
      await removed(home);
      throw error;
    }
  }

  private constructor({ id, port, home, memoryMiB, onLine }: ChildOptions, program: Program) {
    this.id = id;
    this.port = port;
    this.#program = program;
    eachLine(program.pipes[1], (line) => onLine(line, 'stdout'));
    eachLine(program.pipes[2], (line) => onLine(line, 'stderr'));
    // When memory runs out, the kernel shall take this before the server.
    void writeFile(`/proc/${program.pid}/oom_score_adj`, '500').catch(() => {});
    const watch = memoryMiB === undefined ? undefined : setInterval(() => void this.#watchMemory(memoryMiB), WATCH_MS).unref();
    this.exited = program.exited.then(async ({ code, signal }) => {
      clearInterval(watch);
      await this.#reap();
      await removed(home);
      return this.#reason ?? (signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal });
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
    killGroup(this.#program.pid, signal);
  }

  async #watchMemory(limitMiB: number): Promise<void> {
    const bytes = await this.memoryBytes();
    if (bytes === undefined || bytes <= limitMiB * MIB || this.#reason !== undefined) return;
    this.#reason = { kind: 'memory', limitMiB };
    this.#signal('SIGKILL');
  }

  /** What it started ends with it: at once after a crash, in what is left of the grace after `stop`. */
  async #reap(): Promise<void> {
    const { pid } = this.#program;
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

const removed = (home: string): Promise<void> => rm(home, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
