import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ODD_NAMES } from '../protocols/differential/names.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import type { Json } from './crowd.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  expect(server.stderr()).not.toMatch(/"level":(50|60)/);
  await server.stop();
  rmSync(server.dataDir, { recursive: true, force: true });
});

/** What is no name of one file: a way up, a backslash. A slash makes folders, and empty ones and '.' vanish. */
const isRefused = (name: string) => /\\|(^|\/)\.\.(\/|$)/.test(decoded(name));
const decoded = (name: string) => name.replace(/%2e/gi, '.').replace(/%2f/gi, '/');

it.each(ODD_NAMES.map((name, i) => [name, i] as const))('a file named %j is kept under that name, or refused', async (name, i) => {
  const at = `${server.url}/api/2.0/mlflow-artifacts/artifacts`;
  const put = await fetch(`${at}/f${i}/${encodeURIComponent(name)}`, { method: 'PUT', body: name });
  // Without its own part the path names the folder, which is then a file.
  const kept = name.split('/').filter((part) => part !== '' && part !== '.');
  if (isRefused(name)) {
    expect([put.status, ((await put.json()) as Json).error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect((await (await fetch(`${at}?path=f${i}`)).json()) as Json).toEqual({ files: [] });
    return;
  }
  expect(put.status, await put.text()).toBe(200);
  if (kept.length === 0) return;
  const folder = ['', ...kept.slice(0, -1)].join('/');
  const { files } = (await (await fetch(`${at}?${new URLSearchParams({ path: `f${i}${folder}` })}`)).json()) as Json;
  expect(files).toEqual([{ path: kept.at(-1), is_dir: false, file_size: Buffer.byteLength(name) }]);
  expect(await (await fetch(`${at}/f${i}/${kept.map(encodeURIComponent).join('/')}`)).text()).toBe(name);
});
