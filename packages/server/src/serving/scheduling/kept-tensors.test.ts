import { expect, it } from 'vitest';
import type { Tensor } from '../tensor.ts';
import { keep, sizeOf, unpack } from './kept-tensors.ts';

const small: Tensor[] = [
  { name: 'label', datatype: 'INT64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 62n) },
  { name: 'flag', datatype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) },
  { name: 'p', datatype: 'FP32', shape: [1, 2], data: new Float32Array([9, Number.NaN, -0]).subarray(1) },
  { name: 'none', datatype: 'FP64', shape: [0, 4], data: new Float64Array(0) },
];

it('several small tensors come back bit for bit, each in memory of its own', () => {
  const kept = keep(small);
  expect(typeof kept.data).toBe('string');
  expect(sizeOf(kept)).toBe(16 + 3 + 8);
  const [once, again] = [unpack(kept), unpack(kept)];
  expect(once).toEqual(small);
  ((once[2] as Tensor).data as Float32Array)[1] = 5;
  (once[0] as Tensor).shape[0] = 99;
  expect(again).toEqual(small);
  expect(unpack(kept)).toEqual(small);
});

it('texts and large tensors are kept as they are', () => {
  const tensors: Tensor[] = [
    { name: 's', datatype: 'BYTES', shape: [2], data: ['ü', ''] },
    { name: 'y', datatype: 'FP32', shape: [1000], data: new Float32Array(1000).fill(3) },
  ];
  const kept = keep(tensors);
  ((tensors[1] as Tensor).data as Float32Array).fill(0);
  expect(unpack(kept)).toEqual([tensors[0], { ...tensors[1], data: new Float32Array(1000).fill(3) }]);
  expect(sizeOf(kept)).toBe(32 + 2 + 32 + 4000);
});

it('what looks like the one before shares its form, and what differs in anything does not', () => {
  const before = keep(small);
  expect(keep(small, before).forms).toBe(before.forms);
  const [label, ...others] = small as [Tensor, ...Tensor[]];
  for (const change of [{ name: 'other' }, { shape: [1, 2] }, { shape: [2, 1] }, { datatype: 'UINT64' as const, data: new BigUint64Array(2) }]) {
    const changed = [{ ...label, ...change }, ...others];
    const kept = keep(changed, before);
    expect(kept.forms).not.toBe(before.forms);
    expect(unpack(kept)).toEqual(changed);
  }
  expect(unpack(keep(others, before))).toEqual(others);
});
