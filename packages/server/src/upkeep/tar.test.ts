import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readTar, TAR_END, tarHeader, tarPadding } from './tar.ts';

const FILES: [string, Buffer][] = [
  ['a.txt', Buffer.from('one')],
  ['empty', Buffer.alloc(0)],
  [`long/${'x'.repeat(120)}/ü\u{1f600}`, Buffer.alloc(513, 7)],
  ['block', Buffer.alloc(512, 1)],
];
const archive = () => Buffer.concat([...FILES.flatMap(([path, body]) => [tarHeader(path, body.length, 1e12), body, tarPadding(body.length)]), TAR_END]);

async function* inPieces(bytes: Buffer, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function whole(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
async function contents(bytes: Buffer, size: number) {
  const found: [string, Buffer][] = [];
  for await (const { path, body } of readTar(inPieces(bytes, size))) found.push([path, await whole(body)]);
  return found;
}

it.each([1, 100, 512, 5000])('is read as it was written, in pieces of %i bytes', async (size) => {
  expect(await contents(archive(), size)).toEqual(FILES);
});

it('is unpacked by tar', () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-tar-'));
  writeFileSync(join(dir, 'a.tar'), archive());
  execFileSync('tar', ['-xf', 'a.tar'], { cwd: dir });
  for (const [path, body] of FILES) expect(readFileSync(join(dir, path))).toEqual(body);
});

it('skips what was not read of a file', async () => {
  const paths: string[] = [];
  for await (const { path } of readTar(inPieces(archive(), 300))) paths.push(path);
  expect(paths).toEqual(FILES.map(([path]) => path));
});

it('refuses one that was cut off, damaged, or is something else', async () => {
  await expect(contents(archive().subarray(0, -1024), 512)).rejects.toMatchObject({ code: 'backup_cut_off' });
  await expect(contents(archive().subarray(0, 700), 512)).rejects.toMatchObject({ code: 'backup_cut_off' });
  const damaged = archive();
  damaged[3] = 0xff;
  await expect(contents(damaged, 512)).rejects.toMatchObject({ code: 'backup_unreadable' });
  await expect(contents(Buffer.alloc(2000, 'PK'), 512)).rejects.toMatchObject({ code: 'backup_unreadable' });
});
