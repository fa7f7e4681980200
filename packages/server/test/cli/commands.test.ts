import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { findFlights } from '../../src/cli/demo/locate.ts';
import { binnacle, startServer, temporaryFolder } from '../support/server.ts';

it('the demo finds the data that was installed into the current folder', () => {
  const folder = temporaryFolder('cwd');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '..'), join(folder, 'node_modules/vega-datasets'));
  expect(findFlights([join(folder, 'package.json')])).toMatch(/flights-3m\.parquet$/);
});

it('the demo keeps off the directory that a person works on', async () => {
  const cwd = temporaryFolder('cwd');
  const own = temporaryFolder();
  // A file where its directory should be: it fails at once, and tells where it wanted to go.
  writeFileSync(join(cwd, '.binnacle-demo'), '');
  const { code, stderr } = await binnacle(['demo', '--exit'], { cwd, env: { BINNACLE_DATA: own } });
  expect(code).toBe(1);
  expect(stderr).toContain(join(cwd, '.binnacle-demo'));
  expect(readdirSync(own)).toEqual([]);
});

it('doctor says whether the server that was named answers', async () => {
  const serverCheck = async (url: string) => {
    const { stdout } = await binnacle(['doctor', '--json', '--url', url, '--data', temporaryFolder()]);
    return (JSON.parse(stdout) as { checks: { name: string; state: string; message: string }[] }).checks.find((c) => c.name === 'server');
  };
  const server = await startServer();
  expect(await serverCheck(server.url)).toMatchObject({ state: 'ok' });
  await server.stop();
  expect(await serverCheck(server.url)).toMatchObject({ state: 'failed', message: expect.stringContaining(server.url) as string });
});

it('runs ls takes no limit below one', async () => {
  expect(await binnacle(['runs', 'ls', '--limit', '0', '--data', temporaryFolder()])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--limit') as string,
  });
});
