import { expect, it } from 'vitest';
import { floatList, floatsToText } from './write.ts';

function textOf(values: Float32Array | Float64Array): string {
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

it('doubles have the digits and the form of JavaScript’s own', () => {
  const bits = new Uint32Array(200_000);
  let seed = 99;
  for (let i = 0; i < bits.length; i++) bits[i] = seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  const any = new Float64Array(bits.buffer);
  const usual = Float64Array.from({ length: 50_000 }, (_, i) => Math.sin(i) * 10 ** ((i % 50) - 25));
  const whole = Float64Array.from({ length: 50_000 }, (_, i) => Math.round(Math.sin(i) * 10 ** (i % 25)));
  const odd = Float64Array.from({ length: 2200 }, (_, i) => 2 ** (i - 1100));
  const few = Float64Array.of(0, -0, 5e-324, 1e21, 1e20, 999999999999999900000, 1e-6, 9.99e-7, 1.7976931348623157e308, 0.1, 1 / 3, 2 ** 53, 2 ** 53 + 2);
  const rounded = Float64Array.from(usual, Math.fround);
  for (const values of [any, usual, whole, odd, few, rounded]) expect(textOf(values) === JSON.stringify(Array.from(values))).toBe(true);
});

it('decimals, as TensorFlow Serving writes them', () => {
  const values = [0, -0, 1, -16777216, 2 ** 31, 0.5, 1e-7, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const wanted = '[0.0,-0.0,1.0,-16777216.0,2147483648.0,0.5,1e-7,NaN,Infinity,-Infinity]';
  expect(floatList(Float32Array.from(values), 0, values.length, true)).toBe(wanted);
  expect(floatList(Float64Array.from(values), 0, values.length, true)).toBe(wanted);
  expect(floatList(Float64Array.of(7, 1e20, 1e21, -1e300, 8), 1, 4, true)).toBe('[100000000000000000000.0,1e+21,-1e+300]');
  expect(floatList(Float64Array.of(7, 8), 1, 1, true)).toBe('[]');
});
