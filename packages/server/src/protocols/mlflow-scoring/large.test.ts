import { expect, it } from 'vitest';
import type { VersionInfo } from '../../serving/index.ts';
import { feed } from './feed.ts';
import { parseScoringJson } from './input.ts';
import { readLarge } from './large.ts';

const values = Array.from({ length: 12_000 }, (_, i) => Math.sin(i) * 10 ** (i % 7));
const rows = (width: number) => Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));
const version = (signature: { type: string }[] | null, ...inputs: [string, string, number[]][]) =>
  ({
    inputs: inputs.map(([name, datatype, shape]) => ({ name, datatype, shape })),
    columns: null,
    pkg: { signature: signature && { inputs: signature } },
  }) as unknown as VersionInfo;
const one = version(null, ['x', 'FP32', [-1, -1]]);
const two = version([{ type: 'FP32' }], ['x', 'FP32', [-1]], ['y', 'FP32', [-1, 1]]);

const quickly = (of: VersionInfo, text: string) => readLarge(Buffer.from(text))?.feed(of);
const slowly = (of: VersionInfo, text: string) => feed(of, parseScoringJson(text).input).tensors;

it('large lists become what the whole body becomes', () => {
  for (const [of, request] of [
    [one, { inputs: rows(12) }],
    [one, { instances: rows(1000), params: { a: [1] } }],
    [version(null, ['x', 'FP32', [-1, 1]]), { instances: values }],
    [two, { inputs: { y: values, x: values.toReversed() } }],
    [one, { inputs: { x: rows(3) } }],
  ] as const) {
    const text = JSON.stringify(request);
    expect(quickly(of, text)).toEqual(slowly(of, text));
    expect(slowly(of, text)[0]?.data).toHaveLength(12_000);
  }
  expect(readLarge(Buffer.from(JSON.stringify({ instances: values, params: { a: [1] } })))?.params).toEqual({ a: [1] });
});

it('leaves everything else to be read as a whole', () => {
  const text = JSON.stringify({ inputs: rows(12) });
  expect(quickly(version(null, ['x', 'FP64', [-1, 12]]), text)).toBeUndefined();
  expect(quickly(version([{ type: 'double' }], ['x', 'FP32', [-1, 12]]), text)).toBeUndefined();
  expect(quickly(two, text)).toBeUndefined();
  expect(quickly(two, JSON.stringify({ inputs: { z: values } }))).toBeUndefined();
  // MLflow takes null and NaN for a missing value.
  expect(quickly(one, text.replace('[[', '[[null,'))).toBeUndefined();
  expect(quickly(one, text.replace('],[', '],['.padStart(5, ',1')))).toBeUndefined();
  for (const request of [
    { dataframe_split: { columns: ['a'], data: values.map((value) => [value]) } },
    { inputs: values, instances: values },
    { inputs: { x: values, y: [1] } },
    { inputs: values, other: 1 },
    { inputs: 'no list', params: { a: values } },
    [values],
  ])
    expect(readLarge(Buffer.from(JSON.stringify(request)))).toBeUndefined();
});
