import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;
type Node = Parameters<typeof onnx.NodeProto.create>[0];

/** ONNX's element types by Open Inference's names. */
export const ELEMENT: Record<string, number> = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
  BF16: 16,
};

/** A graph's input or output; a string is a named free dimension. */
export const value = (name: string, datatype: string, shape: (number | string)[]) => ({
  name,
  type: { tensorType: { elemType: ELEMENT[datatype] ?? 0, shape: { dim: shape.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d })) } } },
});

export const floats = (name: string, dims: number[], data: number[]) => ({ name, dims, dataType: 1, floatData: data });

export function graph(parts: {
  nodes: Node[];
  inputs: object[];
  outputs: object[];
  weights?: object[];
  ml?: boolean;
  onlyMl?: boolean;
  irVersion?: number;
}): Uint8Array {
  const imports = [...(parts.onlyMl ? [] : [{ domain: '', version: 13 }]), ...(parts.ml || parts.onlyMl ? [{ domain: 'ai.onnx.ml', version: 1 }] : [])];
  return onnx.ModelProto.encode({
    irVersion: parts.irVersion ?? 7,
    opsetImport: imports,
    graph: { name: 'g', node: parts.nodes, input: parts.inputs, output: parts.outputs, initializer: parts.weights ?? [] },
  } as never).finish();
}

export const identity = (datatype: string, shape: (number | string)[] = ['N', 2]): Uint8Array =>
  graph({ nodes: [{ opType: 'Identity', input: ['x'], output: ['y'] }], inputs: [value('x', datatype, shape)], outputs: [value('y', datatype, shape)] });

/** y[N,1] = x[N,width] · (scale, scale …). */
export const sum = (width: number, scale = 1): Uint8Array =>
  graph({
    nodes: [{ opType: 'MatMul', input: ['x', 'w'], output: ['y'] }],
    inputs: [value('x', 'FP32', ['N', width])],
    outputs: [value('y', 'FP32', ['N', 1])],
    weights: [
      floats(
        'w',
        [width, 1],
        Array.from({ length: width }, () => scale),
      ),
    ],
  });

/** total[N,1] = a[N,1] + b[N,1], and b back. */
export const twoColumns = (): Uint8Array =>
  graph({
    nodes: [
      { opType: 'Add', input: ['a', 'b'], output: ['total'] },
      { opType: 'Identity', input: ['b'], output: ['again'] },
    ],
    inputs: [value('a', 'FP32', ['N', 1]), value('b', 'FP32', ['N', 1])],
    outputs: [value('total', 'FP32', ['N', 1]), value('again', 'FP32', ['N', 1])],
  });

/** Its free first dimension is no batch: every row is divided by the mean of all. */
export const overTheBatch = (): Uint8Array =>
  graph({
    nodes: [
      { opType: 'ReduceMean', input: ['x'], output: ['m'], attribute: [{ name: 'axes', type: 7, ints: [0] }] },
      { opType: 'Sub', input: ['x', 'm'], output: ['y'] },
    ],
    inputs: [value('x', 'FP32', ['N', 2])],
    outputs: [value('y', 'FP32', ['N', 2])],
  });

/** A slow graph: a chain of large matrix products, about a millisecond or more a row. */
export const slow = (layers = 12, width = 256): Uint8Array => {
  const weights = floats(
    'w',
    [width, width],
    Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0)),
  );
  return graph({
    nodes: Array.from({ length: layers }, (_, i) => ({
      opType: 'MatMul',
      input: [i === 0 ? 'x' : `h${i}`, 'w'],
      output: [i === layers - 1 ? 'y' : `h${i + 1}`],
    })),
    inputs: [value('x', 'FP32', ['N', width])],
    outputs: [value('y', 'FP32', ['N', width])],
    weights: [weights],
  });
};

/** y = 0 + 1 + 1 …, as often as `turns` says: a request decides how long it runs. */
export const endless = (): Uint8Array => {
  const scalar = (name: string, datatype: string) => value(name, datatype, []);
  const body = {
    name: 'body',
    node: [
      { opType: 'Identity', input: ['go_on'], output: ['go_on_out'] },
      { opType: 'Add', input: ['so_far', 'one'], output: ['more'] },
    ],
    input: [scalar('i', 'INT64'), scalar('go_on', 'BOOL'), scalar('so_far', 'FP32')],
    output: [scalar('go_on_out', 'BOOL'), scalar('more', 'FP32')],
  };
  return graph({
    nodes: [{ opType: 'Loop', input: ['turns', '', 'zero'], output: ['y'], attribute: [{ name: 'body', type: 5, g: body }] }],
    inputs: [scalar('turns', 'INT64')],
    outputs: [scalar('y', 'FP32')],
    weights: [floats('zero', [], [0]), floats('one', [], [1])],
  });
};

