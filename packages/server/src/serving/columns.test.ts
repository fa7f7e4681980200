import type { ColumnSpec, TensorSpec } from '@binnacle/contract';
import { describe, expect, it } from 'vitest';
import { outputColumns, planColumns } from './columns.ts';
import type { Column, Table } from '../tables/index.ts';

const table = (columns: Record<string, Column['values']>): Table => ({
  rows: Object.values(columns)[0]?.length ?? 0,
  columns: Object.entries(columns).map(([name, values]) => ({ name, values })),
});
const signature = (...inputs: ColumnSpec[]) => ({ inputs, outputs: [] });
const spec = (name: string, datatype: string, ...shape: number[]): TensorSpec => ({ name, datatype, shape });
const one = (type: string, datatype: string, values: Column['values'], text = false) =>
  planColumns(signature({ name: 'c', type }), [spec('c', datatype, -1, 1)]).toTensors(table({ c: values }), { text })[0];

describe('a table for a model', () => {
  it('goes to one input a column by name, whatever the order, with further columns ignored', () => {
    const plan = planColumns(signature({ name: 'age', type: 'long' }, { name: 'city', type: 'string' }), [
      spec('city', 'BYTES', -1, 1),
      spec('age', 'INT64', -1),
    ]);
    expect(plan.toTensors(table({ extra: [1, 2], city: ['A', 'B'], age: [30, 40] }))).toEqual([
      { name: 'age', datatype: 'INT64', shape: [2], data: BigInt64Array.of(30n, 40n) },
      { name: 'city', datatype: 'BYTES', shape: [2, 1], data: ['A', 'B'] },
    ]);
  });

  it('finds inputs whose names an exporter has made identifiers of', () => {
    const plan = planColumns(signature({ name: 'dep hour', type: 'long' }), [spec('dep_hour', 'INT64', -1, 1)]);
    expect(plan.toTensors(table({ 'dep hour': [7] }))[0]?.name).toBe('dep_hour');
  });

  it('goes to one matrix in the order of the signature', () => {
    const plan = planColumns(signature({ name: 'a', type: 'double' }, { name: 'b', type: 'integer' }, { name: 'c', type: 'boolean' }), [
      spec('X', 'FP32', -1, 3),
    ]);
    const [x] = plan.toTensors(table({ c: [true, false], b: [3, 4], a: [0.5, null] }));
    expect(x).toEqual({ name: 'X', datatype: 'FP32', shape: [2, 3], data: Float32Array.of(0.5, 3, 1, Number.NaN, 4, 0) });
    expect(plan.toColumns([x as never])).toEqual([
      { name: 'a', values: Float32Array.of(0.5, Number.NaN) },
      { name: 'b', values: Float32Array.of(3, 4) },
      { name: 'c', values: Float32Array.of(1, 0) },
    ]);
  });

  it('takes any columns for a matrix without a signature, if their number is right', () => {
    const plan = planColumns(null, [spec('X', 'FP32', -1, 2)]);
    expect(plan.columns).toBeNull();
    expect(plan.toTensors(table({ q: [1], p: [2] }))[0]?.data).toEqual(Float32Array.of(1, 2));
    expect(() => plan.toTensors(table({ q: [1] }))).toThrow('the model takes 2 columns');
  });

  it('is refused with the reason when signature and graph do not fit together', () => {
    const plan = planColumns(signature({ name: 'a', type: 'double' }), [spec('X', 'FP32', -1, 3), spec('Y', 'FP32', -1, 2)]);
    expect(() => plan.toTensors(table({ a: [1] }))).toThrow(/a table cannot feed this model.*X FP32\[-1,3\]/);
  });

  it('names all missing columns, and the extra ones', () => {
    const plan = planColumns(signature({ name: 'a', type: 'double' }, { name: 'b', type: 'double' }), [spec('X', 'FP32', -1, 2)]);
    expect(() => plan.toTensors(table({ A: [1] }))).toThrow(
      "the table lacks the columns 'a', 'b' that the model needs. Note that there were extra columns: 'A'.",
    );
  });

  it('hands typed arrays over without a copy', () => {
    const values = BigInt64Array.of(1n, 2n);
    expect(planColumns(signature({ name: 'c', type: 'long' }), [spec('c', 'INT64', -1)]).toTensors(table({ c: values }))[0]?.data).toBe(values);
  });

  it('fills an optional column of numbers with NaN', () => {
    const plan = planColumns(signature({ name: 'a', type: 'double' }, { name: 'b', type: 'double', required: false }), [spec('X', 'FP64', -1, 2)]);
    expect(plan.toTensors(table({ a: [1] }))[0]?.data).toEqual(Float64Array.of(1, Number.NaN));
  });
});

