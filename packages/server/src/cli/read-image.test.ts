import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { expect, it } from 'vitest';
import { isImage, readImage, resize } from './read-image.ts';

/** Left half red, right half blue and half transparent. */
const pixels = (width: number, height: number) => {
  const data = Buffer.alloc(width * height * 4);
  for (let i = 0; i < width * height; i++) data.set(i % width < width / 2 ? [255, 0, 0, 255] : [0, 0, 255, 128], i * 4);
  return { width, height, data };
};

it('reads PNG and JPEG', async () => {
  const { width, height, data } = pixels(8, 4);
  const png = new PNG({ width, height });
  data.copy(png.data);
  const read = await readImage('a.png', PNG.sync.write(png));
  expect([read.width, read.height, Buffer.from(read.data).equals(data)]).toEqual([8, 4, true]);
  const decoded = await readImage('a.jpg', jpeg.encode({ width, height, data }, 95).data);
  expect([decoded.width, decoded.height]).toEqual([8, 4]);
  expect(decoded.data[0]).toBeGreaterThan(200);
});

it('gives each pixel the mean of what it covers, on white', () => {
  const small = resize(pixels(8, 4), 2, 1);
  expect([...small.subarray(0, 4)]).toEqual([255, 0, 0, 255]);
  expect([...small.subarray(4)]).toEqual([127, 127, 255, 255]);
  expect(resize(pixels(2, 2), 4, 4)).toHaveLength(64);
});

it('refuses what is no image, broken, or larger than memory should be', async () => {
  await expect(readImage('a.png', Buffer.from('not a picture'))).rejects.toThrow('neither PNG nor JPEG');
  await expect(readImage('a.png', Buffer.alloc(2))).rejects.toThrow('cannot be decoded');
  const png = PNG.sync.write(new PNG({ width: 2, height: 2 }));
  await expect(readImage('a.png', png.subarray(0, 40))).rejects.toThrow('cannot be decoded');
  const huge = Buffer.from(png);
  huge.writeUInt32BE(1_000_000, 16);
  huge.writeUInt32BE(1_000_000, 20);
  await expect(readImage('a.png', huge)).rejects.toThrow('too large');
  expect([isImage('x.JPG'), isImage('x.csv')]).toEqual([true, false]);
});
