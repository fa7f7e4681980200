import { halfToFloat } from './float16.ts';
import type { Tensor } from './tensor.ts';

/** A tensor as Open Inference's JSON object; FP16 has no JSON form there and is shown as FP32. */
export function tensorToJson(tensor: Tensor): { name: string; datatype: string; shape: number[]; data: unknown[] } {
  const { name, shape, data } = tensor;
  const datatype = tensor.datatype === 'FP16' ? 'FP32' : tensor.datatype;
  if (tensor.datatype === 'FP16') return { name, datatype, shape, data: Array.from(halfToFloat(data as Uint16Array)) };
  if (tensor.datatype === 'BOOL') return { name, datatype, shape, data: Array.from(data as Uint8Array, (value) => value !== 0) };
  return {
    name,
    datatype,
    shape,
    data: Array.from(data as ArrayLike<number | bigint | string>, (value) => (typeof value === 'bigint' ? Number(value) : value)),
  };
}
