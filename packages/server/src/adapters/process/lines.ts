import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';

/** A line that does not end is passed on in pieces of this length. */
const MAX_LINE = 16 * 1024;

/** A program's output by lines, however it is cut; the last one also without its end. */
export function eachLine(stream: Readable | undefined, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const take = (text: string): void => {
    // Progress bars write over their own line: only what was last to be seen of it is kept.
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.slice(line.lastIndexOf('\r') + 1));
    if (rest.length > MAX_LINE) {
      onLine(rest);
      rest = '';
    }
  };
  stream?.on('data', (chunk: Buffer) => take(decoder.write(chunk)));
  stream?.once('close', () => {
    take(decoder.end());
    if (rest !== '') onLine(rest);
    rest = '';
  });
  stream?.on('error', () => {});
}
