import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { invalid } from '../../kernel/index.ts';

/** Deeper than any table; the engine's detection of types walks a value by recursion, and some ten thousand levels end the process. */
const MAX_DEPTH = 200;
/** The engine's sample is of 20,480 rows. */
export const SAMPLE_LINES = 50_000;

const [QUOTE, BACKSLASH, NEWLINE] = [0x22, 0x5c, 0x0a];
/** By the byte: 1 opens, -1 closes, 2 is looked at. */
const KIND = new Int8Array(256);
for (const open of '[{') KIND[open.charCodeAt(0)] = 1;
for (const close of ']}') KIND[close.charCodeAt(0)] = -1;
for (const byte of [QUOTE, BACKSLASH, NEWLINE]) KIND[byte] = 2;

/** Throws `invalid` (table_too_deep) naming the first line of a JSON Lines file that is nested too deeply for the engine to look at. */
export async function checkJsonDepth(path: string, lines = Number.POSITIVE_INFINITY): Promise<void> {
  const unpack = path.endsWith('.gz') ? createGunzip() : path.endsWith('.zst') ? createZstdDecompress() : undefined;
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  // A file that cannot be unpacked is the engine's to complain about.
  const stream = unpack === undefined ? file : pipeline(file, unpack, () => {});
  let line = 1;
  let depth = 0;
  let quoted = false;
  let escaped = false;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      for (let i = 0; i < chunk.length; i++) {
        const byte = chunk[i] as number;
        if (escaped) {
          escaped = false;
          continue;
        }
        const kind = KIND[byte] as number;
        if (kind === 0) continue;
        if (byte === NEWLINE) {
          if (++line > lines) return;
          depth = 0;
          quoted = false;
        } else if (byte === QUOTE) quoted = !quoted;
        else if (byte === BACKSLASH) escaped = quoted;
        else if (!quoted && (depth += kind) > MAX_DEPTH)
          throw invalid('table_too_deep', `${path}, line ${line}: the JSON is nested deeper than ${MAX_DEPTH} levels, which is no row of a table.`, {
            details: { line },
          });
      }
    }
  } catch (error) {
    if (unpack === undefined || (error as { code?: string }).code === 'table_too_deep') throw error;
  } finally {
    file.destroy();
  }
}
