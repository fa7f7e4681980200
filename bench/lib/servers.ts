import { mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { SERVER } from './cores.ts';
import { BINNACLE_MAIN, PYTHON, script } from './paths.ts';
import { freePort, freePorts, type Running, start, untilHealthy } from './process.ts';

export interface Server extends Running {
  url: string;
  port: number;
  /** Spawn to the first 200 of the health route, milliseconds. */
  readyMs: number;
}

export interface ServerOptions {
  /** Where its data lives; made when missing. */
  dir: string;
  cores?: string | undefined;
  args?: string[] | undefined;
  env?: Record<string, string> | undefined;
  pollMs?: number | undefined;
}

export async function launch(
  program: string,
  args: string[],
  port: number,
  health: string,
  options: ServerOptions,
  env: Record<string, string> = {},
  cwd?: string,
): Promise<Server> {
  const running = start(program, args, { cores: options.cores ?? SERVER, logFile: join(options.dir, 'server.log'), env: { ...env, ...options.env }, cwd });
  const url = `http://127.0.0.1:${port}`;
  try {
    const readyMs = await untilHealthy(running, `${url}${health}`, 180_000, options.pollMs);
    return { ...running, url, port, readyMs };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** Binnacle as built: `node dist/main.js up`, its defaults (SQLite with synchronous=FULL, monitoring on), warnings only in the log. */
export async function startBinnacle(options: ServerOptions & { main?: string | undefined; node?: string[] | undefined }): Promise<Server> {
  mkdirSync(options.dir, { recursive: true });
  const port = await freePorts();
  const argv = [
    '--disable-warning=ExperimentalWarning',
    ...(options.node ?? []),
    options.main ?? BINNACLE_MAIN,
    'up',
    '--data',
    join(options.dir, 'data'),
    '--port',
    String(port),
    '--log-level',
    'warn',
    ...(options.args ?? []),
  ];
  return await launch(process.execPath, argv, port, '/health', options);
}

/** The environment's programs come first in PATH, as after `activate`: mlflow starts uvicorn by name. */
const MLFLOW_ENV = { MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true', PATH: `${dirname(PYTHON)}${delimiter}${process.env.PATH ?? ''}` };
const MLFLOW = ['-W', 'ignore', '-m', 'mlflow'];

/** `mlflow server` on a database by its URI (SQLite as it opens it: rollback journal, synchronous=FULL). The database stays; artifacts go to the server's own folder. */
export async function startMlflow(options: ServerOptions & { database: string; workers?: number; jobs?: boolean }): Promise<Server> {
  mkdirSync(options.dir, { recursive: true });
  const port = await freePort();
  const workers = options.workers === undefined ? [] : ['--workers', String(options.workers)];
  const argv = [
    ...MLFLOW,
    'server',
    '--backend-store-uri',
    options.database,
    '--artifacts-destination',
    join(options.dir, 'artifacts'),
    '--port',
    String(port),
    ...workers,
    ...(options.args ?? []),
  ];
  // The job runner (GenAI evaluation jobs) costs seven processes and nothing that is measured here needs it.
  const jobs: Record<string, string> = options.jobs === false ? { MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' } : {};
  return await launch(PYTHON, argv, port, '/health', options, { ...MLFLOW_ENV, ...jobs }, options.dir);
}

/** `mlflow models serve` in this environment, one uvicorn worker (its default). */
export async function startMlflowModel(options: ServerOptions & { model: string }): Promise<Server> {
  mkdirSync(options.dir, { recursive: true });
  const port = await freePort();
  const argv = [...MLFLOW, 'models', 'serve', '-m', options.model, '--env-manager', 'local', '--workers', '1', '--port', String(port)];
  return await launch(PYTHON, argv, port, '/ping', options, MLFLOW_ENV, options.dir);
}

/** The hand-written server of bench/python/fastapi_app.py: uvicorn, one worker, no access log. */
export async function startFastApi(options: ServerOptions & { model: string; app?: string }): Promise<Server> {
  mkdirSync(options.dir, { recursive: true });
  const port = await freePort();
  const argv = [
    '-m',
    'uvicorn',
    `${options.app ?? 'fastapi_app'}:app`,
    '--app-dir',
    join(script('fastapi_app.py'), '..'),
    '--port',
    String(port),
    '--workers',
    '1',
    '--no-access-log',
    '--log-level',
    'warning',
  ];
  return await launch(PYTHON, argv, port, '/health', options, { MODEL: options.model }, options.dir);
}
