import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { checkJsonDepth } from './json-depth.ts';

const dir = mkdtempSync(join(tmpdir(), 'binnacle-depth-'));
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(dir, name), content);
  return join(dir, name);
};
const nested = (n: number) => `{"a":${'['.repeat(n)}${']'.repeat(n)}}\n`;

it('what nests within reason passes, brackets in texts and broken lines included', async () => {
  const lines = `${nested(199)}{"a":"${'['.repeat(1000)}\\"${'{'.repeat(1000)}"}\n${'['.repeat(150)}\n${'{'.repeat(150)}\n"${'['.repeat(500)}\n${nested(1)}`;
  await expect(checkJsonDepth(file('fine.jsonl', lines))).resolves.toBeUndefined();
  await expect(checkJsonDepth(file('broken.jsonl.gz', 'no gzip'))).resolves.toBeUndefined();
});

it('a line that nests without end is named, packed or not, within the lines asked for', async () => {
  const lines = nested(3) + nested(300_000);
  for (const path of [file('deep.jsonl', lines), file('deep.jsonl.gz', gzipSync(lines)), file('deep.jsonl.zst', zstdCompressSync(lines))]) {
    await expect(checkJsonDepth(path)).rejects.toMatchObject({ kind: 'invalid', code: 'table_too_deep', details: { line: 2 } });
    await expect(checkJsonDepth(path, 1)).resolves.toBeUndefined();
  }
});
