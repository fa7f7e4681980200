import { expect, it } from 'vitest';
import { parseReply, shapeOf, valuesFromJson, valuesToJson } from './json-values.ts';

it('bare NaN and Infinity are read where they are values, and left alone in texts', () => {
  const parsed = parseReply('{"a":[NaN, -Infinity,1],"b":"NaN, \\"Infinity"}', false) as { a: unknown[]; b: string };
  expect(parsed.b).toBe('NaN, "Infinity');
  expect(valuesFromJson('a', 'FP32', [3], parsed.a).data).toEqual(new Float32Array([Number.NaN, Number.NEGATIVE_INFINITY, 1]));
});

it('strings end where JSON ends them', () => {
  expect(parseReply('["\\\\",NaN,"\\"NaN\\\\\\"",-Infinity]', false)).toEqual(['\\', 'NaN', '"NaN\\"', '-Infinity']);
});

it.each(['\\"', '"', '\\', '"\\', '-Infinit'])('a long reply of %j is refused at once', (part) => {
  const started = performance.now();
  expect(() => parseReply(part.repeat(150_000), false)).toThrow(SyntaxError);
  expect(performance.now() - started).toBeLessThan(2000);
});

it('64-bit integers keep their digits', () => {
  const values = parseReply('[9007199254740993,-1,1.5e300]', true) as unknown[];
  expect(values).toEqual([9007199254740993n, -1, 1.5e300]);
});

it.each([
  ['FP32', [2], [1], '1 values for the shape [2]'],
  ['INT32', [1], [1.5], '1.5 for INT32'],
  ['BOOL', [1], ['yes'], '"yes" for BOOL'],
  ['BYTES', [1], [7], '7 for BYTES'],
] as const)('%s%j from %j is refused', (datatype, shape, values, why) => {
  expect(() => valuesFromJson('y', datatype, [...shape], values)).toThrow(why);
});

it('values are nested by their shape', () => {
  const x = { name: 'x', datatype: 'INT32' as const, shape: [2, 1, 2], data: new Int32Array([1, 2, 3, 4]) };
  expect(valuesToJson(x, { bareNaN: false }, x.shape)).toBe('[[[1,2]],[[3,4]]]');
  expect(valuesToJson({ ...x, shape: [0, 2], data: new Int32Array() }, { bareNaN: false }, [0, 2])).toBe('[]');
  expect(shapeOf([[[1, 2]], [[3, 4]]])).toEqual([2, 1, 2]);
  expect(() => valuesToJson({ name: 'x', datatype: 'FP32', shape: [1], data: new Float32Array([Number.NaN]) }, { bareNaN: false })).toThrow('no form for');
});
