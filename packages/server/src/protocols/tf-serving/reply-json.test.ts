import { expect, it } from 'vitest';
import { floatText, predictReply } from './reply-json.ts';

it('floats are written with the digits that a float has, and read back the same', () => {
  expect([0.1, -0.2, 1, -0, 16777216, 3.14159274, 0.11280793, 1e-7, Number.NaN, -Infinity].map((value) => floatText(Math.fround(value)))).toEqual([
    '0.1',
    '-0.2',
    '1.0',
    '-0.0',
    '16777216.0',
    '3.1415927',
    '0.11280793',
    '1e-7',
    'NaN',
    '-Infinity',
  ]);
  const bits = new Uint32Array(1);
  const floats = new Float32Array(bits.buffer);
  for (let i = 0; i < 20_000; i++) {
    bits[0] = Math.imul(i, 2_654_435_761);
    const value = floats[0] as number;
    if (Number.isNaN(value)) continue;
    expect(Math.fround(Number(floatText(value))), String(value)).toBe(value);
  }
});

it('keeps shapes with nothing in them', () => {
  const empty = (shape: number[]) => ({ name: 'y', datatype: 'FP32' as const, shape, data: new Float32Array() });
  expect(predictReply('row', [empty([0, 2])])).toBe('{"predictions":[]}');
  expect(predictReply('row', [empty([2, 0])])).toBe('{"predictions":[[],[]]}');
  expect(predictReply('columnar', [empty([0])])).toBe('{"outputs":[]}');
});
