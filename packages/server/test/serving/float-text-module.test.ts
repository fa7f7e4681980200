import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../../..');

it('the committed WebAssembly is what its source makes', { timeout: 60_000 }, () => {
  const made = execFileSync(process.execPath, [join(root, 'scripts/float-text.mjs'), '--print'], { encoding: 'utf8' });
  expect(made).toBe(readFileSync(join(root, 'packages/server/src/serving/float-text/module.ts'), 'utf8'));
});
