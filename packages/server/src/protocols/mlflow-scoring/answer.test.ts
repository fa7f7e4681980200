import { expect, it } from 'vitest';
import { csvAnswer, namedAnswer, recordsAnswer } from './answer.ts';

const values = [0.1, 1, -0, 1e-7, Number.NaN, 16777216, -Infinity, 1 / 3];
const asDoubles = ['0.10000000149011612', '1', '0', '1.0000000116860974e-7', 'null', '16777216', 'null', '0.3333333432674408'];

it('writes floats with the digits of doubles, as MLflow does, in lists of any length', () => {
  const answer = (shape: number[]) => namedAnswer([{ name: 'y', datatype: 'FP32', shape, data: Float32Array.from(values) }]);
  expect(answer([8])).toBe(`{"predictions":{"y":[${asDoubles.join(',')}]}}`);
  expect(answer([8, 1])).toBe(`{"predictions":{"y":[${asDoubles.map((text) => `[${text}]`).join(',')}]}}`);
  expect(answer([2, 1, 4])).toBe(`{"predictions":{"y":[[[${asDoubles.slice(0, 4).join(',')}]],[[${asDoubles.slice(4).join(',')}]]]}}`);
  expect(namedAnswer([{ name: 'y', datatype: 'FP32', shape: [2, 0], data: new Float32Array() }])).toBe('{"predictions":{"y":[[],[]]}}');
  const half = { name: 'h', datatype: 'FP16' as const, shape: [4], data: Uint16Array.of(0x3c00, 0x2e66, 0x7c00, 0x8001) };
  expect(namedAnswer([half])).toBe('{"predictions":{"h":[1,0.0999755859375,null,-5.960464477539063e-8]}}');
});

it('writes wide outputs a row a list', () => {
  const output = { name: 'y', datatype: 'FP64' as const, shape: [2, 4], data: Float64Array.from(values) };
  expect(recordsAnswer([output], 2)).toBe('{"predictions":[{"y":[0.1,1,0,1e-7]},{"y":[null,16777216,null,0.3333333333333333]}]}');
  expect(csvAnswer([output], 2)).toBe('0.1,1,0,1e-7\n,16777216,,0.3333333333333333\n');
});
