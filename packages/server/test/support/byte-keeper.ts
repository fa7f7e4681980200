import type { LoadedModel, PackageRuntime, RunCall } from '../../src/serving/index.ts';

/** A runtime that gives back what it gets, bytes that are no text included, and remembers what it was told. */
export function byteKeeper({ input = 'x', output = 'x', shape = [-1, 2] } = {}): PackageRuntime & { calls: RunCall[] } {
  const calls: RunCall[] = [];
  const model: LoadedModel = {
    inputs: [{ name: input, datatype: 'BYTES', shape }],
    outputs: [{ name: output, datatype: 'BYTES', shape }],
    tier: 'remote',
    runMicros: Number.NaN,
    rowMicros: Number.NaN,
    batchable: false,
    slots: Number.POSITIVE_INFINITY,
    usesParameters: true,
    execute(inputs, _outputs, call) {
      if (call !== undefined) calls.push(call);
      return inputs.map((tensor) => ({ ...tensor, name: output }));
    },
    async close() {},
  };
  return { calls, load: async () => model };
}
