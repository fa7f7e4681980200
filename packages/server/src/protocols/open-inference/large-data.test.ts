import { expect, it } from 'vitest';
import { parseInferenceRequest } from './request.ts';

const memory = { read: () => Buffer.alloc(0) };
const values = Array.from({ length: 20_000 }, (_, i) => Math.fround(Math.sin(i)));
const list = JSON.stringify(values);
const parse = (text: string) => parseInferenceRequest(Buffer.from(text), undefined, 'm', memory);
const inputsOf = (text: string) => parse(text).inputs as { name: string; data: Float32Array }[];
const tensor = (name: string, data: string, more = '') => `{"name":"${name}","datatype":"FP32","shape":[${values.length}],${more}"data":${data}}`;

it('large lists are read, wherever they stand and whatever stands beside them', () => {
  const wanted = Float32Array.from(values);
  expect(inputsOf(`{"inputs":[${tensor('x', list)}]}`)[0]?.data).toEqual(wanted);
  // The datatype behind the data, spaces, several of them, text that looks like a key.
  const text =
    `{"id":"\\"data\\":[1","inputs" : [ {"name":"größe","data" : ${list.replaceAll(',', ', ')} , "shape":[${values.length}], "datatype":"FP32"}, ${tensor('b', list)},
    {"name":"s","datatype":"BYTES","shape":[2],"data":["\\"data\\": [", "\\\\"]}] }`.replace('"id":"\\"data\\":[1",', '');
  const inputs = inputsOf(text);
  expect(inputs.map(({ name }) => name)).toEqual(['größe', 'b', 's']);
  expect([inputs[0]?.data, inputs[1]?.data, inputs[2]?.data]).toEqual([wanted, wanted, ['"data": [', '\\']]);
});

it('what stands beside a large list arrives exactly', () => {
  const long = '{"name":"y","datatype":"INT64","shape":[1],"data":[9007199254740993]}';
  const [x, y] = inputsOf(`{"inputs":[${tensor('x', list)},${long}]}`);
  expect(x?.data).toEqual(Float32Array.from(values));
  expect(y?.data).toEqual(BigInt64Array.of(9_007_199_254_740_993n) as unknown);
  const id = '{"parameters":{"sequence_id":18446744073709551615},';
  expect(parse(`${id}"inputs":[${tensor('x', list)}]}`).call?.sequence?.id).toBe(2n ** 64n - 1n);
  // No datatype of 64 bits is named anywhere.
  expect(parse(`${id}"inputs":[]}`).call?.sequence?.id).toBe(2n ** 64n - 1n);
});

it('large nested lists are read', () => {
  const rows = (width: number) => Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));
  const of = (data: unknown, shape: string, more = '') =>
    `{"inputs":[{"name":"x","data":${JSON.stringify(data)}${more},"datatype":"FP32","shape":[${shape}]}]}`;
  const wanted = Float32Array.from(values);
  for (const [data, shape] of [
    [rows(4), '5000,4'],
    [rows(10_000), '2,10000'],
    [rows(10_000).map((row) => [row]), '2,1,10000'],
    [values.map((value) => [[value]]), '20000,1,1'],
    // Flatter than its shape, and in lists that it does not name: Triton counts the values.
    [values, '100,200'],
    [rows(100), '100,200'],
    // Uneven.
    [[values.slice(0, 5), values.slice(5)], '2,10000'],
  ] as const) {
    expect(inputsOf(of(data, shape))[0]?.data, shape).toEqual(wanted);
    expect(inputsOf(of(data, shape).replaceAll(',', ' ,\n  '))[0]?.data, shape).toEqual(wanted);
  }
  expect(() => parse(of(rows(4), '20000'))).toThrow(/nested deeper than its shape \[20000\]/);
  expect(() => parse(of(rows(4), '5000,5'))).toThrow(/needs 25000 values, got 20000/);
  expect(() => parse(of([...rows(4).slice(1), 1, 2, 3, 4], '5000,4'))).toThrow(/mixes values and lists/);
  expect(() => parse(of(rows(4), '5000,4').replace(']],', ']]],'))).toThrow(/failed to parse the request JSON buffer/);
  expect(() => parse(of(rows(4), '5000,4').replace(']],', '],'))).toThrow(/failed to parse the request JSON buffer/);
});

it('other datatypes, uneven lists and odd requests are read as a whole', () => {
  const whole = values.map((_, i) => i);
  const of = (datatype: string, data: string, shape = `${values.length}`) =>
    `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[${shape}],"data":${data}}]}`;
  const large = `[${whole.map((i) => `${9_007_199_254_740_000n + BigInt(i)}`).join(',')}]`;
  const [exact] = inputsOf(of('INT64', large)).map(({ data }) => data as unknown as BigInt64Array);
  expect(exact?.[19_999]).toBe(9_007_199_254_759_999n);
  expect(inputsOf(of('FP64', list))[0]?.data).toEqual(Float64Array.from(values));
  expect(inputsOf(of('FP32', `[[${values.slice(0, 10_000)}],[${values.slice(10_000)}]]`, '2,10000'))[0]?.data).toEqual(Float32Array.from(values));
  // The last of two keys counts.
  expect(inputsOf(`{"inputs":[${tensor('x', list, `"data":[${whole}],`)}]}`)[0]?.data[1]).toBe(values[1]);
  expect(() => parse(of('FP32', list, '7'))).toThrow(/needs 7 values, got 20000/);
  expect(() => parse(of('FP32', list.replace('0,', 'null,')))).toThrow(/value 0: expected a number for FP32, got null/);
  expect(() => parse(of('FP32', list.replace('0,', '00,')))).toThrow(/failed to parse the request JSON buffer/);
  expect(() => parse(`{"inputs":[${tensor('x', list)}`)).toThrow(/failed to parse the request JSON buffer/);
  expect(() => parse(`{"parameters":{"data":${list}},"inputs":[${tensor('x', list)}]}`)).toThrow(/parameter 'data' has invalid type/);
  expect(() => parse(`{"inputs":[${tensor('x', list)},{"name":"y","datatype":"FP32","shape":[1],"data":"\\u00000"}]}`)).toThrow(/non-array as array/);
});
