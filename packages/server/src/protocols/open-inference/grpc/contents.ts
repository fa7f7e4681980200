import { type BinnacleError, invalid } from '../../../kernel/index.ts';
import { type Datatype, TENSOR_ARRAYS, type TensorData, textOfBytes } from '../../../serving/index.ts';
import type { Long, WireContents } from './wire.ts';

const bad = (text: string): BinnacleError => invalid('invalid_tensor', text);

/** Where each datatype's values are; FP16 has no field. */
const FIELDS: Record<Exclude<Datatype, 'FP16'>, keyof WireContents> = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
};
const ALL = new Set(Object.values(FIELDS));
/** The datatype that each field is named for. */
const OF: Record<keyof WireContents, Datatype> = {
  bool_contents: 'BOOL',
  int_contents: 'INT32',
  int64_contents: 'INT64',
  uint_contents: 'UINT32',
  uint64_contents: 'UINT64',
  fp32_contents: 'FP32',
  fp64_contents: 'FP64',
  bytes_contents: 'BYTES',
};

/** An input's `contents` as tensor values. */
export function dataFromContents(model: string, name: string, datatype: Datatype, count: number, contents: WireContents): TensorData {
  if (datatype === 'FP16') throw bad(`input '${name}': FP16 has no typed contents; send it in raw_input_contents`);
  const field = FIELDS[datatype];
  for (const other of ALL)
    if (other !== field && contents[other].length > 0)
      throw bad(
        `unexpected explicit tensor data for input tensor '${name}' for model '${model}' of type '${OF[other]}', expected datatype '${datatype}' (${other} are given, ${datatype} has ${field})`,
      );
  const values = contents[field];
  if (values.length !== count) throw bad(`unexpected number of values ${values.length} in ${field} for input '${name}', expecting ${count}`);
  if (datatype === 'BYTES') return (values as Buffer[]).map(textOfBytes);
  if (datatype === 'INT64' || datatype === 'UINT64') return longs(values as Long[], datatype);
  const out = new TENSOR_ARRAYS[datatype](count) as Int32Array;
  const numbers = values as number[];
  for (let i = 0; i < count; i++) out[i] = numbers[i] as number;
  // int_contents and uint_contents have 32 bits; what does not fit was cut.
  if (out.BYTES_PER_ELEMENT < 4 && datatype !== 'BOOL')
    for (let i = 0; i < count; i++) if (out[i] !== numbers[i]) throw bad(`input '${name}', value ${i}: ${numbers[i]} does not fit ${datatype}`);
  return out;
}

function longs(values: Long[], datatype: 'INT64' | 'UINT64'): TensorData {
  const out = new TENSOR_ARRAYS[datatype](values.length);
  const halves = new Int32Array(out.buffer);
  for (let i = 0; i < values.length; i++) {
    const { low, high } = values[i] as Long;
    halves[2 * i] = low;
    halves[2 * i + 1] = high;
  }
  return out;
}
