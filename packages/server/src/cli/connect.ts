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
  const remote = (url: string): Connection => ({
    client: createClient({ baseUrl: url, ...(token === undefined ? {} : { token }) }),
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
    if (owner?.url) return remote(owner.url);
  }
  const explicit = flags.data !== undefined || process.env.BINNACLE_DATA !== undefined;
  const local = `http://127.0.0.1:${DEFAULT_PORT}`;
  if (!explicit && (await answers(local))) return remote(local);

  const { startApp } = await import('../compose.ts');
  const app = await startApp({ ...config, host: '127.0.0.1', port: 0, logLevel: 'warn', token: undefined });
  started();
  say(dim(`no server is running: working on ${config.dataDir} directly`));
  return { client: createClient({ baseUrl: app.url }), url: app.url, close: () => app.stop() };
}

async function answers(url: string): Promise<boolean> {
  try {
    const reply = await fetch(`${url}/api/binnacle/v1/info`, { signal: AbortSignal.timeout(500) });
    return reply.ok && ((await reply.json()) as { name?: string }).name === 'binnacle';
  } catch {
    return false;
  }
}
