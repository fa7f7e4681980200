import { invalid } from '../../kernel/index.ts';
import { type Datatype, TENSOR_ARRAYS } from '../../serving/index.ts';
import type { SystemSharedMemory } from './shared-memory.ts';
import type { MemorySpan } from './types.ts';

export type InputMemory = Pick<SystemSharedMemory, 'read' | 'maxReadBytes'>;

export interface SharedInput {
  name: string;
  datatype: Datatype;
  count: number;
}

/** Reads the inputs of one request. A span is copied, and many may name the same region: together they are held to what a body may be. */
export function inputReader(memory: InputMemory, model: string): (span: MemorySpan, input: SharedInput) => Buffer {
  const limit = memory.maxReadBytes ?? Number.POSITIVE_INFINITY;
  let left = limit;
  return (span, { name, datatype, count }) => {
    // Before a byte is set aside. The size of strings is not known before.
    const needed = datatype === 'BYTES' ? span.byteSize : count * TENSOR_ARRAYS[datatype].BYTES_PER_ELEMENT;
    if (span.byteSize !== needed)
      throw invalid('invalid_tensor', `input byte size mismatch for input '${name}' for model '${model}'. Expected ${needed}, got ${span.byteSize}`);
    left -= span.byteSize;
    if (left < 0)
      throw invalid(
        'shared_memory_too_large',
        `the inputs of a request take at most ${limit} bytes from shared memory, together: send smaller batches, or raise maxBodyBytes (BINNACLE_MAX_BODY_BYTES)`,
      );
    return memory.read(span);
  };
}
