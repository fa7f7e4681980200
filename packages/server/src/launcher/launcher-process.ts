import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { LauncherMessage, LaunchRequest } from './messages.ts';

/** The launcher: starts what it is told to, hands over the pipes, reports the ends. It ends with the server. */
const tell = (message: LauncherMessage, pipe?: Socket): void => {
  if (process.connected) process.send?.(message, pipe, {}, () => {});
};

/** A socket begins to read at once. What it got here would be lost to the server, so it stops before the event loop has had a turn. */
const stopReading = (pipe: Socket): void => (pipe as unknown as { _handle: { readStop(): void } })._handle.readStop();

function start({ program, argv, options }: LaunchRequest): ChildProcess {
  const { env, cwd, detached, stdio } = options;
  return spawn(program, argv, {
    env,
    stdio: [...stdio],
    ...(cwd === undefined ? {} : { cwd }),
    ...(detached === undefined ? {} : { detached }),
  });
}

process.on('message', (request: LaunchRequest) => {
  const { id } = request;
  const refuse = (error: NodeJS.ErrnoException): void => tell({ id, error: error.message, code: error.code });
  try {
    const child = start(request);
    if (child.pid === undefined) {
      child.once('error', refuse);
      return;
    }
    child.once('exit', (code, signal) => tell({ id, exit: { code, signal } }));
    const pipes = child.stdio as (Socket | null)[];
    for (const pipe of pipes) if (pipe !== null) stopReading(pipe);
    pipes.forEach((pipe, place) => {
      if (pipe !== null) tell({ id, pipe: place }, pipe);
    });
    tell({ id, pid: child.pid });
  } catch (error) {
    refuse(error as NodeJS.ErrnoException);
  }
});
process.once('disconnect', () => process.exit(0));
// What ends a whole group of processes first lets the server drain what these still do.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
