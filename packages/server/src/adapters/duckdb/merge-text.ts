import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Files one after the other, byte by byte; of CSV files after the first the header is left out. */
export async function concatText(parts: readonly string[], file: string, header: boolean): Promise<void> {
  const skip = header && parts[0] !== undefined ? await headerBytes(parts[0]) : 0;
  async function* bytes(): AsyncGenerator<Buffer> {
    for (const [i, part] of parts.entries()) yield* createReadStream(part, { start: i === 0 ? 0 : skip }) as AsyncIterable<Buffer>;
  }
  await pipeline(Readable.from(bytes(), { objectMode: false }), createWriteStream(file, { flags: 'wx' }));
}

/** Length of the first record with its line end: a line end inside quotes belongs to a column's name. */
async function headerBytes(file: string): Promise<number> {
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(64 * 1024);
    let quoted = false;
    let total = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, total);
      for (let i = 0; i < bytesRead; i++) {
        if (buffer[i] === 0x22) quoted = !quoted;
        else if (buffer[i] === 0x0a && !quoted) return total + i + 1;
      }
      total += bytesRead;
      if (bytesRead === 0) return total;
    }
  } finally {
    await handle.close();
  }
}
