import { open } from 'node:fs/promises';
import { type Line, parseLine } from './record.ts';

const CHUNK = 1024 * 1024;

/**
 * The whole lines of a record from an offset on, each with the offset behind it; undefined for one that cannot be read, unless its writer said so
 * (`MENDED`). What stands behind the last line feed is being written, or was torn by a crash, and does not count.
 */
export async function* readLines(file: string, offset: number): AsyncGenerator<{ line: Line | undefined; next: number }> {
  const handle = await open(file, 'r');
  try {
    let rest: Buffer = Buffer.alloc(0);
    let next = offset;
    /** The offset behind a line that cannot be read, until it is known what follows. */
    let unread: number | undefined;
    for (;;) {
      const chunk = Buffer.alloc(CHUNK);
      const { bytesRead } = await handle.read(chunk, 0, CHUNK, next + rest.length);
      if (bytesRead === 0) break;
      rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      let from = 0;
      for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10, from)) {
        const text = rest.toString('utf8', from, end);
        next += end + 1 - from;
        from = end + 1;
        if (text !== '' && unread !== undefined) yield { line: undefined, next: unread };
        unread = undefined;
        const line = parseLine(text);
        if (line !== undefined) yield { line, next };
        else if (text !== '') unread = next;
      }
      rest = rest.subarray(from);
    }
    if (unread !== undefined) yield { line: undefined, next: unread };
  } finally {
    await handle.close();
  }
}
