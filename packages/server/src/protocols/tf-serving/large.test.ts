import { expect, it } from 'vitest';
import type { VersionInfo } from '../../serving/index.ts';
import { parseRequest } from './json.ts';
import { readLarge } from './large.ts';
import { predictInputOf, tensorsOf } from './predict-json.ts';

const values = Array.from({ length: 12_000 }, (_, i) => Math.sin(i) * 10 ** (i % 7));
const rows = (width: number) => Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));
const version = (...inputs: [string, string, number[]][]) =>
  ({ inputs: inputs.map(([name, datatype, shape]) => ({ name, datatype, shape })), columns: null }) as unknown as VersionInfo;
const one = version(['x', 'FP32', [-1, -1]]);
const two = version(['x', 'FP32', [-1]], ['y', 'FP32', [-1, 1]]);

const quickly = (of: VersionInfo, text: string) => readLarge(Buffer.from(text))?.feed(of);
const slowly = (of: VersionInfo, text: string) => tensorsOf(of, predictInputOf(parseRequest(text)));

it('large lists become what the whole body becomes', () => {
  for (const [of, request] of [
    [one, { instances: rows(12) }],
    [one, { signature_name: 'serving_default', inputs: rows(1000) }],
    [version(['x', 'FP32', [-1, 1]]), { instances: values }],
    [
      version(['x', 'FP32', [-1, 2, 2]]),
      { instances: rows(2).reduce<number[][][]>((all, row, i) => (i % 2 === 0 ? [...all, [row]] : (all.at(-1)?.push(row), all)), []) },
    ],
    [two, { inputs: { y: values, x: values.toReversed(), unknown: values } }],
    [one, { inputs: { x: rows(3) } }],
  ] as const) {
    const text = JSON.stringify(request);
    expect(quickly(of, text)).toEqual(slowly(of, text));
    expect(slowly(of, text)[0]?.data).toHaveLength(12_000);
  }
});

it('leaves everything else to be read as a whole', () => {
  const text = JSON.stringify({ instances: rows(12) });
  expect(quickly(version(['x', 'FP64', [-1, 12]]), text)).toBeUndefined();
  expect(quickly(two, text)).toBeUndefined();
  expect(quickly(two, JSON.stringify({ inputs: { x: values } }))).toBeUndefined();
  expect(quickly(one, text.replace('],[', ',1],['))).toBeUndefined();
  expect(quickly(one, text.replace('[[', '[[NaN,'))).toBeUndefined();
  for (const request of [
    { instances: rows(12).map((row) => ({ x: row })) },
    { instances: values, inputs: values },
    { inputs: { x: values, y: [1] } },
    { inputs: { x: values, y: 'no list' } },
    { instances: 'no list', other: values },
    { instances: values, signature_name: 5 },
    { instances: [1, 2] },
  ])
    expect(readLarge(Buffer.from(JSON.stringify(request)))).toBeUndefined();
  expect(readLarge(Buffer.from(`${text}]`))).toBeUndefined();
});
