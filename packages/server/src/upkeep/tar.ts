import { invalid } from '../kernel/index.ts';

/** POSIX tar (IEEE Std 1003.1, "pax"): what every system unpacks, and what can be written while it is still being read. */
const BLOCK = 512;
/** Of a path or a size that the 1988 header has no room for. */
const MAX_NAME = 100;
const MAX_SIZE = 0o77777777777;
const MAX_PAX = 1024 * 1024;

export interface TarEntry {
  path: string;
  size: number;
  /** To be read to its end before the next entry is asked for; what is left is skipped. */
  body: AsyncIterable<Uint8Array>;
}

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;

function header(path: string, size: number, type: '0' | 'x', seconds: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0, MAX_NAME, 'utf8');
  block.write(octal(0o600, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(Math.min(size, MAX_SIZE), 12), 124);
  block.write(octal(seconds, 12), 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write('ustar\x0000', 257);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** A pax record: its own length in bytes, a space, `key=value`, a line end. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const length = Buffer.byteLength(rest);
  let total = length + String(length).length;
  if (String(total).length > String(length).length) total = length + String(total).length;
  return `${total}${rest}`;
}

const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/** What comes before a file's bytes. */
export function tarHeader(path: string, size: number, at: number): Buffer {
  const seconds = Math.floor(at / 1000);
  const long = Buffer.byteLength(path) > MAX_NAME || /[^\x20-\x7e]/.test(path) ? record('path', path) : '';
  const large = size > MAX_SIZE ? record('size', String(size)) : '';
  if (long === '' && large === '') return header(path, size, '0', seconds);
  const extra = Buffer.from(long + large);
  return Buffer.concat([header('pax', extra.length, 'x', seconds), extra, padding(extra.length), header('entry', size, '0', seconds)]);
}
/** What comes after a file of this many bytes. */
export const tarPadding = padding;
/** What ends the archive. */
export const TAR_END: Uint8Array = Buffer.alloc(2 * BLOCK);

const cutOff = () => invalid('backup_cut_off', 'The archive ends in the middle: it was not written to its end, or not copied whole.');

/** The bytes of a stream in pieces of any size asked for. */
class Bytes {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** At least one and at most `most` bytes. */
  async some(most: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#source.next();
      if (done === true) throw cutOff();
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  async exactly(size: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for (let left = size; left > 0; ) {
      const piece = await this.some(left);
      pieces.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(pieces, size);
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** The files of an archive as `tarHeader` writes it. Throws `invalid`: `backup_cut_off` when it ends early, `backup_unreadable` for anything else. */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void, undefined> {
  const bytes = new Bytes(source);
  try {
    let pax: Record<string, string> = {};
    for (;;) {
      const block = await bytes.exactly(BLOCK);
      if (block.every((byte) => byte === 0)) return;
      checkSum(block);
      const type = String.fromCharCode(block[156] ?? 0);
      const said = Number.parseInt(text(block, 124, 12), 8);
      if (type === 'x') {
        if (said > MAX_PAX) throw unreadable('it has a header that is far too long');
        pax = records(await bytes.exactly(said));
        await bytes.exactly(padding(said).length);
        continue;
      }
      if (type !== '0') throw unreadable(`it has an entry of the type ${JSON.stringify(type)}`);
      const size = pax['size'] === undefined ? said : Number(pax['size']);
      const path = pax['path'] ?? text(block, 0, MAX_NAME);
      pax = {};
      if (!Number.isSafeInteger(size) || size < 0) throw unreadable('it has an entry without a size');
      let left = size;
      const body = (async function* () {
        while (left > 0) {
          const piece = await bytes.some(left);
          left -= piece.length;
          yield piece;
        }
      })();
      yield { path, size, body };
      while (left > 0) left -= (await bytes.some(left)).length;
      await bytes.exactly(padding(size).length);
    }
  } finally {
    await bytes.close();
  }
}

const unreadable = (why: string) => invalid('backup_unreadable', `This is not an archive that Binnacle wrote: ${why}.`);
const text = (block: Buffer, at: number, length: number): string => {
  const end = block.subarray(at, at + length).indexOf(0);
  return block.toString('utf8', at, at + (end === -1 ? length : end));
};

function checkSum(block: Buffer): void {
  let sum = 0;
  for (const [i, byte] of block.entries()) sum += i >= 148 && i < 156 ? 32 : byte;
  if (sum !== Number.parseInt(text(block, 148, 8), 8)) throw unreadable('a header does not add up');
}

function records(bytes: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const length = Number(bytes.toString('utf8', at, space));
    if (space === -1 || !Number.isInteger(length) || length <= 0) throw unreadable('a header cannot be read');
    const line = bytes.toString('utf8', space + 1, at + length - 1);
    const equals = line.indexOf('=');
    found[line.slice(0, equals)] = line.slice(equals + 1);
    at += length;
  }
  return found;
}