describe('a value of a column', () => {
  it.each([
    ['long', 'INT64', null, "row 1 of column 'c': is missing (null)"],
    ['long', 'INT64', Number.NaN, 'is missing (NaN)'],
    ['long', 'INT64', 1.5, 'expected a whole number (long), got 1.5'],
    ['long', 'INT64', '5', 'expected a whole number (long), got "5"'],
    ['long', 'INT64', true, 'expected a whole number (long), got true'],
    ['long', 'INT64', 2 ** 60, 'does not fit long exactly'],
    ['long', 'INT64', 2n ** 63n, 'does not fit long'],
    ['integer', 'INT64', 2 ** 31, '2147483648 does not fit integer'],
    ['long', 'INT8', 128, '128 does not fit INT8'],
    ['long', 'UINT8', -1, '-1 does not fit UINT8'],
    ['double', 'FP32', 'x', 'expected a number (double), got "x"'],
    ['double', 'FP32', false, 'expected a number (double), got false'],
    ['string', 'BYTES', null, 'is missing (null), and a string cannot be'],
    ['string', 'BYTES', 5, 'expected a string, got 5'],
    ['string', 'FP32', 'a', 'is text by the signature'],
    ['boolean', 'BOOL', 'yes', 'expected true or false'],
    ['boolean', 'BOOL', null, 'expected true or false'],
    ['datetime', 'INT64', '2020-01-01', "has the type 'datetime', which cannot feed"],
  ])('of type %s for %s: %s is refused', (type, datatype, value, message) => {
    const good = datatype === 'BYTES' ? 'ok' : type === 'boolean' ? true : 1;
    expect(() => one(type, datatype, [good, value] as never)).toThrow(message);
  });

  it('may be missing where it is a float, and only there', () => {
    expect(one('double', 'FP32', [null, Number.NaN, 2])?.data).toEqual(Float32Array.of(Number.NaN, Number.NaN, 2));
  });

  it('is read from text where the table is a CSV', () => {
    expect(one('double', 'FP64', ['1e3', '', 'NaN', '-inf', ' 7 '], true)?.data).toEqual(Float64Array.of(1000, Number.NaN, Number.NaN, -Infinity, 7));
    expect(one('long', 'INT64', ['9007199254740993', '+5', '7.0'], true)?.data).toEqual(BigInt64Array.of(9007199254740993n, 5n, 7n));
    expect(one('boolean', 'BOOL', ['True', 'false', '1'], true)?.data).toEqual(Uint8Array.of(1, 0, 1));
    expect(() => one('long', 'INT64', ['', '1'], true)).toThrow('is missing');
    expect(() => one('double', 'FP64', ['abc'], true)).toThrow('got "abc"');
  });

  it('keeps 64-bit integers exactly', () => {
    expect(one('long', 'INT64', [2n ** 63n - 1n, -(2n ** 63n)])?.data).toEqual(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)));
  });

  it('becomes half precision', () => {
    expect(one('double', 'FP16', [1, -2, 65504, 1e9, 2 ** -24, Number.NaN, 1 + 2 ** -11, 1 + 3 * 2 ** -11])?.data).toEqual(
      Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x7c00, 0x0001, 0x7e00, 0x3c00, 0x3c02),
    );
  });
});

describe('outputs as columns', () => {
  it('are one a name, or one a position', () => {
    const outputs = outputColumns([
      { name: 'label', datatype: 'INT64', shape: [2], data: BigInt64Array.of(1n, 0n) },
      { name: 'p', datatype: 'FP32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      { name: 'h', datatype: 'FP16', shape: [2, 1], data: Uint16Array.of(0x3c00, 0xc000) },
      { name: 's', datatype: 'FP32', shape: [], data: Float32Array.of(1) },
      { name: 'wide', datatype: 'FP32', shape: [2, 1000], data: new Float32Array(2000) },
    ]);
    expect(outputs).toEqual([
      { name: 'label', values: BigInt64Array.of(1n, 0n) },
      { name: 'p[0]', values: Float32Array.of(1, 3) },
      { name: 'p[1]', values: Float32Array.of(2, 4) },
      { name: 'h', values: Float32Array.of(1, -2) },
    ]);
  });
});
