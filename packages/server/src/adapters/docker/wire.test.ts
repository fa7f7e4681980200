import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { demultiplex } from './demultiplex.ts';
import { followProgress } from './engine.ts';
import { tarOf } from './tar.ts';

const frame = (stream: number, text: string): Buffer => {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
};

it.each([1, 3, 7, 1000])('reads a container’s output by lines, in pieces of %i bytes', async (size) => {
  const all = Buffer.concat([frame(1, 'one\ntw'), frame(2, 'Traceback\r\n'), frame(1, 'o ü'), frame(1, ''), frame(1, '\nlast')]);
  const pieces = Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
  const lines: string[] = [];
  await demultiplex(Readable.from(pieces), (text, source) => lines.push(`${source} ${text}`));
  expect(lines).toEqual(['stdout one', 'stderr Traceback', 'stdout two ü', 'stdout last']);
});

it('tells of a build, and throws what failed in it', async () => {
  const said: string[] = [];
  const messages = [
    '{"stream":"Step 1\\n"}\r\n{"status":"Downloading","id":"a","progressDetail":{"cur',
    'rent":1,"total":9}}\n{"status":"Done","id":"a"}\n',
    '{"error":"pip failed"}',
  ];
  const follow = followProgress(Readable.from(messages.map((text) => Buffer.from(text))) as IncomingMessage, (text) => said.push(text));
  await expect(follow).rejects.toThrow('pip failed');
  expect(said).toEqual(['Step 1', 'a: Done']);
});

it('writes an archive that tar reads', () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-tar-'));
  try {
    const files = { Dockerfile: 'FROM x\n', 'requirements.txt': 'ü\n'.repeat(400), 'constraints.txt': '' };
    writeFileSync(join(dir, 'a.tar'), tarOf(files));
    execFileSync('tar', ['-C', dir, '-xf', join(dir, 'a.tar')]);
    for (const [name, text] of Object.entries(files)) expect(readFileSync(join(dir, name), 'utf8')).toBe(text);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
