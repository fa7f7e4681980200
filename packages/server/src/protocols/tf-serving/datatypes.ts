import type { Datatype } from '../../serving/index.ts';

/** tensorflow.DataType (types.proto) of each datatype: its number, its name in the proto, and the name that error texts use. */
export const TF_TYPES: Record<Datatype, { number: number; name: string; text: string }> = {
  FP32: { number: 1, name: 'DT_FLOAT', text: 'float' },
  FP64: { number: 2, name: 'DT_DOUBLE', text: 'double' },
  INT32: { number: 3, name: 'DT_INT32', text: 'int32' },
  UINT8: { number: 4, name: 'DT_UINT8', text: 'uint8' },
  INT16: { number: 5, name: 'DT_INT16', text: 'int16' },
  INT8: { number: 6, name: 'DT_INT8', text: 'int8' },
  BYTES: { number: 7, name: 'DT_STRING', text: 'string' },
  INT64: { number: 9, name: 'DT_INT64', text: 'int64' },
  BOOL: { number: 10, name: 'DT_BOOL', text: 'bool' },
  UINT16: { number: 17, name: 'DT_UINT16', text: 'uint16' },
  FP16: { number: 19, name: 'DT_HALF', text: 'half' },
  UINT32: { number: 22, name: 'DT_UINT32', text: 'uint32' },
  UINT64: { number: 23, name: 'DT_UINT64', text: 'uint64' },
};

const BY_NUMBER = new Map(Object.entries(TF_TYPES).map(([datatype, { number }]) => [number, datatype as Datatype]));

/** The datatype of a tensorflow.DataType; undefined for those that no model here takes (complex, quantised, bfloat16 …). */
export const datatypeOf = (number: number): Datatype | undefined => BY_NUMBER.get(number);

/** A datatype as TensorFlow's enum has it; DT_INVALID for what is none of its. */
export const tfType = (datatype: string): { number: number; name: string; text: string } =>
  TF_TYPES[datatype as Datatype] ?? { number: 0, name: 'DT_INVALID', text: 'invalid' };
