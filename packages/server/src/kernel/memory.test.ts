import { expect, it } from 'vitest';
import { releaseBuffer } from './memory.ts';

it('frees a large view that has its buffer to itself, and no other', () => {
  const own = new Float32Array(10_000);
  const again = new Uint8Array(own.buffer);
  releaseBuffer(own);
  expect([own.length, again.length, own.buffer.byteLength]).toEqual([0, 0, 0]);
  releaseBuffer(own);

  const part = new Uint8Array(new ArrayBuffer(50_000), 10, 40_000).fill(7);
  const small = new Uint8Array(100).fill(7);
  const shared = new Uint8Array(new SharedArrayBuffer(50_000)).fill(7);
  for (const view of [part, small, shared]) {
    releaseBuffer(view);
    expect(view[0]).toBe(7);
  }
});
