import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, totalmem } from 'node:os';
import { createClient } from '@binnacle/sdk';
import { loadConfig } from '../../config/index.ts';
import { messageOf } from '../../kernel/index.ts';
import { VERSION } from '../../version.ts';
import type { ConnectFlags } from '../connect.ts';
import { green, print, printJson, red, yellow } from '../output.ts';

interface Check {
  name: string;
  state: 'ok' | 'warning' | 'failed';
  message: string;
}

/** Looks at what a start needs, and whether a named server answers, without starting anything. Exit code 1 when something would fail. */
export async function doctor(options: ConnectFlags & { json?: true | undefined }): Promise<void> {
  const config = await loadConfig(options.data === undefined ? {} : { data: options.data });
  const { isLocked, lockDataDir, readOwner } = await import('../../compose/data-dir.ts');
  const checks: Check[] = [];
  const check = async (name: string, run: () => Promise<string | { warning: string }> | string | { warning: string }) => {
    try {
      const result = await run();
      checks.push(typeof result === 'string' ? { name, state: 'ok', message: result } : { name, state: 'warning', message: result.warning });
    } catch (error) {
      checks.push({ name, state: 'failed', message: messageOf(error) });
    }
  };
  await check('node', () => {
    if (Number(process.versions.node.split('.')[0]) < 24) throw new Error(`Node ${process.version} is too old: Binnacle needs 24 or newer.`);
    return `${process.version} on ${process.platform}-${process.arch}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  });
  const held = isLocked(config.dataDir);
  await check('data directory', () => {
    if (held) return { warning: `${config.dataDir} is held by the Binnacle at ${readOwner(config.dataDir)?.url ?? 'an unknown address'}` };
    lockDataDir(config.dataDir).release();
    return `${config.dataDir} can be written`;
  });
  await check('disk', async () => {
    const { bavail, bsize } = await statfs(config.dataDir);
    const free = (bavail * bsize) / 2 ** 30;
    return free < 1 ? { warning: `only ${free.toFixed(1)} GiB free` } : `${free.toFixed(0)} GiB free`;
  });
  const free = async (port: number, flag: string): Promise<string> => {
    if (held) return 'not checked: a server is running';
    await new Promise<void>((resolve, reject) => {
      const probe = createServer().once('error', () => reject(new Error(`port ${port} on ${config.host} is in use; use ${flag} N`)));
      probe.listen(port, config.host, () => probe.close(() => resolve()));
    });
    return `${config.host}:${port} is free`;
  };
  await check('port', () => free(config.port, '--port'));
  const { grpcPort } = config;
  if (grpcPort !== undefined) await check('gRPC port', () => free(grpcPort, '--grpc-port'));
  await check('Python models', async () => {
    const { describePython } = await import('../../compose/python.ts');
    // Without Docker all else works.
    return describePython(config).catch((error: unknown) => ({ warning: messageOf(error) }));
  });
  const url = options.url ?? process.env.BINNACLE_URL;
  if (url !== undefined && url !== '')
    await check('server', async () => {
      const token = options.token ?? process.env.BINNACLE_TOKEN;
      const client = createClient({ baseUrl: url, ...(token === undefined ? {} : { token }) });
      const info = await client.call('getInfo', { signal: AbortSignal.timeout(5000) });
      return info.version === VERSION
        ? `${url} answers, version ${info.version}`
        : { warning: `${url} answers with version ${info.version}, this is ${VERSION}` };
    });
  const { engines } = await import('../../compose/engines.ts');
  for (const { name, describe } of engines) await check(name, describe);
  if (options.json) printJson({ version: VERSION, checks });
  else
    for (const { name, state, message } of checks)
      print(`${state === 'ok' ? green('✓') : state === 'warning' ? yellow('!') : red('✗')} ${name.padEnd(16)} ${message}`);
  if (checks.some(({ state }) => state === 'failed')) process.exitCode = 1;
}
