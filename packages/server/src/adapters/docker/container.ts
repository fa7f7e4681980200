import { setTimeout as sleep } from 'node:timers/promises';
import type { ExitReason, OnLine, Service } from '../../compute/index.ts';
import { messageOf } from '../../kernel/index.ts';
import { demultiplex } from './demultiplex.ts';
import { type Engine, EngineError } from './engine.ts';

interface Inspected {
  State: { Running: boolean; ExitCode: number; OOMKilled: boolean; Error: string };
}
interface Stats {
  memory_stats?: { usage?: number; stats?: { total_inactive_file?: number; inactive_file?: number } };
}

export interface ContainerOptions {
  engine: Engine;
  id: string;
  containerId: string;
  port: number;
  memoryMiB: number | undefined;
  onLine: OnLine;
  /** Called when it is gone. */
  onGone(): Promise<void>;
}

/** Signals that end a process give 128 and their number. */
const SIGNALS: Record<number, string> = { 134: 'SIGABRT', 135: 'SIGBUS', 136: 'SIGFPE', 137: 'SIGKILL', 139: 'SIGSEGV', 143: 'SIGTERM' };

/** A service as a container that was started. */
export class ContainerService implements Service {
  readonly host = '127.0.0.1';
  readonly id: string;
  readonly port: number;
  readonly exited: Promise<ExitReason>;
  readonly #options: ContainerOptions;
  #logs: Promise<void>;

  constructor(options: ContainerOptions) {
    this.#options = options;
    this.id = options.id;
    this.port = options.port;
    this.#logs = this.#followLogs();
    this.exited = this.#wait();
  }

  async stop(graceMs: number): Promise<void> {
    const { engine, containerId } = this.#options;
    const signal = (name: string) => engine.call(`/containers/${containerId}/kill`, { method: 'POST', query: { signal: name } }).catch(() => {});
    await signal('SIGTERM');
    const late = sleep(graceMs, 'late', { ref: false });
    if ((await Promise.race([this.exited, late])) === 'late') await signal('SIGKILL');
    await this.exited;
  }

  async memoryBytes(): Promise<number | undefined> {
    const { engine, containerId } = this.#options;
    const { memory_stats: memory } = await engine.call<Stats>(`/containers/${containerId}/stats`, { query: { stream: false, 'one-shot': true } });
    if (memory?.usage === undefined) return undefined;
    // What the kernel may take back at once is not counted, as `docker stats` does not.
    return Math.max(0, memory.usage - (memory.stats?.total_inactive_file ?? memory.stats?.inactive_file ?? 0));
  }

  async #followLogs(): Promise<void> {
    const { engine, containerId, onLine } = this.#options;
    try {
      await demultiplex(await engine.stream(`/containers/${containerId}/logs`, { query: { follow: true, stdout: true, stderr: true } }), onLine);
    } catch (error) {
      onLine(`the log could not be followed (${messageOf(error)})`, 'binnacle');
    }
  }

  async #wait(): Promise<ExitReason> {
    const { engine, containerId, memoryMiB, onGone } = this.#options;
    let reason: ExitReason | undefined;
    for (let failures = 0; reason === undefined; ) {
      try {
        await engine.call(`/containers/${containerId}/wait`, { method: 'POST' });
        const { State } = await engine.call<Inspected>(`/containers/${containerId}/json`);
        if (State.OOMKilled) reason = { kind: 'memory', limitMiB: memoryMiB };
        else if (SIGNALS[State.ExitCode] !== undefined) reason = { kind: 'signal', signal: SIGNALS[State.ExitCode] as string };
        else reason = { kind: 'exit', code: State.ExitCode };
      } catch (error) {
        if (error instanceof EngineError && error.status === 404) reason = { kind: 'lost', why: 'its container was removed by somebody' };
        // An engine that restarts may keep its containers running.
        else if (++failures > 30) reason = { kind: 'lost', why: `Docker no longer answers (${messageOf(error)})` };
        else await sleep(1000, undefined, { ref: false });
      }
    }
    await Promise.race([this.#logs, sleep(2000, undefined, { ref: false })]);
    await engine.call(`/containers/${containerId}`, { method: 'DELETE', query: { force: true, v: true } }).catch(() => {});
    await onGone();
    return reason;
  }
}
