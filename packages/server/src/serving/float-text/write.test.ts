import { expect, it } from 'vitest';
import { floatsToText } from './write.ts';

function textOf(values: Float32Array): string {
  const text = floatsToText(values);
  return typeof text === 'string' ? text : Buffer.concat(text).toString();
}

const written = (...values: number[]): string => textOf(Float32Array.from(values));

it('the fewest digits that read back as the same float', () => {
  expect(written(0.1, -0.2, 0.3, 1 / 3, 16777216, 1.5, -0, 100, 123456.7)).toBe('[0.1,-0.2,0.3,0.33333334,16777216,1.5,0,100,123456.7]');
  expect(written(1e-5, 1.25e-6, 1e-7, 999999999, 0.999999, 1.0000001)).toBe('[0.00001,0.00000125,1e-7,1000000000,0.999999,1.0000001]');
  expect(written(1.17549435e-38, 1e-45, -3.4028235e38, 2 ** 60, 1e-10)).toBe('[1.1754944e-38,1e-45,-3.4028235e+38,1.1529215e+18,1e-10]');
  // Whole numbers as what they are, as far as readers of doubles keep them.
  expect(written(123456792, 2 ** 31, 2 ** 52, -(2 ** 53))).toBe('[123456792,2147483648,4503599627370496,-9.007199e+15]');
  // Its shortest text, 7.038531e-26, is nearer to its neighbour once it has been rounded to a double.
  expect(written(7.038530691851209e-26)).toBe('[7.0385307e-26]');
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
    const back = Float32Array.from(JSON.parse(textOf(values)) as number[]);
    expect(back.length).toBe(values.length);
    for (let i = 0; i < values.length; i++) if (back[i] !== values[i]) expect([i, back[i]]).toEqual([i, values[i]]);
  }
});

it('no text is longer than nine digits need, where the double’s is not', () => {
  for (const value of [0.1, 1e-7, 0.7071067690849304, 123.456]) expect(written(value).length).toBeLessThanOrEqual(2 + 13);
});
