import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSecret } from './secret.ts';

const dir = mkdtempSync(join(tmpdir(), 'binnacle-secrets-'));
const outside = join(mkdtempSync(join(tmpdir(), 'binnacle-outside-')), 'key');
writeFileSync(outside, 'hunter2');
writeFileSync(join(dir, 'token'), ' s3cret \n');
symlinkSync(outside, join(dir, 'link'));
const env: NodeJS.ProcessEnv = { BINNACLE_REMOTE_TOKEN_A: 'abc', AWS_SECRET_ACCESS_KEY: 'hunter2' };

it('a variable that was put aside for it, and a file of the folder, read anew when asked', async () => {
  const variable = await openSecret('env:BINNACLE_REMOTE_TOKEN_A', { env, secretsDir: undefined });
  expect(variable.value).toBe('abc');
  const file = await openSecret(`file:${dir}/token`, { env, secretsDir: dir });
  expect(file.value).toBe('s3cret');
  writeFileSync(join(dir, 'token'), 'rotated');
  await file.refresh();
  expect(file.value).toBe('rotated');
});

it.each([
  ['env:AWS_SECRET_ACCESS_KEY', 'remote_token_refused'],
  ['env:BINNACLE_TOKEN', 'remote_token_refused'],
  ['env:BINNACLE_REMOTE_TOKEN_B', 'remote_token_missing'],
  [`file:${outside}`, 'remote_token_refused'],
  [`file:${dir}/../${outside.split('/').slice(-2).join('/')}`, 'remote_token_refused'],
  [`file:${dir}/link`, 'remote_token_refused'],
  [`file:${dir}/none`, 'remote_token_missing'],
])('%s is %s', async (reference, code) => {
  const error = await openSecret(reference, { env, secretsDir: dir }).catch((e: unknown) => e);
  expect(error).toMatchObject({ code });
  expect(String(error)).not.toContain('hunter2');
});

it('without a folder no file is a token', async () => {
  await expect(openSecret(`file:${dir}/token`, { env, secretsDir: undefined })).rejects.toMatchObject({ code: 'remote_token_refused' });
});
