import { expect, it } from 'vitest';
import { parseInputs } from './request-inputs.ts';

const spans: number[] = [];
const memory = {
  maxReadBytes: 64,
  read: ({ byteSize }: { byteSize: number }): Buffer => {
    spans.push(byteSize);
    return Buffer.alloc(byteSize);
  },
};
const input = (name: string, datatype: string, count: number, size: number) => ({
  name,
  datatype,
  shape: [count],
  parameters: { shared_memory_region: 'r', shared_memory_byte_size: size },
});
const parse = (...inputs: object[]) => parseInputs(inputs, { bytes: undefined, at: 0, lists: undefined }, 'm', memory);

it('reads nothing of a size that the tensor does not have, and no more than a body may be', () => {
  expect(() => parse(input('x', 'FP32', 2, 2 ** 40))).toThrow(`input byte size mismatch for input 'x' for model 'm'. Expected 8, got ${2 ** 40}`);
  expect(() => parse(input('x', 'BYTES', 1, 65))).toThrow(/at most 64 bytes from shared memory, together/);
  expect(spans).toEqual([]);
  expect(() => parse(input('x', 'FP32', 8, 32), input('y', 'FP32', 8, 32), input('z', 'FP32', 1, 4))).toThrow(/raise maxBodyBytes/);
  expect(spans).toEqual([32, 32]);
  expect(parse(input('x', 'FP32', 8, 32), input('y', 'FP32', 8, 32))).toHaveLength(2);
});
