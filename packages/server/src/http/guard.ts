import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type BinnacleError, denied } from '../kernel/index.ts';

export interface GuardOptions {
  /** The address that the server listens on. */
  host: string;
  token: string | undefined;
  allowedHosts: string[];
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');
/** The cookie that carries the token for the web interface. */
export const TOKEN_COOKIE = 'binnacle_token';
/** Probes that a load balancer sends without credentials. */
const OPEN_PATHS = new Set(['/health', '/ping', '/v2/health/live', '/v2/health/ready']);

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
/** Compares without telling by its time how much was right. */
export const sameToken = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected));
const hostName = (header: string): string => header.replace(/:\d+$/, '').toLowerCase();

/** What the guard looks at of a request, whatever carried it. */
export type GuardedRequest = Pick<IncomingMessage, 'method' | 'headers'>;

/**
 * Checks Host (against DNS rebinding), Origin (against other sites' scripts) and the token, before any front-end sees the request.
 * `open` requests need no token. Returns the refusal, or undefined.
 */
export function createGuard(options: GuardOptions): (request: GuardedRequest, path: string, open?: boolean) => BinnacleError | undefined {
  const expected = options.token;
  const hosts = new Set([...LOOPBACK, options.host.toLowerCase(), ...options.allowedHosts.map((h) => h.toLowerCase())]);
  const checkHost = isLoopback(options.host) || options.allowedHosts.length > 0;
  return (request, path, open = OPEN_PATHS.has(path)) => {
    const { host, origin } = request.headers;
    if (checkHost && host !== undefined && !hosts.has(hostName(host)))
      return denied(
        'host_not_allowed',
        `This server does not answer to the host name ${hostName(host)}. Use localhost, or start it with --allowed-host ${hostName(host)}.`,
      );
    if (origin !== undefined && request.method !== 'GET' && request.method !== 'HEAD' && !sameHost(origin, host))
      return denied('origin_not_allowed', `Requests that change something are refused from pages of another origin (${origin}).`);
    if (expected === undefined || open) return undefined;
    const given = readToken(request);
    if (given === undefined || !sameToken(given, expected))
      return denied(
        'unauthenticated',
        'A token is required: send "Authorization: Bearer <token>" (MLFLOW_TRACKING_TOKEN for the mlflow client, BINNACLE_TOKEN for ours).',
      );
    return undefined;
  };
}

/** "null" is nobody's own: what a sandboxed frame or a file on disk sends, which any site can make its visitor's browser open. */
function sameHost(origin: string, host: string | undefined): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

/** Bearer, Basic (the password is the token), or the interface's cookie. */
export function readToken(request: GuardedRequest): string | undefined {
  const header = request.headers.authorization;
  if (header?.startsWith('Bearer ')) return header.slice(7).trim();
  if (header?.startsWith('Basic ')) {
    const [, ...password] = Buffer.from(header.slice(6), 'base64').toString('utf8').split(':');
    return password.join(':');
  }
  for (const part of request.headers.cookie?.split(';') ?? []) {
    const [name, value] = part.trim().split('=');
    if (name === TOKEN_COOKIE && value !== undefined) return decode(value);
  }
  return undefined;
}

/** Anybody may send any cookie, and what is thrown here ends the process. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
