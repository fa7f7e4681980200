import { expect, it } from 'vitest';
import { roomFor, writeFloats } from './number-text.ts';

function floatsToText(values: Float32Array): Buffer {
  const out = Buffer.alloc(roomFor(values));
  return out.subarray(0, writeFloats(out, values));
}

const written = (...values: number[]): string => floatsToText(Float32Array.from(values)).toString();

it('the fewest digits that read back as the same float', () => {
  expect(written(0.1, -0.2, 0.3, 1 / 3, 16777216, 1.5, -0, 100, 123456.7)).toBe('[0.1,-0.2,0.3,0.33333334,16777216,1.5,0,100,123456.7]');
  expect(written(1e-5, 1.25e-6, 1e-7, 999999999, 0.999999, 1.0000001)).toBe('[0.00001,0.00000125,1e-7,1000000000,0.999999,1.0000001]');
  // Beyond what the quick way takes: the double's digits.
  for (const value of [1.17549435e-38, 1e-45, 3.4028235e38]) expect(written(value)).toBe(`[${Math.fround(value)}]`);
});

it('what JSON has no word for is null', () => {
  expect(written(Number.NaN, Number.POSITIVE_INFINITY, 1, Number.NEGATIVE_INFINITY)).toBe('[null,null,1,null]');
  expect(written()).toBe('[]');
});

it('any float reads back as itself', () => {
  const bits = new Uint32Array(200_000);
  let seed = 12345;
  for (let i = 0; i < bits.length; i++) bits[i] = seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  const any = new Float32Array(bits.buffer).filter(Number.isFinite);
  const usual = Float32Array.from({ length: 200_000 }, (_, i) => Math.sin(i) * 10 ** ((i % 20) - 9));
  for (const values of [any, usual]) {
    const back = Float32Array.from(JSON.parse(floatsToText(values).toString()) as number[]);
    expect(back.length).toBe(values.length);
    for (let i = 0; i < values.length; i++) if (back[i] !== values[i]) expect([i, back[i]]).toEqual([i, values[i]]);
  }
});

it('no text is longer than nine digits need, where the double’s is not', () => {
  for (const value of [0.1, 1e-7, 0.7071067690849304, 123.456]) expect(written(value).length).toBeLessThanOrEqual(2 + 13);
});
