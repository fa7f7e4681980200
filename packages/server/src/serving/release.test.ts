import { expect, it } from 'vitest';
import { releaseMerged, releaser, shareOutputs } from './release.ts';
import { splitRows } from './rows.ts';
import type { Tensor } from './tensor.ts';

const tensor = (rows: number, width: number): Tensor => ({ name: 'y', datatype: 'FP32', shape: [rows, width], data: new Float32Array(rows * width).fill(7) });
const bytesOf = ({ data }: Tensor): number => (data as Float32Array).buffer.byteLength;

it('a reply of its own frees its large outputs', () => {
  const output = tensor(1, 100_000);
  releaser([], [output])?.();
  expect(bytesOf(output)).toBe(0);
});

it('and its large inputs in memory of their own; what lies in a body stays, and so does what is small', () => {
  const body = new Float32Array(100_000).fill(3);
  const [own, inBody, small] = [tensor(1, 50_000), { ...tensor(1, 1), shape: [1, 99_999], data: body.subarray(1) }, tensor(1, 3)];
  releaser([own, inBody, small], [small])?.();
  expect([own, inBody, small].map(bytesOf)).toEqual([0, 400_000, 12]);
  expect(releaser([small], [small])).toBeUndefined();
});

it('an output that is an input passed through is freed once', () => {
  const through = tensor(1, 50_000);
  releaser([through], [{ ...through, name: 'z' }])?.();
  expect(bytesOf(through)).toBe(0);
});

it('outputs of a merged run go with the last reply, and not before, whatever is released twice', () => {
  const output = tensor(3, 100_000);
  const parts = splitRows([output], [1, 1, 1]) as Tensor[][];
  shareOutputs([output], parts);
  releaser([], parts[0] as Tensor[])?.();
  releaser([], parts[0] as Tensor[])?.();
  releaser([], parts[2] as Tensor[])?.();
  expect(((parts[1] as Tensor[])[0] as Tensor).data).toEqual(new Float32Array(100_000).fill(7));
  releaser([], parts[1] as Tensor[])?.();
  expect(bytesOf(output)).toBe(0);
});

it('a part that is no longer the one that was cut out frees nothing', () => {
  const output = tensor(2, 100_000);
  const parts = splitRows([output], [1, 1]) as Tensor[][];
  shareOutputs([output], parts);
  for (const part of parts)
    releaser(
      [],
      part.map((one) => ({ ...one, data: (one.data as Float32Array).subarray(0) })),
    )?.();
  expect(bytesOf(output)).toBe(800_000);
});

it('one value a row is left alone: monitoring may still look at it', () => {
  const output: Tensor = { name: 'y', datatype: 'FP32', shape: [100_000], data: new Float32Array(100_000) };
  releaser([], [output])?.();
  expect(bytesOf(output)).toBe(400_000);
});

it('inputs that were copied for a merged run are freed, unless an output lives in them', () => {
  const [input, kept] = [tensor(2, 50_000), tensor(2, 50_000)];
  releaseMerged([input, kept], [{ ...kept, data: (kept.data as Float32Array).subarray(10) }]);
  expect([bytesOf(input), bytesOf(kept)]).toEqual([0, 400_000]);
});