/** skl2onnx's default classifier: label and a ZipMap of the probabilities. */
export const zipMapClassifier = (options: { onlyMl?: boolean; strings?: string[]; ints?: number[] } = {}): Uint8Array =>
  graph({
    ml: true,
    onlyMl: options.onlyMl === true,
    nodes: [
      {
        opType: 'LinearClassifier',
        domain: 'ai.onnx.ml',
        input: ['x'],
        output: ['label', 'scores'],
        attribute: [
          { name: 'coefficients', type: 6, floats: [1, 0, 0, 1] },
          { name: 'intercepts', type: 6, floats: [0, 0] },
          { name: 'classlabels_ints', type: 7, ints: [0, 1] },
          { name: 'post_transform', type: 3, s: Buffer.from('SOFTMAX') },
        ],
      },
      {
        opType: 'ZipMap',
        domain: 'ai.onnx.ml',
        input: ['scores'],
        output: ['output_probability'],
        attribute: [
          options.strings === undefined
            ? { name: 'classlabels_int64s', type: 7, ints: options.ints ?? [0, 1] }
            : { name: 'classlabels_strings', type: 8, strings: options.strings.map((label) => Buffer.from(label)) },
        ],
      },
    ],
    inputs: [value('x', 'FP32', ['N', 2])],
    outputs: [
      value('label', 'INT64', ['N']),
      { name: 'output_probability', type: { sequenceType: { elemType: { mapType: { keyType: 7, valueType: { tensorType: { elemType: 1 } } } } } } },
    ],
  });

/** y[N,2] = softmax(x[N,2]), called `probabilities`, and the `label` of the higher. */
export const classifier = (): Uint8Array =>
  graph({
    nodes: [
      { opType: 'Softmax', input: ['x'], output: ['probabilities'], attribute: [{ name: 'axis', type: 2, i: 1 }] },
      {
        opType: 'ArgMax',
        input: ['x'],
        output: ['label'],
        attribute: [
          { name: 'axis', type: 2, i: 1 },
          { name: 'keepdims', type: 2, i: 0 },
        ],
      },
    ],
    inputs: [value('x', 'FP32', ['N', 2])],
    outputs: [value('label', 'INT64', ['N']), value('probabilities', 'FP32', ['N', 2])],
  });

/** probabilities[N,2] = softmax(x[N,2]), and the sum of each row as `total`[N,1]. */
export const classifierAndValue = (): Uint8Array =>
  graph({
    nodes: [
      { opType: 'Softmax', input: ['x'], output: ['probabilities'], attribute: [{ name: 'axis', type: 2, i: 1 }] },
      { opType: 'MatMul', input: ['x', 'w'], output: ['total'] },
    ],
    inputs: [value('x', 'FP32', ['N', 2])],
    outputs: [value('probabilities', 'FP32', ['N', 2]), value('total', 'FP32', ['N', 1])],
    weights: [floats('w', [2, 1], [1, 1])],
  });

/** Weights in another file. */
export const withExternalData = (location: string, entries: Record<string, string> = {}): Uint8Array =>
  graph({
    nodes: [{ opType: 'MatMul', input: ['x', 'w'], output: ['y'] }],
    inputs: [value('x', 'FP32', ['N', 2])],
    outputs: [value('y', 'FP32', ['N', 1])],
    weights: [
      { name: 'w', dims: [2, 1], dataType: 1, dataLocation: 1, externalData: Object.entries({ location, ...entries }).map(([key, v]) => ({ key, value: v })) },
    ],
  });

/** Writes a graph into a folder of its own. */
export function graphFile(bytes: Uint8Array, name = 'model.onnx'): string {
  const file = join(mkdtempSync(join(tmpdir(), 'binnacle-onnx-')), name);
  writeFileSync(file, bytes);
  return file;
}
