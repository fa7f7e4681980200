import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFolderArtifactStore } from '../../src/adapters/fs/index.ts';
import { copyArtifacts } from '../../src/upkeep/index.ts';
import { temporaryFolder } from '../support/server.ts';

it('copies every file with its checksum, goes on where it was broken off, and leaves out what is damaged', async () => {
  const root = temporaryFolder('from');
  const [source, target] = [await openFolderArtifactStore({ root }), await openFolderArtifactStore({ root: temporaryFolder('to') })];
  const files = { '0/r/artifacts/a.txt': 'a', '0/r/artifacts/déep/ß 🦀.txt': 'b'.repeat(300_000), '.binnacle/graphs/g.onnx': 'graph', 'empty.bin': '' };
  for (const [path, content] of Object.entries(files)) await source.put(path, Buffer.from(content));
  // A part of it is there, and another file has changed since.
  await target.put('0/r/artifacts/a.txt', Buffer.from('a'));
  await target.put('empty.bin', Buffer.from('x'));
  await target.put('mine.txt', Buffer.from('x'));
  expect(await copyArtifacts(source, target)).toEqual({ files: 4, bytes: 300_006, copied: 3, failed: [] });
  for (const [path, content] of Object.entries(files)) {
    const { stream, sha256 } = await target.open(path);
    expect(Buffer.concat(await stream.toArray()).toString()).toBe(content);
    const original = await source.open(path);
    original.stream.destroy();
    expect(sha256).toBe(original.sha256);
  }
  expect(await target.stat('mine.txt')).toMatchObject({ size: 1 });
  expect(await copyArtifacts(source, target)).toMatchObject({ files: 4, copied: 0, failed: [] });

  await source.put('damaged.txt', Buffer.from('sound'));
  writeFileSync(join(root, 'damaged.txt'), 'SOUND');
  const { failed } = await copyArtifacts(source, target);
  expect(failed).toEqual([{ path: 'damaged.txt', why: expect.stringContaining('was damaged before') }]);
  expect(await target.stat('damaged.txt')).toBeUndefined();
}, 60_000);
