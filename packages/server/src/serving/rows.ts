import type { Tensor, TensorData } from './tensor.ts';

type Numeric = Exclude<TensorData, string[]>;

/** Rows of a request whose inputs all have the same first dimension, else 0: it cannot be merged. */
export function rowsOf(inputs: readonly Tensor[]): number {
  const rows = inputs[0]?.shape[0] ?? 0;
  for (const { shape } of inputs) if (shape[0] !== rows) return 0;
  return rows;
}

/** True when two requests have the same inputs in the same order, which differ in the first dimension only. */
export function sameTail(a: readonly Tensor[], b: readonly Tensor[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const left = a[i] as Tensor;
    const right = b[i] as Tensor;
    if (left.name !== right.name || left.datatype !== right.datatype) return false;
    const { shape: x } = left;
    const { shape: y } = right;
    if (x.length !== y.length) return false;
    for (let d = 1; d < x.length; d++) if (x[d] !== y[d]) return false;
  }
  return true;
}

/** Requests one below the other, input by input. The result has buffers of its own. */
export function concatRows(requests: readonly (readonly Tensor[])[]): Tensor[] {
  const first = requests[0] ?? [];
  return first.map((head, i) => {
    const parts = requests.map((request) => request[i] as Tensor);
    const shape = [parts.reduce((n, part) => n + (part.shape[0] ?? 0), 0), ...head.shape.slice(1)];
    return { name: head.name, datatype: head.datatype, shape, data: concatData(parts.map((part) => part.data)) };
  });
}

function concatData(parts: readonly TensorData[]): TensorData {
  const head = parts[0];
  if (head === undefined || Array.isArray(head)) return (parts as string[][]).flat();
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new (head.constructor as new (length: number) => Numeric)(length);
  let at = 0;
  for (const part of parts as Numeric[]) {
    (out as Uint8Array).set(part as Uint8Array, at);
    at += part.length;
  }
  return out;
}

/** Some rows of a tensor, as a view where the data allows it. */
export function sliceRows(tensor: Tensor, from: number, to: number): Tensor {
  const rows = tensor.shape[0] ?? 0;
  const width = rows === 0 ? 0 : tensor.data.length / rows;
  const data = Array.isArray(tensor.data) ? tensor.data.slice(from * width, to * width) : tensor.data.subarray(from * width, to * width);
  return { name: tensor.name, datatype: tensor.datatype, shape: [to - from, ...tensor.shape.slice(1)], data };
}

/** The outputs of a merged run, a request each; undefined when an output's first dimension is not the number of rows put in. */
export function splitRows(outputs: readonly Tensor[], rows: readonly number[]): Tensor[][] | undefined {
  const total = rows.reduce((n, r) => n + r, 0);
  if (outputs.some((output) => output.shape[0] !== total)) return undefined;
  let at = 0;
  return rows.map((count) => {
    const part = outputs.map((output) => sliceRows(output, at, at + count));
    at += count;
    return part;
  });
}
