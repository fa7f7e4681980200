import { copyFileSync, mkdtempSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createGraphInspector, createOnnxRuntime } from '../../src/adapters/onnx/index.ts';
import { runnable } from '../support/runnable.ts';
import { floats, graph, graphFile, identity, sum, value, withExternalData, zipMapClassifier } from '../support/onnx-graphs.ts';

const inspector = createGraphInspector();
const refused = (file: string) =>
  inspector.inspect(file).then(
    () => {
      throw new Error('was accepted');
    },
    (error) => error as Error & { code: string; kind: string },
  );

describe('the graph inspector', () => {
  it('reads inputs and outputs with -1 for free dimensions', async () => {
    expect(await inspector.inspect(graphFile(sum(3)))).toEqual({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
      external: [],
      labels: {},
      rewritten: null,
    });
  });

  it('leaves out weights that an old graph lists among its inputs', async () => {
    const bytes = graph({
      irVersion: 3,
      nodes: [{ opType: 'MatMul', input: ['x', 'w'], output: ['y'] }],
      inputs: [value('x', 'FP32', ['N', 2]), value('w', 'FP32', [2, 1])],
      outputs: [value('y', 'FP32', ['N', 1])],
      weights: [floats('w', [2, 1], [1, 1])],
    });
    expect((await inspector.inspect(graphFile(bytes))).inputs.map((i) => i.name)).toEqual(['x']);
  });

  it.each([{ onlyMl: false }, { onlyMl: true }])('rewires a ZipMap output to its tensor and keeps its name (%o)', async (options) => {
    const { outputs, rewritten } = await inspector.inspect(graphFile(zipMapClassifier(options)));
    expect(outputs).toEqual([
      { name: 'label', datatype: 'INT64', shape: [-1] },
      { name: 'output_probability', datatype: 'FP32', shape: [-1, 2] },
    ]);
    const model = runnable(await createOnnxRuntime().load(graphFile(rewritten as Uint8Array), { tier: 'inline' }), 'm');
    const [label, probability] = await model.run([{ name: 'x', datatype: 'FP32', shape: [2, 2], data: Float32Array.of(5, 0, 0, 5) }]);
    expect(label?.data).toEqual(BigInt64Array.of(0n, 1n));
    expect(probability?.shape).toEqual([2, 2]);
    expect(probability?.data[0]).toBeGreaterThan(0.9);
    await model.close();
  });

  it.each([
    [{}, ['0', '1']],
    [{ ints: [-3, 40_000_000_000] }, ['-3', '40000000000']],
    [{ strings: ['setosa', 'größe: 🚢'] }, ['setosa', 'größe: 🚢']],
  ])('keeps what a ZipMap calls its classes (%o)', async (options, labels) => {
    expect((await inspector.inspect(graphFile(zipMapClassifier(options)))).labels).toEqual({ output_probability: labels });
    expect((await inspector.inspect(graphFile(sum(2)))).labels).toEqual({});
  });

  it('keeps fields that it does not know, byte for byte', async () => {
    // Field 1000 of ModelProto, as some later ONNX might have it.
    const unknown = Uint8Array.from([0xc2, 0x3e, 3, 7, 7, 7]);
    const { rewritten } = await inspector.inspect(graphFile(Buffer.concat([zipMapClassifier(), unknown])));
    expect(Buffer.from(rewritten as Uint8Array).includes(Buffer.from(unknown))).toBe(true);
  });

  it('refuses a file that is no ONNX model, naming it', async () => {
    for (const bytes of [
      Buffer.from('hello world, this is not a model'),
      Buffer.alloc(0),
      Buffer.from('{"a":1}'),
      Buffer.alloc(1000, 0xff),
      Buffer.from([0x08, 0x07]),
    ]) {
      const error = await refused(graphFile(bytes));
      expect(error.code).toBe('onnx_invalid');
      expect(error.kind).toBe('invalid');
      expect(error.message).toMatch(/^model\.onnx cannot be served: /);
    }
    expect((await refused('/nowhere/x.onnx')).code).toBe('onnx_invalid');
  });

  it('refuses a truncated file at every length, and never hangs or runs out of memory', async () => {
    const bytes = sum(3);
    const file = graphFile(bytes);
    for (let size = bytes.length - 1; size > 0; size--) {
      truncateSync(file, size);
      const outcome = await inspector.inspect(file).then(
        () => 'accepted',
        (error: { code: string }) => error.code,
      );
      // The last fields (the operator sets) may be cut off whole: that is a graph without them.
      if (size > 10 && size < bytes.length - 12) expect(outcome).toBe('onnx_invalid');
    }
  });

  it('survives 3000 random corruptions', async () => {
    const original = zipMapClassifier();
    let state = 42;
    const random = (n: number) => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) % n;
    const file = graphFile(original);
    for (let i = 0; i < 3000; i++) {
      const bytes = Uint8Array.from(original);
      for (let k = 0; k < 1 + random(4); k++) bytes[random(bytes.length)] = random(256);
      writeFileSync(file, bytes);
      await inspector.inspect(file).catch((error: { code: string }) => expect(error.code).toBe('onnx_invalid'));
    }
  });

  it('refuses outputs that are no tensors, and types that the runtime cannot exchange', async () => {
    const sequence = graph({
      nodes: [{ opType: 'SequenceConstruct', input: ['x'], output: ['y'] }],
      inputs: [value('x', 'FP32', ['N'])],
      outputs: [{ name: 'y', type: { sequenceType: { elemType: { tensorType: { elemType: 1 } } } } }],
    });
    expect((await refused(graphFile(sequence))).message).toContain("'y' is a sequence");
    expect((await refused(graphFile(identity('BF16')))).message).toContain('bfloat16');
  });

  it('refuses external data outside of the folder, by any way', async () => {
    const outside = join(mkdtempSync(join(tmpdir(), 'binnacle-out-')), 'w.bin');
    writeFileSync(outside, Buffer.alloc(8));
    for (const location of ['../w.bin', outside, 'a/../../w.bin', 'C:\\w.bin', '..\\w.bin', '', './']) {
      expect((await refused(graphFile(withExternalData(location)))).message).toMatch(/outside of the model's folder|not a relative path|is outside/);
    }
    const linked = graphFile(withExternalData('link.bin'));
    symlinkSync(outside, join(dirname(linked), 'link.bin'));
    expect((await refused(linked)).message).toContain('leads outside');
    expect((await refused(graphFile(withExternalData('w.bin')))).message).toContain('does not exist');
    const short = graphFile(withExternalData('w.bin', { offset: '4', length: '8' }));
    copyFileSync(outside, join(dirname(short), 'w.bin'));
    expect((await refused(short)).message).toContain('bytes 4 to 12, but it has 8');
  });

  it('accepts external data beside the graph', async () => {
    const file = graphFile(withExternalData('w.bin', { offset: '0', length: '8' }));
    writeFileSync(join(dirname(file), 'w.bin'), Buffer.from(Float32Array.of(2, 3).buffer));
    expect((await inspector.inspect(file)).inputs).toHaveLength(1);
    const model = runnable(await createOnnxRuntime().load(file, { tier: 'inline' }), 'm');
    const [y] = await model.run([{ name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 1) }]);
    expect(y?.data[0]).toBe(5);
    await model.close();
  });
});
