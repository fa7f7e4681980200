import { isUtf8 } from 'node:buffer';

/**
 * Bytes as text and back without loss. A BYTES tensor is an array of strings, and not all bytes are UTF-8: a byte that is no part of a valid
 * sequence becomes the lone surrogate U+DC00 + byte, as Python's surrogateescape does (PEP 383). Text without such bytes is the text itself.
 */
export function textOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let out = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceAt(bytes, at);
    if (length === 0) out += String.fromCharCode(0xdc00 + (bytes[at++] as number));
    else {
      out += bytes.toString('utf8', at, at + length);
      at += length;
    }
  }
  return out;
}

/** Length of the valid sequence that begins at `at`; 0: none does. */
function sequenceAt(bytes: Buffer, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

/** Whether a string came from UTF-8, so that text formats and runtimes can carry it. */
export const isText = (value: string): boolean => value.isWellFormed();

/** The bytes that `textOfBytes` was given; a lone surrogate that stands for no byte becomes U+FFFD. */
export function bytesOfText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i++;
    else if (code >= 0xdc80 && code <= 0xdcff) {
      if (i > from) parts.push(Buffer.from(text.slice(from, i), 'utf8'));
      parts.push(Buffer.of(code - 0xdc00));
      from = i + 1;
    }
  }
  parts.push(Buffer.from(text.slice(from), 'utf8'));
  return Buffer.concat(parts);
}
