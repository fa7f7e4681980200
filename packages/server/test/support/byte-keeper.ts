import type { LoadedModel, PackageRuntime, RunCall } from '../../src/serving/index.ts';

/** A runtime that gives back what it gets, bytes that are no text included, and remembers what it was told. */
export function byteKeeper(): PackageRuntime & { calls: RunCall[] } {
  const calls: RunCall[] = [];
  const specs = [{ name: 'x', datatype: 'BYTES', shape: [-1, 2] }];
  const model: LoadedModel = {
    inputs: specs,
    outputs: specs,
    tier: 'remote',
    runMicros: Number.NaN,
    rowMicros: Number.NaN,
    batchable: false,
    slots: Number.POSITIVE_INFINITY,
    usesParameters: true,
    execute(inputs, _outputs, call) {
      if (call !== undefined) calls.push(call);
      return inputs;
    },
    async close() {},
  };
  return { calls, load: async () => model };
}
