import { expect, it } from 'vitest';
import { releaseMerged, releaseOutputs, shareOutputs, worthReleasing } from './release.ts';
import { splitRows } from './rows.ts';
import type { Tensor } from './tensor.ts';

const tensor = (rows: number, width: number): Tensor => ({ name: 'y', datatype: 'FP32', shape: [rows, width], data: new Float32Array(rows * width).fill(7) });
const bytesOf = ({ data }: Tensor): number => (data as Float32Array).buffer.byteLength;

it('a reply of its own frees its large outputs', () => {
  const output = tensor(1, 100_000);
  expect(worthReleasing([output])).toBe(true);
  releaseOutputs([output]);
  expect(bytesOf(output)).toBe(0);
});

it('outputs of a merged run go with the last reply, and not before, whatever is released twice', () => {
  const output = tensor(3, 100_000);
  const parts = splitRows([output], [1, 1, 1]) as Tensor[][];
  shareOutputs([output], parts);
  releaseOutputs(parts[0] as Tensor[]);
  releaseOutputs(parts[0] as Tensor[]);
  releaseOutputs(parts[2] as Tensor[]);
  expect(((parts[1] as Tensor[])[0] as Tensor).data).toEqual(new Float32Array(100_000).fill(7));
  releaseOutputs(parts[1] as Tensor[]);
  expect(bytesOf(output)).toBe(0);
});

it('a part that is no longer the one that was cut out frees nothing', () => {
  const output = tensor(2, 100_000);
  const parts = splitRows([output], [1, 1]) as Tensor[][];
  shareOutputs([output], parts);
  for (const part of parts) releaseOutputs(part.map((one) => ({ ...one, data: (one.data as Float32Array).subarray(0) })));
  expect(bytesOf(output)).toBe(800_000);
});

it('one value a row is left alone: monitoring may still look at it', () => {
  const output: Tensor = { name: 'y', datatype: 'FP32', shape: [100_000], data: new Float32Array(100_000) };
  releaseOutputs([output]);
  expect(bytesOf(output)).toBe(400_000);
});

it('inputs that were copied for a merged run are freed, unless an output lives in them', () => {
  const [input, kept] = [tensor(2, 50_000), tensor(2, 50_000)];
  releaseMerged([input, kept], [{ ...kept, data: (kept.data as Float32Array).subarray(10) }]);
  expect([bytesOf(input), bytesOf(kept)]).toEqual([0, 400_000]);
});
