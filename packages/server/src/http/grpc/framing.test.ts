import { describe, expect, it } from 'vitest';
import { BinnacleError } from '../../kernel/index.ts';
import { MAX_IN_FLIGHT, Share } from '../data-plane/share.ts';
import { frameMessage, type Message, MessageReader } from './framing.ts';

const framed = (...messages: Uint8Array[]): Buffer => Buffer.concat(messages.flatMap((message) => frameMessage(message)));
const filled = (size: number, seed = 1): Buffer => Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 7 + seed) & 0xff));

function read(chunks: Iterable<Buffer>, max = 10 * 2 ** 20): Message[] {
  const out: Message[] = [];
  const reader = new MessageReader(max, (message) => out.push(message));
  for (const chunk of chunks) reader.push(chunk);
  expect(reader.partial).toBe(false);
  return out;
}

function* cut(bytes: Buffer, size: number): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('messages are read', () => {
  const messages = [filled(0), filled(1), filled(300), filled(5, 9), filled(70_000), filled(3)];
  it.each([1, 2, 3, 5, 7, 64, 1000, 16_384, 10 ** 6])('cut into frames of %i bytes', (size) => {
    const got = read(cut(framed(...messages), size));
    expect(got.map(({ bytes }, i) => bytes.equals(messages[i] as Buffer))).toEqual(messages.map(() => true));
    expect(got).toHaveLength(messages.length);
  });

  it('with the end of what was put together on a 64-byte boundary', () => {
    for (const [size, frame] of [
      [100, 50],
      [64_001, 50],
      [200_003, 50],
      [5_000_003, 16_384],
    ] as const) {
      const sent = filled(size);
      const [message] = read(cut(framed(sent), frame)) as [Message];
      expect(message.bytes.equals(sent)).toBe(true);
      expect((message.bytes.byteOffset + message.bytes.length) % 64).toBe(0);
      message.release();
    }
  });

  it('and a small one that came whole is a view of its frame', () => {
    const frame = framed(filled(20));
    expect(read([frame])[0]?.bytes.buffer).toBe(frame.buffer);
  });

  it('with the flag that tells a packed one', () => {
    const [plain, packed] = read([framed(filled(3)), Buffer.concat(frameMessage(filled(3), true))]) as [Message, Message];
    expect([plain.compressed, packed.compressed]).toEqual([false, true]);
  });
});

describe('what is no message', () => {
  const error = (bytes: Buffer, max?: number): string => {
    try {
      read([bytes], max);
    } catch (thrown) {
      return thrown instanceof BinnacleError ? thrown.code : 'another';
    }
    return 'none';
  };
  it('is refused by its flags', () => expect(error(Buffer.from('GET / HTTP/1.1\r\n'))).toBe('bad_message'));
  it('is refused by its length before anything of it is kept', () => {
    expect(error(framed(filled(101)).subarray(0, 5), 100)).toBe('message_too_large');
    expect(error(framed(filled(100)), 100)).toBe('none');
  });
  it('holds what has come of it, whatever its length says', () => {
    const max = 64 * 2 ** 20;
    const head = framed(Buffer.alloc(max)).subarray(0, 1000);
    const readers = Array.from({ length: 40 }, () => new MessageReader(max, () => {}));
    const others = new Share();
    for (const reader of readers) reader.push(head);
    // Of what they announce a fraction would fit. Messages of other tests were kept, too.
    const kept = 2 * 2 ** 20;
    expect(others.take(MAX_IN_FLIGHT - 40 * 2 ** 20 - kept)).toBeUndefined();
    others.give();
    for (const reader of readers) reader.close();
    expect(others.take(MAX_IN_FLIGHT - kept)).toBeUndefined();
    others.give();
  });
  it('leaves the reader in the middle', () => {
    const reader = new MessageReader(1000, () => {});
    expect(reader.partial).toBe(false);
    reader.push(Buffer.from([0, 0]));
    expect(reader.partial).toBe(true);
  });
});

it('a large message is framed without a copy', () => {
  const large = filled(100_000);
  expect(frameMessage([large.subarray(0, 10), large.subarray(10)])).toHaveLength(3);
  expect(Buffer.compare(framed(large).subarray(5), large)).toBe(0);
});
