import { expect, it } from 'vitest';
import { parseLooseJson } from './loose-json.ts';

const words = { nan: '"nan"', infinity: '1e999', minusInfinity: '-1e999' };
const parse = (text: string): unknown => parseLooseJson(text, words);

it('reads the words that JSON lacks, outside of strings only', () => {
  expect(parse('[NaN,-NaN,Infinity,-Infinity,Inf,-Inf,1]')).toEqual(['nan', 'nan', Infinity, -Infinity, Infinity, -Infinity, 1]);
  expect(parse('{"NaN":NaN,"a\\\\":"-Infinity","b\\"NaN":[Infinity]}')).toEqual({ NaN: 'nan', 'a\\': '-Infinity', 'b"NaN': [Infinity] });
});

it('keeps integers beyond 2^53, and only them, exact', () => {
  expect(parse('[9007199254740993,-9223372036854775808,12345678901234567,NaN]')).toEqual([9007199254740993n, -9223372036854775808n, 12345678901234567n, 'nan']);
  expect(parse('[9007199254740993.0,1.2345678901234567,1e300]')).toEqual([9007199254740992, 1.2345678901234567, 1e300]);
  expect(parse('["9007199254740993"]')).toEqual(['9007199254740993']);
});

it('refuses what is no JSON either way, as JSON.parse does', () => {
  for (const text of ['', '{', '[NaNa]', '[1NaN]', '[nan]', '["NaN]', '[Infinityy]']) expect(() => parse(text), text).toThrow(SyntaxError);
});

it('takes time with the length of a text, whatever is in it', () => {
  const started = process.cpuUsage();
  expect(() => parse(`[${'"a",'.repeat(500_000)}NaN`)).toThrow(SyntaxError);
  expect(() => parse(`["${'\\\\'.repeat(1_000_000)}`)).toThrow(SyntaxError);
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(2000);
});
