import { createHash } from 'node:crypto';
import { bytesOfText } from '../bytes-text.ts';
import type { RunCall } from '../model-runtime.port.ts';
import type { Tensor } from '../tensor.ts';

/** Up to here the bytes themselves are the key: cheaper than a digest, and exact. */
const MAX_PLAIN = 256;

/**
 * What tells requests apart: the model in memory, the outputs asked for, and of each input name, datatype, shape and every bit (a NaN equals the
 * same NaN only). Texts carry their lengths, so that no two requests meet in one key.
 */
export function cacheKey(model: number, inputs: readonly Tensor[], outputs: readonly string[], parameters: RunCall['parameters']): string {
  let key = `${model}`;
  for (const name of outputs) key += `|${name.length}:${name}`;
  let bytes = 0;
  for (const { name, datatype, shape, data } of inputs) {
    key += `;${name.length}:${name},${datatype},${shape.join()}`;
    bytes += Array.isArray(data) ? MAX_PLAIN : data.byteLength;
  }
  if (parameters !== undefined) {
    const text = JSON.stringify(Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1)));
    key += `?${text.length}:${text}`;
  }
  if (bytes < MAX_PLAIN) {
    for (const { data } of inputs)
      if (!Array.isArray(data)) key += Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).toString('latin1');
    return key;
  }
  const hash = createHash('sha256');
  for (const { data } of inputs) {
    if (!Array.isArray(data)) hash.update(data);
    else
      for (const value of data) {
        // Bytes that are no UTF-8 are lone surrogates here, which as 'utf8' would all be the same U+FFFD.
        const own = bytesOfText(value);
        hash.update(`${own.length}:`).update(own);
      }
  }
  return key + hash.digest('base64');
}
