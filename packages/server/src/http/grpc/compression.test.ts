import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { MAX_IN_FLIGHT, Share } from '../data-plane/share.ts';
import { packWorthwhile, parseEncoding, unpackMessage } from './compression.ts';

const message = (bytes: Buffer) => ({ compressed: true, bytes, release() {} });

it('what is unpacked counts among the memory of all bodies until it is released', async () => {
  const plain = await unpackMessage(message(gzipSync(Buffer.alloc(5000, 7))), 'gzip', 10_000);
  expect(plain.bytes).toEqual(Buffer.alloc(5000, 7));
  const other = new Share();
  expect(other.take(MAX_IN_FLIGHT - 4999)?.code).toBe('bodies_full');
  plain.release();
  expect(other.take(MAX_IN_FLIGHT - 4999)).toBeUndefined();
  await expect(unpackMessage(message(gzipSync(Buffer.alloc(5000))), 'gzip', 10_000)).rejects.toMatchObject({ code: 'bodies_full' });
  other.give();
});

it('what is too large unpacked, or not packed at all, is refused', async () => {
  await expect(unpackMessage(message(gzipSync(Buffer.alloc(5000))), 'gzip', 4999)).rejects.toMatchObject({ code: 'body_too_large' });
  await expect(unpackMessage(message(Buffer.from('plain')), 'deflate', 100)).rejects.toMatchObject({ code: 'bad_encoding' });
});

it('a reply is packed when that gains and the client reads it', async () => {
  const large = Buffer.alloc(5000, 1);
  expect(packWorthwhile(large, 'gzip', {})).toBeUndefined();
  expect(packWorthwhile(large, 'gzip', { 'grpc-accept-encoding': 'identity,deflate' })).toBeUndefined();
  expect(packWorthwhile(large.subarray(0, 1000), 'gzip', { 'grpc-accept-encoding': 'gzip' })).toBeUndefined();
  expect((await packWorthwhile([large, large], 'gzip', { 'grpc-accept-encoding': 'identity,gzip' }))?.length).toBeLessThan(1000);
});

it('encodings are known by their names', () => {
  expect([parseEncoding(undefined), parseEncoding('identity'), parseEncoding('gzip')]).toEqual([undefined, undefined, 'gzip']);
  expect(() => parseEncoding('snappy')).toThrow("The message encoding 'snappy' is not known here");
});
