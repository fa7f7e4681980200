import { expect, it } from 'vitest';
import { ReadBuffers } from './read-buffers.ts';

const read = (size = 64 * 1024): Uint8Array => new Uint8Array(size);
const freed = (bytes: Uint8Array): boolean => bytes.byteLength === 0;

it('a buffer is freed once a frame of the next has come', () => {
  const buffers = new ReadBuffers();
  const [first, second] = [read(), read()];
  buffers.arrived(first.subarray(0, 100));
  buffers.arrived(first.subarray(100));
  expect(freed(first)).toBe(false);
  buffers.arrived(second);
  expect([freed(first), freed(second)]).toEqual([true, false]);
});

it('one that a message is a view of stays, and the next is freed again', () => {
  const buffers = new ReadBuffers();
  const [first, second, third] = [read(), read(), read()];
  buffers.arrived(first);
  expect([buffers.holds(first.subarray(1, 2)), buffers.holds(second)]).toEqual([true, false]);
  buffers.viewed();
  buffers.arrived(second);
  buffers.arrived(third);
  expect([freed(first), freed(second)]).toEqual([false, true]);
});

it('none is freed while frames wait', async () => {
  const buffers = new ReadBuffers();
  const list = Array.from({ length: 6 }, () => read());
  buffers.arrived(list[0] as Uint8Array);
  const [flows, others] = [buffers.keep(), buffers.keep()];
  buffers.arrived(list[1] as Uint8Array);
  flows();
  flows();
  await new Promise((resolve) => setImmediate(resolve));
  buffers.arrived(list[2] as Uint8Array);
  others();
  // What waited flows before the turn ends.
  buffers.arrived(list[3] as Uint8Array);
  await new Promise((resolve) => setImmediate(resolve));
  buffers.arrived(list[4] as Uint8Array);
  buffers.arrived(list[5] as Uint8Array);
  expect(list.map(freed)).toEqual([false, false, false, false, true, false]);
});

it('small ones are left to the garbage collector', () => {
  const buffers = new ReadBuffers();
  const small = read(100);
  buffers.arrived(small);
  buffers.arrived(read());
  expect(freed(small)).toBe(false);
});
