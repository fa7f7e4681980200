import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from './load.ts';

const empty = mkdtempSync(join(tmpdir(), 'binnacle-config-'));

it('a flag beats the environment, which beats the configuration file, which beats the default', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'binnacle-config-'));
  writeFileSync(join(cwd, 'binnacle.config.json'), JSON.stringify({ port: 1111, host: '127.0.0.2', maxQueue: 7 }));
  const config = await loadConfig({ port: 3333 }, { BINNACLE_PORT: '2222', BINNACLE_HOST: 'localhost' }, cwd);
  expect([config.port, config.host, config.serving.maxQueue, config.serving.threads]).toEqual([3333, 'localhost', 7, 1]);
});

it('a database comes from the flag, the variable or the file, and is SQLite when none names one', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'binnacle-config-'));
  writeFileSync(join(cwd, 'binnacle.config.json'), JSON.stringify({ database: { url: 'mysql://file/d' } }));
  const url = async (...[flags, env, folder]: Parameters<typeof loadConfig>) => (await loadConfig(flags, env, folder)).database.url;
  expect(await url({ database: 'postgres://flag/d' }, { BINNACLE_DATABASE: 'postgres://variable/d' }, cwd)).toBe('postgres://flag/d');
  expect(await url({}, { BINNACLE_DATABASE: 'postgres://variable/d' }, cwd)).toBe('postgres://variable/d');
  expect(await url({}, {}, cwd)).toBe('mysql://file/d');
  expect(await url({}, { BINNACLE_DATABASE: '' }, empty)).toBeUndefined();
});

it('a variable that is not a number is refused by its name', async () => {
  await expect(loadConfig({}, { BINNACLE_PORT: 'http' }, empty)).rejects.toThrow('BINNACLE_PORT=http is not a whole number');
});

it('a port out of range is refused', async () => {
  await expect(loadConfig({ port: 70000 }, {}, empty)).rejects.toThrow('port must be a whole number from 0 to 65535, not 70000');
});

it('a broken configuration file is named', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'binnacle-config-'));
  writeFileSync(join(cwd, 'binnacle.config.json'), '{');
  await expect(loadConfig({}, {}, cwd)).rejects.toThrow('binnacle.config.json could not be read');
});
