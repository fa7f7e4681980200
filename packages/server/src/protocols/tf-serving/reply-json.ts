import { bytesOfText, floatList, halfToFloat, type Tensor } from '../../serving/index.ts';
import { bad } from './json.ts';
import type { PredictInput } from './predict-json.ts';

const SPECIAL = (value: number): string => (Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity');
const whole = (value: number): string => (Object.is(value, -0) ? '-0.0' : Math.abs(value) < 1e21 ? `${value}.0` : String(value));

/** Powers that bring all digits of most floats before the point; dividing gives the double that is nearest to the decimal, and the shortest to print. */
const SCALES = [1e6, 1e7, 1e8, 1e9];

/** As few digits as give the same float back, with `.0` behind whole numbers and the words NaN and Infinity, as TensorFlow Serving writes decimals. */
export function floatText(value: number): string {
  if (Number.isInteger(value)) return whole(value);
  if (!Number.isFinite(value)) return SPECIAL(value);
  for (const scale of SCALES) {
    const short = Math.round(value * scale) / scale;
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

function doubleText(value: number): string {
  if (Number.isInteger(value)) return whole(value);
  return Number.isFinite(value) ? String(value) : SPECIAL(value);
}

/** A tensor's values as JSON text. Outputs named `…_bytes` are base64. */
interface Texts {
  one(index: number): string;
  /** A list of those from one index to another, where that is quicker. */
  list?(from: number, to: number): string;
}

function textsOf(tensor: Tensor): Texts {
  const { name, datatype, data } = tensor;
  if (Array.isArray(data))
    return {
      one: name.endsWith('_bytes') ? (i) => `{"b64":"${bytesOfText(data[i] as string).toString('base64')}"}` : (i) => JSON.stringify(data[i]),
    };
  if (datatype === 'BOOL') return { one: (i) => (data[i] === 0 ? 'false' : 'true') };
  if (datatype !== 'FP16' && datatype !== 'FP32' && datatype !== 'FP64') return { one: (i) => String(data[i]) };
  const values = datatype === 'FP16' ? halfToFloat(data as Uint16Array) : (data as Float32Array | Float64Array);
  const text = datatype === 'FP64' ? doubleText : floatText;
  return { one: (i) => text(values[i] as number), list: (from, to) => floatList(values, from, to, true) };
}

/** A shorter list is as quickly put together. */
const FEW = 4;

function nested(texts: Texts, shape: readonly number[], dimension: number, from: number, size: number): string {
  if (dimension === shape.length) return texts.one(from);
  if (dimension === shape.length - 1 && size >= FEW && texts.list !== undefined) return texts.list(from, from + size);
  const count = shape[dimension] as number;
  const width = count === 0 ? 0 : size / count;
  let out = '[';
  for (let i = 0; i < count; i++) out += (i === 0 ? '' : ',') + nested(texts, shape, dimension + 1, from + i * width, width);
  return `${out}]`;
}

/** The answer to a :predict request; a single output drops its name. */
export const predictReply = (format: PredictInput['format'], outputs: readonly Tensor[]): string => (format === 'row' ? rows(outputs) : columns(outputs));

function rows(outputs: readonly Tensor[]): string {
  let batch = -1;
  for (const { name, shape } of outputs) {
    if (shape.length === 0) throw bad(`Tensor name: ${name} has no shape information `);
    if (batch >= 0 && shape[0] !== batch) throw bad(`Tensor name: ${name} has inconsistent batch size: ${shape[0]} expecting: ${batch}`);
    batch = shape[0] as number;
  }
  const parts = outputs.map((output) => ({
    key: outputs.length > 1 ? `${JSON.stringify(output.name)}:` : '',
    texts: textsOf(output),
    shape: output.shape,
    width: batch === 0 ? 0 : output.data.length / batch,
  }));
  let out = '{"predictions":[';
  for (let row = 0; row < batch; row++) {
    out += (row === 0 ? '' : ',') + (parts.length > 1 ? '{' : '');
    for (let i = 0; i < parts.length; i++) {
      const { key, texts, shape, width } = parts[i] as (typeof parts)[number];
      out += (i === 0 ? '' : ',') + key + nested(texts, shape, 1, row * width, width);
    }
    if (parts.length > 1) out += '}';
  }
  return `${out}]}`;
}

function columns(outputs: readonly Tensor[]): string {
  const text = (output: Tensor): string => nested(textsOf(output), output.shape, 0, 0, output.data.length);
  const [only] = outputs;
  if (outputs.length === 1 && only !== undefined) return `{"outputs":${text(only)}}`;
  return `{"outputs":{${outputs.map((output) => `${JSON.stringify(output.name)}:${text(output)}`).join(',')}}}`;
}
