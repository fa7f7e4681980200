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

it('writes long lists as it writes single values', () => {
  const values = [0.1, 1, -0, 1e-7, Number.NaN, 16777216, -Infinity, 1 / 3];
  for (const [datatype, data, third] of [
    ['FP32', Float32Array.from(values), '0.33333334'],
    ['FP64', Float64Array.from(values), '0.3333333333333333'],
  ] as const) {
    const texts = ['0.1', '1.0', '-0.0', '1e-7', 'NaN', '16777216.0', '-Infinity', third];
    const reply = (shape: number[]) => predictReply('row', [{ name: 'y', datatype, shape, data }]);
    expect(reply([8])).toBe(`{"predictions":[${texts.join(',')}]}`);
    expect(reply([8, 1])).toBe(`{"predictions":[${texts.map((text) => `[${text}]`).join(',')}]}`);
    expect(reply([2, 4])).toBe(`{"predictions":[[${texts.slice(0, 4).join(',')}],[${texts.slice(4).join(',')}]]}`);
  }
});
