import { type IncomingMessage, request } from 'node:http';
import { BinnacleError, messageOf, unavailable } from '../../kernel/index.ts';

/** What the engine answered that was no success. */
export class EngineError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface EngineRequest {
  method?: 'GET' | 'POST' | 'DELETE';
  query?: Record<string, string | number | boolean>;
  json?: unknown;
  tar?: Buffer;
  signal?: AbortSignal;
}

/** Docker's Engine API over its Unix socket (https://docs.docker.com/reference/api/engine/), as far as it is needed here. */
export interface Engine {
  /** Throws EngineError for a status of 300 and more, `unavailable` (docker_missing) when nobody listens. */
  call<T = unknown>(path: string, options?: EngineRequest): Promise<T>;
  /** The answer as it comes. */
  stream(path: string, options?: EngineRequest): Promise<IncomingMessage>;
}

const MAX_ANSWER = 16 * 1024 * 1024;
/** Docker 18.09 and later, and Podman, speak it; engines refuse those that they have left behind, so it is asked for first. */
const OLDEST = '1.40';

export const socketOf = (dockerHost: string | undefined): string | undefined => {
  if (dockerHost === undefined || dockerHost === '') return '/var/run/docker.sock';
  return dockerHost.startsWith('unix://') ? dockerHost.slice('unix://'.length) : undefined;
};

/** `socketPath`: undefined when DOCKER_HOST names an engine that is not on this machine. */
export function createEngine(socketPath: string | undefined): Engine {
  let version: Promise<string> | undefined;

  async function stream(path: string, options: EngineRequest = {}): Promise<IncomingMessage> {
    version ??= negotiate(options.signal).catch((error: unknown) => {
      version = undefined;
      throw error;
    });
    return send(`/v${await version}${path}`, options);
  }

  async function negotiate(signal: AbortSignal | undefined): Promise<string> {
    const { ApiVersion = OLDEST, MinAPIVersion = OLDEST } = await readJson<{ ApiVersion?: string; MinAPIVersion?: string }>(
      await send('/version', signal === undefined ? {} : { signal }),
    );
    const number = (text: string): number => Number(text.split('.')[1] ?? 0);
    if (number(ApiVersion) < number(OLDEST))
      throw unavailable('docker_too_old', `Docker's API ${ApiVersion} is too old; ${OLDEST} (Docker 19.03) and later are known. Update Docker.`);
    return number(MinAPIVersion) > number('1.44') ? MinAPIVersion : number(ApiVersion) < number('1.44') ? ApiVersion : '1.44';
  }

  function send(path: string, { method = 'GET', query, json, tar, signal }: EngineRequest): Promise<IncomingMessage> {
    if (socketPath === undefined)
      return Promise.reject(
        unavailable('docker_missing', 'DOCKER_HOST names no Unix socket. Containers run on this machine: unset it, or set it to unix:///path/of/docker.sock.'),
      );
    const search = query === undefined ? '' : `?${new URLSearchParams(Object.entries(query).map(([key, value]): [string, string] => [key, `${value}`]))}`;
    const body = tar ?? (json === undefined ? undefined : Buffer.from(JSON.stringify(json)));
    const headers = {
      host: 'docker',
      ...(body === undefined ? {} : { 'content-type': tar === undefined ? 'application/json' : 'application/x-tar', 'content-length': body.length }),
    };
    return new Promise((resolve, reject) => {
      const call = request({ socketPath, path: `${path}${search}`, method, headers, agent: false, ...(signal === undefined ? {} : { signal }) }, (response) => {
        if ((response.statusCode ?? 500) < 300) return resolve(response);
        readText(response).then((text) => reject(new EngineError(response.statusCode ?? 500, complaintOf(text))), reject);
      });
      call.once('error', (error: NodeJS.ErrnoException) =>
        reject(['ENOENT', 'ECONNREFUSED', 'EACCES'].includes(error.code ?? '') ? missing(socketPath, error) : error),
      );
      call.end(body);
    });
  }

  return { call: async <T>(path: string, options?: EngineRequest) => readJson<T>(await stream(path, options)), stream };
}

function missing(socketPath: string, error: NodeJS.ErrnoException): BinnacleError {
  const why =
    error.code === 'EACCES' ? `this user may not use Docker's socket ${socketPath} (add it to the group docker)` : `no Docker answers at ${socketPath}`;
  return unavailable(
    'docker_missing',
    `Python models run in containers, and ${why}. Install and start Docker (https://docs.docker.com/engine/install, or Debian's docker.io), or, where you trust the models' authors, allow processes on this machine with --python environment.`,
    { cause: error },
  );
}

function complaintOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text;
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER) throw new Error("Docker's answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function readJson<T>(response: IncomingMessage): Promise<T> {
  const text = await readText(response);
  try {
    return (text === '' ? undefined : JSON.parse(text)) as T;
  } catch (error) {
    throw new Error(`Docker's answer is no JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** Messages of a build or a pull, a JSON object a line. Throws an Error with the message of one that says that it failed. */
export async function followProgress(response: IncomingMessage, onLine: (text: string) => void): Promise<void> {
  let rest = '';
  let failed: string | undefined;
  const take = (line: string): void => {
    if (line.trim() === '') return;
    const message = JSON.parse(line) as { stream?: string; status?: string; id?: string; progressDetail?: { total?: number }; error?: string };
    if (message.error !== undefined) failed = message.error;
    // Layers on their way say so many times a second.
    else if (message.stream !== undefined) for (const part of message.stream.split('\n')) if (part.trim() !== '') onLine(part);
    if (message.status !== undefined && message.progressDetail?.total === undefined)
      onLine(message.id === undefined ? message.status : `${message.id}: ${message.status}`);
  };
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  }
  take(rest);
  if (failed !== undefined) throw new Error(failed);
}
