import type { Root } from 'protobufjs';
import { bytesOfText, type Datatype, type Tensor } from '../../../serving/index.ts';
import { tfType } from '../datatypes.ts';

/** A length-delimited field's tag, and the length of what follows. */
function prefix(field: number, length: number): Uint8Array {
  const out = [(field << 3) | 2];
  let rest = length;
  while (rest > 127) {
    out.push((rest & 127) | 128);
    rest >>>= 7;
  }
  out.push(rest);
  return Uint8Array.from(out);
}

/** Fields of TensorProto whose packed values are a tensor's memory as it is. */
const AS_THEY_ARE: Partial<Record<Datatype, number>> = { FP32: 5, FP64: 6, BOOL: 11 };
const FIELDS: Partial<Record<Datatype, string>> = {
  FP16: 'half_val',
  INT8: 'int_val',
  INT16: 'int_val',
  INT32: 'int_val',
  UINT8: 'int_val',
  UINT16: 'int_val',
  UINT32: 'uint32_val',
};

/** 64-bit integers as protobufjs writes them. */
function longs(data: BigInt64Array, unsigned: boolean): { low: number; high: number; unsigned: boolean }[] {
  const halves = new Int32Array(data.buffer, data.byteOffset, data.length * 2);
  return Array.from({ length: data.length }, (_, i) => ({ low: halves[2 * i] as number, high: halves[2 * i + 1] as number, unsigned }));
}

export interface PredictReply {
  spec: object;
  outputs: readonly Tensor[];
}

/**
 * The parts of a PredictResponse. Values go into the typed fields, as TensorFlow Serving sends them and clients read them; floats are
 * not copied (protobufjs would, value by value).
 */
export function predictEncoder(root: Root): (reply: PredictReply) => Uint8Array[] {
  const specType = root.lookupType('tensorflow.serving.ModelSpec');
  const tensorType = root.lookupType('tensorflow.TensorProto');

  function tensorParts({ datatype, shape, data }: Tensor): Uint8Array[] {
    const head: Record<string, unknown> = { dtype: tfType(datatype).number, tensor_shape: { dim: shape.map((size) => ({ size })) } };
    const field = AS_THEY_ARE[datatype];
    if (field === undefined || data.length === 0) {
      if (Array.isArray(data)) head['string_val'] = data.map(bytesOfText);
      else if (datatype === 'INT64') head['int64_val'] = longs(data as BigInt64Array, false);
      else if (datatype === 'UINT64') head['uint64_val'] = longs(data as BigInt64Array, true);
      else if (field === undefined) head[FIELDS[datatype] as string] = data;
      return [tensorType.encode(head).finish()];
    }
    const bytes = data as Float32Array;
    return [tensorType.encode(head).finish(), prefix(field, bytes.byteLength), new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)];
  }

  return ({ spec, outputs }) => {
    const encoded = specType.encode(spec).finish();
    const parts: Uint8Array[] = [prefix(2, encoded.length), encoded];
    for (const output of outputs) {
      const key = Buffer.from(output.name);
      const value = tensorParts(output);
      const size = value.reduce((n, part) => n + part.length, 0);
      const before = [prefix(1, key.length), key, prefix(2, size)];
      parts.push(prefix(1, before.reduce((n, part) => n + part.length, 0) + size), ...before, ...value);
    }
    return parts;
  };
}
