import { UsageError } from './usage.ts';

/** Four bytes a pixel (red, green, blue, alpha), row by row. */
export interface Pixels {
  width: number;
  height: number;
  data: Uint8Array;
}

/** Pixels of one image: a file may claim any size. */
const MAX_PIXELS = 100_000_000;

export const isImage = (name: string): boolean => /\.(png|jpe?g)$/i.test(name);

/** A PNG or JPEG, decoded. Throws UsageError for what is neither, or broken, or too large. */
export async function readImage(name: string, bytes: Buffer): Promise<Pixels> {
  try {
    if (bytes.readUInt32BE(0) === 0x89504e47) {
      const { PNG } = await import('pngjs');
      // The header's own words, before anything is unpacked.
      if (bytes.readUInt32BE(16) * bytes.readUInt32BE(20) > MAX_PIXELS) throw new Error('it is too large');
      return PNG.sync.read(bytes);
    }
    if (bytes.readUInt16BE(0) === 0xffd8) {
      const jpeg = (await import('jpeg-js')).default;
      return jpeg.decode(bytes, { useTArray: true, maxResolutionInMP: MAX_PIXELS / 1e6, maxMemoryUsageInMB: 1024 });
    }
  } catch (error) {
    throw new UsageError(`${name} cannot be decoded: ${(error as Error).message}`);
  }
  throw new UsageError(`${name} is neither PNG nor JPEG.`);
}

/** The image at another size, each pixel the mean of those it covers (or the nearest, where it grows), on white where it is transparent. */
export function resize({ width, height, data }: Pixels, toWidth: number, toHeight: number): Uint8Array {
  const out = new Uint8Array(toWidth * toHeight * 4);
  for (let y = 0; y < toHeight; y++) {
    const [top, bottom] = span(y, toHeight, height);
    for (let x = 0; x < toWidth; x++) {
      const [left, right] = span(x, toWidth, width);
      const sums = [0, 0, 0];
      for (let row = top; row < bottom; row++)
        for (let column = left; column < right; column++) {
          const at = (row * width + column) * 4;
          const alpha = (data[at + 3] ?? 255) / 255;
          for (let k = 0; k < 3; k++) sums[k] = (sums[k] ?? 0) + (data[at + k] ?? 0) * alpha + 255 * (1 - alpha);
        }
      const count = (bottom - top) * (right - left);
      const at = (y * toWidth + x) * 4;
      for (let k = 0; k < 3; k++) out[at + k] = Math.round((sums[k] ?? 0) / count);
      out[at + 3] = 255;
    }
  }
  return out;
}

function span(at: number, of: number, size: number): [from: number, to: number] {
  const from = Math.floor((at * size) / of);
  return [from, Math.max(from + 1, Math.floor(((at + 1) * size) / of))];
}
