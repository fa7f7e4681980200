import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openFolderArtifactStore } from '../../src/adapters/fs/index.ts';
import { mapFsError } from '../../src/adapters/fs/errors.ts';
import { artifactStoreSuite } from '../ports/artifact-store.suite.ts';

artifactStoreSuite('on a folder', async () => {
  const root = mkdtempSync(join(tmpdir(), 'binnacle-fs-'));
  return {
    store: await openFolderArtifactStore({ root }),
    close: async () => rmSync(root, { recursive: true }),
  };
});

let outside: string;
let root: string;
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'binnacle-fs-'));
  root = join(outside, 'store');
  mkdirSync(root);
  writeFileSync(join(outside, 'secret'), 'secret');
});
afterEach(() => rmSync(outside, { recursive: true }));

it('symbolic links out of the root are neither read, written through, listed nor followed by delete', async () => {
  const store = await openFolderArtifactStore({ root });
  symlinkSync(join(outside, 'secret'), join(root, 'file-link'));
  symlinkSync(outside, join(root, 'folder-link'));
  await expect(store.open('file-link')).rejects.toMatchObject({
    kind: 'denied',
    code: 'artifact_symlink',
  });
  await expect(store.open('folder-link/secret')).rejects.toMatchObject({
    code: 'artifact_symlink',
  });
  await expect(store.materialize('folder-link/secret')).rejects.toMatchObject({
    code: 'artifact_symlink',
  });
  await expect(store.put('folder-link/new', Buffer.from('x'))).rejects.toMatchObject({ code: 'artifact_symlink' });
  await expect(store.list('folder-link')).rejects.toMatchObject({
    code: 'artifact_symlink',
  });
  await expect(store.delete('folder-link/secret')).rejects.toMatchObject({
    code: 'artifact_symlink',
  });
  expect(await store.list('')).toEqual([]);
  await store.put('file-link', Buffer.from('replaced'));
  await store.delete('folder-link');
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
});

it('the root itself may be a symbolic link', async () => {
  symlinkSync(root, join(outside, 'link'));
  const store = await openFolderArtifactStore({ root: join(outside, 'link') });
  await store.put('a', Buffer.from('x'));
  expect(existsSync(join(root, 'a'))).toBe(true);
});

it("a crashed process's unfinished uploads are invisible and gone after the next start", async () => {
  mkdirSync(join(root, '.uploads'));
  writeFileSync(join(root, '.uploads', 'half'), 'half a mod');
  const shared = await openFolderArtifactStore({ root, exclusive: false });
  expect(await shared.list('')).toEqual([]);
  expect(readdirSync(join(root, '.uploads'))).toEqual(['half']);
  utimesSync(join(root, '.uploads', 'half'), 0, 0);
  await openFolderArtifactStore({ root, exclusive: false });
  expect(readdirSync(join(root, '.uploads'))).toEqual([]);
  writeFileSync(join(root, '.uploads', 'half'), 'half a mod');
  await openFolderArtifactStore({ root });
  expect(readdirSync(join(root, '.uploads'))).toEqual([]);
});

it('an upload leaves nothing behind in the uploads folder, whether it succeeds or fails', async () => {
  const store = await openFolderArtifactStore({ root });
  await store.put('ok', Buffer.from('x'));
  await store.put('no', Buffer.alloc(100), { maxBytes: 5 }).catch(() => {});
  await store.put('ok/under-a-file', Buffer.from('x')).catch(() => {});
  expect(readdirSync(join(root, '.uploads'))).toEqual([]);
});

it.each([
  ['ENOSPC', 'exhausted', 'disk_full'],
  ['EDQUOT', 'exhausted', 'disk_full'],
  ['EACCES', 'denied', 'artifact_access'],
  ['EROFS', 'denied', 'artifact_access'],
  ['EMFILE', 'unavailable', 'too_many_files'],
])('%s becomes %s (%s) and names the artifact, not the machine', (code, kind, expected) => {
  const mapped = mapFsError(Object.assign(new Error(`${code}: /srv/data/x`), { code }), 'model/x') as Error;
  expect(mapped).toMatchObject({ kind, code: expected });
  expect(mapped.message).toContain('"model/x"');
  expect(mapped.message).not.toContain('/srv/data');
});
it('the memory of chunks that have been written is given back at once, and a body that is one piece stays whole', async () => {
  const store = await openFolderArtifactStore({ root });
  const chunks = Array.from({ length: 4 }, (_, i) => new Uint8Array(65_536).fill(i));
  await store.put('a/stream', Readable.from(chunks, { objectMode: true }));
  expect(chunks.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0, 0]);
  const whole = new Uint8Array(65_536).fill(7);
  await store.put('a/whole', whole);
  expect(whole).toEqual(new Uint8Array(65_536).fill(7));
  const { stream } = await store.open('a/stream');
  expect(Buffer.concat(await stream.toArray())).toEqual(Buffer.concat([0, 1, 2, 3].map((i) => Buffer.alloc(65_536, i))));
});

it('/dev/full: a full disk is said so', async () => {
  const mapped = await import('node:fs/promises').then(async ({ open }) => {
    const file = await open('/dev/full', 'w');
    return file
      .write(Buffer.from('x'))
      .then(
        () => undefined,
        (error: unknown) => mapFsError(error, 'x'),
      )
      .finally(() => file.close());
  });
  expect(mapped).toMatchObject({ kind: 'exhausted', code: 'disk_full' });
});

it('checksums lie out of reach, go with their files, survive a restart, and are unknown once they are damaged', async () => {
  const store = await openFolderArtifactStore({ root });
  await store.put('d/f', Buffer.from('x'));
  expect((await store.list('')).map(({ path }) => path)).toEqual(['d']);
  await expect(store.open('.checksums/d/f')).rejects.toMatchObject({ kind: 'invalid' });
  await expect(store.put('.checksums/d/f', Buffer.from('y'))).rejects.toMatchObject({ kind: 'invalid' });
  const kept = async () => {
    const { stream, sha256 } = await (await openFolderArtifactStore({ root })).open('d/f');
    stream.destroy();
    return sha256;
  };
  expect(await kept()).toBe('2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881');
  writeFileSync(join(root, '.checksums/d/f'), '2d711642b7');
  expect(await kept()).toBeNull();
  await store.delete('d');
  expect(existsSync(join(root, '.checksums/d'))).toBe(false);
});
