import type { TensorSpec } from '@binnacle/contract';

/** How an input takes an image: which of its dimensions are what. */
export interface ImageInput {
  name: string;
  datatype: 'FP32' | 'UINT8';
  layout: 'NCHW' | 'NHWC';
  channels: 1 | 3;
  /** Null where any is taken. */
  height: number | null;
  width: number | null;
}

/** What the values of the pixels become in a model that takes floats; ImageNet: its mean and standard deviation. */
export const IMAGE_SCALES = ['0–1', '0–255', 'ImageNet'] as const;
export type ImageScale = (typeof IMAGE_SCALES)[number];
const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];

/** The input of a model that looks like one image: four dimensions of floats or bytes, one of them one or three channels. */
export function imageInput(inputs: readonly TensorSpec[]): ImageInput | undefined {
  const [input] = inputs;
  if (input === undefined || inputs.length !== 1 || input.shape.length !== 4) return undefined;
  const { name, datatype, shape } = input;
  if (datatype !== 'FP32' && datatype !== 'UINT8') return undefined;
  const [, a = 0, b = 0, c = 0] = shape;
  const free = (size: number) => (size === -1 ? null : size);
  if (a === 1 || a === 3) return { name, datatype, layout: 'NCHW', channels: a, height: free(b), width: free(c) };
  if (c === 1 || c === 3) return { name, datatype, layout: 'NHWC', channels: c, height: free(a), width: free(b) };
  return undefined;
}

/** Pixels (RGBA, four bytes each, row by row) as the values of the input, in its layout. */
export function imageTensor(pixels: ArrayLike<number>, width: number, height: number, input: ImageInput, scale: ImageScale): Float32Array | Uint8Array {
  const { channels, layout, datatype } = input;
  const out = datatype === 'UINT8' ? new Uint8Array(channels * width * height) : new Float32Array(channels * width * height);
  for (let i = 0; i < width * height; i++) {
    for (let k = 0; k < channels; k++) {
      const at = layout === 'NCHW' ? k * width * height + i : i * channels + k;
      // ITU-R BT.601's luma for one channel.
      const value =
        channels === 3 ? (pixels[i * 4 + k] ?? 0) : 0.299 * (pixels[i * 4] ?? 0) + 0.587 * (pixels[i * 4 + 1] ?? 0) + 0.114 * (pixels[i * 4 + 2] ?? 0);
      // Bytes take what is nearest; the array itself would cut (254.97 is white, not 254).
      out[at] =
        datatype === 'UINT8' ? Math.round(value) : scale === '0–255' ? value : scale === '0–1' ? value / 255 : (value / 255 - (MEAN[k] ?? 0)) / (STD[k] ?? 1);
    }
  }
  return out;
}

/** An Open Inference request with the image as a binary tensor behind the JSON (docs/protocol/extension_binary_data.md of Triton). */
export function imageRequest(
  data: Float32Array | Uint8Array,
  width: number,
  height: number,
  input: ImageInput,
): { body: Uint8Array<ArrayBuffer>; headerBytes: number } {
  const shape = input.layout === 'NCHW' ? [1, input.channels, height, width] : [1, height, width, input.channels];
  const head = new TextEncoder().encode(
    JSON.stringify({ inputs: [{ name: input.name, datatype: input.datatype, shape, parameters: { binary_data_size: data.byteLength } }] }),
  );
  const body = new Uint8Array(head.length + data.byteLength);
  body.set(head);
  body.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), head.length);
  return { body, headerBytes: head.length };
}

export interface Score {
  index: number;
  value: number;
  /** What the model calls the class. */
  label?: string;
}

/**
 * The largest values of one row, of the first output that reads like scores of classes: in an Open Inference reply, or in that of an invocation.
 * `labels`: names of the classes, by output.
 */
export function topScores(reply: unknown, count = 5, labels: Readonly<Record<string, readonly string[]>> = {}): Score[] | undefined {
  const found = rowOf(reply);
  if (found === undefined || !found.values.every((value) => typeof value === 'number')) return undefined;
  const names = Object.hasOwn(labels, found.output) ? labels[found.output] : undefined;
  return (found.values as number[])
    .map((value, index) => ({ index, value, ...(names?.[index] ? { label: names[index] } : {}) }))
    .sort((a, b) => b.value - a.value)
    .slice(0, count);
}

function rowOf(reply: unknown): { output: string; values: unknown[] } | undefined {
  const { outputs, predictions } = (reply ?? {}) as { outputs?: { name?: string; shape: number[]; data: unknown }[]; predictions?: unknown };
  const output = outputs?.find(({ shape, data }) => Array.isArray(data) && data.length > 1 && shape[0] === 1 && shape.length === 2);
  if (output !== undefined) return { output: output.name ?? '', values: output.data as unknown[] };
  if (typeof predictions !== 'object' || predictions === null) return undefined;
  // Records, a row each; or the outputs by name, with their rows inside.
  const rows = Array.isArray(predictions) ? (predictions as unknown[]) : undefined;
  if (rows !== undefined && (rows.length !== 1 || typeof rows[0] !== 'object' || rows[0] === null)) return undefined;
  for (const [name, value] of Object.entries((rows?.[0] ?? predictions) as object)) {
    if (!Array.isArray(value)) continue;
    const values: unknown = rows !== undefined ? value : value.length === 1 ? value[0] : undefined;
    if (Array.isArray(values) && values.length > 1) return { output: name, values };
  }
  return undefined;
}
