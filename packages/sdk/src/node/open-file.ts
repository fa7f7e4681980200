import { openAsBlob } from 'node:fs';
import { open } from 'node:fs/promises';

/** A file's bytes, read when they are asked for. Throws what the file system says of it. */
export async function openFile(path: string): Promise<Blob> {
  // openAsBlob itself has one message for everything.
  const file = await open(path, 'r');
  await file.close();
  return openAsBlob(path);
}
