import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { OnLine } from '../../compute/index.ts';

const HEADER = 8;
const MAX_LINE = 16 * 1024;

/** A container's output by lines: frames of a stream's number (1 stdout, 2 stderr), three zeros, a length in four bytes, big-endian, and so many bytes. */
export async function demultiplex(stream: Readable, onLine: OnLine): Promise<void> {
  const lines = { 1: new Lines((text) => onLine(text, 'stdout')), 2: new Lines((text) => onLine(text, 'stderr')) };
  let source: 1 | 2 = 1;
  let header = Buffer.alloc(0);
  let left = 0;
  for await (const data of stream as AsyncIterable<Buffer>) {
    for (let at = 0; at < data.length; ) {
      if (left === 0) {
        const part = data.subarray(at, at + HEADER - header.length);
        header = Buffer.concat([header, part]);
        at += part.length;
        if (header.length < HEADER) break;
        source = header[0] === 2 ? 2 : 1;
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const part = data.subarray(at, at + left);
      lines[source].add(part);
      at += part.length;
      left -= part.length;
    }
  }
  lines[1].end();
  lines[2].end();
}

class Lines {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (text: string) => void;
  #rest = '';
  constructor(onLine: (text: string) => void) {
    this.#onLine = onLine;
  }
  add(bytes: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(bytes)).split(/\r?\n/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line);
    if (this.#rest.length > MAX_LINE) this.end();
  }
  end(): void {
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }
}
