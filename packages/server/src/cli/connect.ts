import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, createClient } from '@binnacle/sdk';
import { type ConfigInput, DEFAULT_PORT, loadConfig } from '../config/index.ts';
import { started } from './lean-start.ts';
import { dim, say } from './output.ts';

export interface Connection {
  client: Client;
  url: string;
  close(): Promise<void>;
}

export interface ConnectFlags {
  url?: string | undefined;
  data?: string | undefined;
  token?: string | undefined;
}

/**
 * Where a command's requests go: `--url` or BINNACLE_URL; else the server that holds the data directory; else one that answers on the
 * default port (unless a directory was named); else one started in this process for the command's own duration.
 */
export async function connect(flags: ConnectFlags): Promise<Connection> {
  const token = flags.token ?? process.env.BINNACLE_TOKEN;
  const remote = (url: string, own = token): Connection => ({
    client: createClient({ baseUrl: url, ...(own === undefined ? {} : { token: own }) }),
    url,
    close: async () => {},
  });
  const named = flags.url ?? (flags.data === undefined ? process.env.BINNACLE_URL : undefined);
  if (named !== undefined && named !== '') return remote(named.replace(/\/+$/, ''));

  const input: ConfigInput = { ...(flags.data === undefined ? {} : { data: flags.data }), ...(token === undefined ? {} : { token }) };
  const config = await loadConfig(input);
  const { isLocked, readOwner } = await import('../compose/data-dir.ts');
  if (isLocked(config.dataDir)) {
    const owner = readOwner(config.dataDir);
    if (owner?.url) return remote(owner.url, token ?? readOwnToken(config.dataDir, owner.url));
  }
  const explicit = flags.data !== undefined || process.env.BINNACLE_DATA !== undefined;
  const local = `http://127.0.0.1:${DEFAULT_PORT}`;
  if (!explicit && (await answers(local))) return remote(local);

  const { startApp } = await import('../compose.ts');
  // Loopback is open to every user of the machine; the data directory is not.
  const own = config.token ?? randomBytes(32).toString('base64url');
  const app = await startApp({ ...config, host: '127.0.0.1', port: 0, grpcPort: undefined, logLevel: 'warn', token: own });
  const file = join(config.dataDir, OWN_TOKEN);
  try {
    await rm(file, { force: true });
    await writeFile(file, JSON.stringify({ url: app.url, token: own }), { mode: 0o600, flag: 'wx' });
  } catch {
    // Other commands on this directory must then wait for this one, or be given the token.
  }
  started();
  say(dim(`no server is running: working on ${config.dataDir} directly`));
  return {
    client: createClient({ baseUrl: app.url, token: own }),
    url: app.url,
    async close() {
      await rm(file, { force: true });
      await app.stop();
    },
  };
}

/** How commands that run beside each other on one data directory find the token of the one that holds it; readable by their user only. */
const OWN_TOKEN = 'owner.token';

function readOwnToken(dataDir: string, url: string): string | undefined {
  try {
    const own = JSON.parse(readFileSync(join(dataDir, OWN_TOKEN), 'utf8')) as { url?: unknown; token?: unknown };
    // One that a killed command left is for another port.
    return own.url === url && typeof own.token === 'string' ? own.token : undefined;
  } catch {
    return undefined;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const reply = await fetch(`${url}/api/binnacle/v1/info`, { signal: AbortSignal.timeout(500) });
    return reply.ok && ((await reply.json()) as { name?: string }).name === 'binnacle';
  } catch {
    return false;
  }
}
