import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ArtifactStore } from '../../src/artifacts/index.ts';

/** What every artifact store does. `make` gives an empty one. */
export function artifactStoreSuite(name: string, make: () => Promise<{ store: ArtifactStore; close(): Promise<void> }>): void {
  describe(`the artifact store ${name}`, () => {
    let store: ArtifactStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, close } = await make());
    });
    afterEach(async () => {
      await close();
    });

    const read = async (path: string, range?: { start: number; end?: number }) => {
      const { stream, size } = await store.open(path, range);
      const chunks: Uint8Array[] = [];
      for await (const chunk of stream) chunks.push(chunk as Uint8Array);
      return { text: Buffer.concat(chunks).toString(), size };
    };

    it('gives back what was put, with its size and checksum', async () => {
      const body = Buffer.from('steady as she goes');
      expect(await store.put('a/b/c.txt', body)).toEqual({
        size: 18,
        sha256: createHash('sha256').update(body).digest('hex'),
      });
      expect(await read('a/b/c.txt')).toEqual({
        text: 'steady as she goes',
        size: 18,
      });
      expect(await store.stat('a/b/c.txt')).toEqual({
        path: 'a/b/c.txt',
        isDirectory: false,
        size: 18,
      });
      expect(readFileSync(await store.materialize('a/b/c.txt'), 'utf8')).toBe('steady as she goes');
    });

    it('keeps the checksum of each file, and never that of an earlier version', async () => {
      const digest = (text: string) => createHash('sha256').update(text).digest('hex');
      const kept = async (path: string, range?: { start: number; end?: number }) => {
        const { stream, sha256 } = await store.open(path, range);
        stream.destroy();
        return sha256;
      };
      await store.put('a/f', Buffer.from('first'));
      expect(await kept('a/f')).toBe(digest('first'));
      expect(await kept('a/f', { start: 1, end: 2 })).toBe(digest('first'));
      await store.put('a/f', Buffer.from('second'));
      expect(await kept('a/f')).toBe(digest('second'));
      await expect(store.put('a', Buffer.from('a folder is here'))).rejects.toMatchObject({ kind: 'conflict' });
      expect(await kept('a/f')).toBe(digest('second'));
      await store.delete('a');
      await store.put('a', Buffer.from('a file now'));
      expect(await kept('a')).toBe(digest('a file now'));
      await store.delete('a');
      await store.put('a/f', Buffer.from(''));
      expect(await kept('a/f')).toBe(digest(''));
    });

    it('stores streams of many chunks, and empty files', async () => {
      await store.put(
        'big.bin',
        (async function* () {
          for (let i = 0; i < 40; i++) yield Buffer.alloc(100_000, i);
        })(),
      );
      expect((await store.stat('big.bin'))?.size).toBe(4_000_000);
      await store.put('empty', new Uint8Array());
      expect(await read('empty')).toEqual({ text: '', size: 0 });
      expect(await read('empty', { start: 0, end: 10 })).toEqual({
        text: '',
        size: 0,
      });
    });

    it('keeps unicode names, spaces and percent signs as they are', async () => {
      for (const path of ['модель/файл 1.txt', '日本/☸️.json', 'e\u0301/100%.txt', 'a%20b', '#?&+;=.txt', '...', '.hidden/x']) {
        await store.put(path, Buffer.from(path));
        expect((await read(path)).text).toBe(path);
      }
    });

    it('replaces a file as a whole', async () => {
      await store.put('f', Buffer.from('a long first version'));
      await store.put('f', Buffer.from('second'));
      expect(await read('f')).toEqual({ text: 'second', size: 6 });
    });

    it('reads ranges: inclusive, open, cut to the end; one behind the end is refused', async () => {
      await store.put('r', Buffer.from('0123456789'));
      expect((await read('r', { start: 2, end: 4 })).text).toBe('234');
      expect((await read('r', { start: 7 })).text).toBe('789');
      expect(await read('r', { start: 8, end: 99 })).toEqual({
        text: '89',
        size: 10,
      });
      await expect(read('r', { start: 10 })).rejects.toMatchObject({
        kind: 'invalid',
        code: 'artifact_range_invalid',
      });
    });

    it('lists direct children by name with sizes, and nothing for a folder that does not exist', async () => {
      await store.put('d/z.txt', Buffer.from('zz'));
      await store.put('d/a/deep.txt', Buffer.from('x'));
      await store.put('d/b.txt', Buffer.from(''));
      expect(await store.list('d')).toEqual([
        { path: 'd/a', isDirectory: true, size: null },
        { path: 'd/b.txt', isDirectory: false, size: 0 },
        { path: 'd/z.txt', isDirectory: false, size: 2 },
      ]);
      expect(await store.list('')).toEqual([{ path: 'd', isDirectory: true, size: null }]);
      expect(await store.list('none')).toEqual([]);
      expect(await store.list('d/z.txt')).toEqual([]);
    });

    it('stats folders, and gives undefined for what is not there', async () => {
      await store.put('d/f', Buffer.from('x'));
      expect(await store.stat('d')).toEqual({
        path: 'd',
        isDirectory: true,
        size: null,
      });
      expect(await store.stat('e')).toBeUndefined();
      expect(await store.stat('d/f/g')).toBeUndefined();
    });

    it('says not_found for a file that is not there and for a folder opened as a file', async () => {
      await store.put('d/f', Buffer.from('x'));
      await expect(store.open('nope')).rejects.toMatchObject({
        kind: 'not_found',
      });
      await expect(store.open('d')).rejects.toMatchObject({
        kind: 'not_found',
      });
      await expect(store.materialize('nope')).rejects.toMatchObject({
        kind: 'not_found',
      });
    });

    it('deletes files, whole folders, and what does not exist without a word', async () => {
      await store.put('d/f', Buffer.from('x'));
      await store.put('d/g/h', Buffer.from('x'));
      await store.delete('d/f');
      expect(await store.stat('d/f')).toBeUndefined();
      await store.delete('d');
      expect(await store.list('')).toEqual([]);
      await store.delete('d');
      await store.delete('no/such/thing');
    });

    it('refuses a body over the limit and keeps the old file', async () => {
      await store.put('f', Buffer.from('old'), { maxBytes: 3 });
      const long = (async function* () {
        yield Buffer.alloc(5);
        yield Buffer.alloc(6);
      })();
      await expect(store.put('f', long, { maxBytes: 10 })).rejects.toMatchObject({
        kind: 'exhausted',
        code: 'artifact_too_large',
      });
      expect((await read('f')).text).toBe('old');
    });

    it('a body that breaks off leaves the old file and no trace', async () => {
      await store.put('keep/f', Buffer.from('old'));
      const broken = () =>
        (async function* () {
          yield Buffer.from('half of ');
          throw new Error('the client went away');
        })();
      await expect(store.put('keep/f', broken())).rejects.toThrow('the client went away');
      await expect(store.put('new/f', broken())).rejects.toThrow('the client went away');
      expect((await read('keep/f')).text).toBe('old');
      expect((await store.list('')).map(({ path }) => path)).toEqual(['keep']);
    });

    it('a reader holds the version that it opened while a new one is put', async () => {
      await store.put('f', Buffer.from('old'));
      const { stream } = await store.open('f');
      await store.put('f', Buffer.from('new'));
      const chunks: Uint8Array[] = [];
      for await (const chunk of stream) chunks.push(chunk as Uint8Array);
      expect(Buffer.concat(chunks).toString()).toBe('old');
    });

    it('concurrent writers of one path leave one whole body', async () => {
      const bodies = Array.from({ length: 16 }, (_, i) => Buffer.alloc(50_000, 65 + i));
      await Promise.all(bodies.map((body) => store.put('same/path', body)));
      const { text } = await read('same/path');
      expect(text).toHaveLength(50_000);
      expect(new Set(text).size).toBe(1);
    });

    it('concurrent writers into one new folder all arrive', async () => {
      await Promise.all(Array.from({ length: 30 }, (_, i) => store.put(`x/y/z/${i}`, Buffer.from(`${i}`))));
      expect(await store.list('x/y/z')).toHaveLength(30);
    });

    it('a file cannot replace a folder, nor a folder a file', async () => {
      await store.put('d/f', Buffer.from('x'));
      await expect(store.put('d', Buffer.from('x'))).rejects.toMatchObject({
        kind: 'conflict',
      });
      await expect(store.put('d/f/g', Buffer.from('x'))).rejects.toMatchObject({
        kind: 'conflict',
      });
      expect((await read('d/f')).text).toBe('x');
    });

    it.each(['../x', 'a/../../x', '/etc/passwd', 'a//b', './a', 'a\\..\\b', 'a\0b', '.uploads/x'])(
      'refuses the path %j even when the room did not',
      async (path) => {
        await expect(store.put(path, Buffer.from('x'))).rejects.toMatchObject({
          kind: 'invalid',
        });
        await expect(store.open(path)).rejects.toMatchObject({ kind: 'invalid' });
        await expect(store.list(path)).rejects.toMatchObject({ kind: 'invalid' });
        await expect(store.delete(path)).rejects.toMatchObject({
          kind: 'invalid',
        });
        await expect(store.materialize(path)).rejects.toMatchObject({
          kind: 'invalid',
        });
      },
    );

    it('never deletes or writes the root', async () => {
      await store.put('f', Buffer.from('x'));
      await expect(store.delete('')).rejects.toMatchObject({ kind: 'invalid' });
      await expect(store.put('', Buffer.from('x'))).rejects.toMatchObject({
        kind: 'invalid',
      });
      expect(existsSync(await store.materialize('f'))).toBe(true);
    });
  });
}
