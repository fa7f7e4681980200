import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { siblingModule } from '../kernel/index.ts';
import type { LauncherMessage, LaunchRequest } from './messages.ts';
import type { LaunchOptions, Program, ProgramExit } from './program.ts';

interface Call {
  pipes: (Socket | undefined)[];
  detached: boolean;
  started: PromiseWithResolvers<Program>;
  ended: PromiseWithResolvers<ProgramExit>;
  pid?: number;
}

/** A small process that starts others. What it has started ends with it. */
export class Launcher {
  readonly #process: ChildProcess;
  readonly #calls = new Map<number, Call>();
  #sequence = 0;
  #lost: Error | undefined;

  constructor() {
    const argv = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1', fileURLToPath(siblingModule('./launcher-process', import.meta.url))];
    // In a session of its own: Ctrl-C in the terminal ends the server, and the server ends its models once they have answered.
    const { LD_LIBRARY_PATH: libraries } = process.env;
    this.#process = spawn(process.execPath, argv, {
      env: libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries },
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#process.on('message', (message: LauncherMessage, socket) => this.#received(message, socket as Socket | undefined));
    this.#process.once('error', (error) => this.#lose(error));
    this.#process.once('exit', (code, signal) => this.#lose(new Error(`the process that starts programs has ended (${signal ?? `exit code ${code}`})`)));
    this.#process.once('disconnect', () => this.#process.kill('SIGKILL'));
    this.#process.unref();
    this.#process.channel?.unref();
  }

  get alive(): boolean {
    return this.#lost === undefined;
  }
  /** For tests. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  launch(program: string, argv: readonly string[], options: LaunchOptions): Promise<Program> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const id = ++this.#sequence;
    const call: Call = {
      pipes: options.stdio.map(() => undefined),
      detached: options.detached ?? false,
      started: Promise.withResolvers(),
      ended: Promise.withResolvers(),
    };
    // As a child of our own would: it keeps the server from ending before it.
    if (this.#calls.size === 0) this.#process.channel?.ref();
    this.#calls.set(id, call);
    // Without a channel, and after a failure, comes the error or the end of the launcher, which says so.
    if (this.#process.connected) this.#process.send({ id, program, argv, options } satisfies LaunchRequest, () => {});
    return call.started.promise;
  }

  #received(message: LauncherMessage, socket: Socket | undefined): void {
    const { id } = message;
    const call = this.#calls.get(id);
    if (call === undefined) return void socket?.destroy();
    if ('pipe' in message) call.pipes[message.pipe] = socket?.on('error', () => {});
    else if ('pid' in message) {
      call.pid = message.pid;
      call.started.resolve(this.#program(id, call, message.pid));
    } else {
      this.#forget(id);
      if ('exit' in message) call.ended.resolve(message.exit);
      else call.started.reject(Object.assign(new Error(message.error), { code: message.code }));
    }
  }

  #program(id: number, { pipes, ended }: Call, pid: number): Program {
    return {
      pid,
      pipes,
      exited: ended.promise,
      kill: (signal) => {
        if (this.#calls.has(id)) send(pid, signal);
      },
    };
  }

  #forget(id: number): void {
    this.#calls.delete(id);
    if (this.#calls.size === 0) this.#process.channel?.unref();
  }

  /** Nobody would learn of the end of what it has started. */
  #lose(error: Error): void {
    this.#lost ??= error;
    for (const [id, call] of this.#calls) {
      this.#forget(id);
      if (call.pid !== undefined) send(call.detached ? -call.pid : call.pid, 'SIGKILL');
      for (const pipe of call.pipes) if (call.pid === undefined) pipe?.destroy();
      call.started.reject(error);
      call.ended.resolve({ code: null, signal: 'SIGKILL' });
    }
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
