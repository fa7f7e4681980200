import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './support/server.ts';

const server = fileURLToPath(new URL('..', import.meta.url));
const npm = (args: string[], cwd: string) =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', npm_config_onnxruntime_node_install: 'skip' },
  });

it('the packed server installs into an empty folder and npx binnacle up runs there, interface included', async () => {
  const folder = temporaryFolder('pack');
  npm(['pack', '--pack-destination', folder], server);
  const [tarball] = readdirSync(folder);
  expect(tarball).toMatch(/^binnacle-.*\.tgz$/);
  const app = temporaryFolder('app');
  npm(['init', '-y'], app);
  npm(['install', join(folder, String(tarball))], app);
  // Built JavaScript only: Node refuses to strip types under node_modules.
  const files = execFileSync('tar', ['tzf', join(folder, String(tarball))], { encoding: 'utf8' }).split('\n');
  expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([]);
  expect(files).toContain('package/LICENSE');

  const child = spawn('npx', ['binnacle', 'up', '--data', join(app, 'data'), '--port', '0'], {
    cwd: app,
    env: { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env.PATH}` },
    detached: true,
  });
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  try {
    while (!said.includes('/ui/') && child.exitCode === null) await Promise.race([once(child.stderr, 'data'), once(child, 'exit')]);
    const url = /http:\/\/[\d.]+:\d+/.exec(said)?.[0];
    expect(url, said).toBeDefined();
    expect(await (await fetch(`${url}/health`)).text()).toBe('OK');
    expect(await (await fetch(`${url}/ui/`)).text()).toContain('<div id="root">');
    expect((await fetch(`${url}/api/binnacle/v1/experiments`)).status).toBe(200);
    // The SDK's part for Node is inside, too.
    expect(JSON.parse(execFileSync('npx', ['binnacle', 'sync', folder, '--json', '--url', String(url)], { cwd: app, encoding: 'utf8' }))).toEqual({ runs: [] });
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
  }
});
