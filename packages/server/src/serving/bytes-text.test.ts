import { expect, it } from 'vitest';
import { bytesOfText, isText, textOfBytes } from './bytes-text.ts';

it('UTF-8 is itself', () => {
  for (const text of ['', 'größe 😀', 'a\0b']) {
    expect(textOfBytes(Buffer.from(text))).toBe(text);
    expect(bytesOfText(text).toString()).toBe(text);
    expect(isText(text)).toBe(true);
  }
});

it('any bytes come back as they were', () => {
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const samples = [every, Buffer.from('ffd8ffe0', 'hex'), Buffer.from('c3', 'hex'), Buffer.from('eda080', 'hex'), Buffer.from('edb280c3a4f09f98', 'hex')];
  let seed = 1;
  for (let n = 0; n < 500; n++) {
    const bytes = Buffer.alloc(n % 17);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 16;
    samples.push(bytes);
  }
  for (const bytes of samples) expect(bytesOfText(textOfBytes(bytes)).equals(bytes)).toBe(true);
  expect(isText(textOfBytes(every))).toBe(false);
});

it('agrees with Python about what stands for a byte', () => {
  expect(textOfBytes(Buffer.from([0x61, 0xff, 0x80]))).toBe('a\udcff\udc80');
});
