import { mkdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A mirror of the folder with each file's SHA-256 in hex; in the root so that it goes wherever the files go, and hidden from every caller. */
export const CHECKSUMS = '.checksums';

/**
 * The checksums of a folder's files. One that is missing or cut short is unknown, never wrong: the old one goes before its file is replaced, and the new one is
 * written behind. It is not fsynced: a power failure may cost the checksums of the last seconds, and no file.
 */
export function createChecksumFolder(root: string) {
  const turns = new Map<string, Promise<unknown>>();
  const at = (segments: string[]) => join(root, CHECKSUMS, ...segments);

  /** One after the other for one path: a file and its checksum are of one version. */
  async function inTurn<T>(segments: string[], work: () => Promise<T>): Promise<T> {
    const key = segments.join('/');
    const turn = (turns.get(key) ?? Promise.resolve()).then(work, work);
    turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (turns.get(key) === turn) turns.delete(key);
    }
  }

  /** A folder of that name stays: its files have checksums of their own, and it is not read as one. */
  const forgetFile = (segments: string[]): Promise<void> =>
    unlink(at(segments)).catch((error: NodeJS.ErrnoException) => {
      if (!['ENOENT', 'ENOTDIR', 'EISDIR', 'EPERM'].includes(error.code ?? '')) throw error;
    });

  async function keep(segments: string[], sha256: string): Promise<void> {
    const file = at(segments);
    const write = () => writeFile(file, `${sha256}\n`);
    try {
      await write().catch(async (error: NodeJS.ErrnoException) => {
        if (error.code === 'EISDIR') await rm(file, { recursive: true });
        await mkdir(dirname(file), { recursive: true });
        return write();
      });
    } catch {
      // The file itself is stored, and stays so: what is lost is that damage to it would be noticed.
      await forgetFile(segments).catch(() => {});
    }
  }

  return {
    /** Of a file, or of all files of a folder. */
    forget: (segments: string[]): Promise<void> => rm(at(segments), { recursive: true, force: true }),
    /** `place` puts the file where it belongs; its checksum follows. */
    replace: (segments: string[], sha256: string, place: () => Promise<void>): Promise<void> =>
      inTurn(segments, async () => {
        await forgetFile(segments);
        await place();
        await keep(segments, sha256);
      }),
    /** What `open` opens, and the checksum that belongs to it; null when it is not known. */
    read: <T>(segments: string[], open: () => Promise<T>): Promise<[T, string | null]> =>
      inTurn(segments, async () => {
        const [opened, text] = await Promise.all([open(), readFile(at(segments), 'latin1').catch(() => '')]);
        return [opened, /^[0-9a-f]{64}\n$/.test(text) ? text.slice(0, 64) : null];
      }),
  };
}
