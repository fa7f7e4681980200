import { floatList, halfToFloat, type Tensor } from '../../serving/index.ts';

/** A tensor's values as JSON text; NaN and infinities have none and become null. */
interface Texts {
  one(index: number): string;
  /** A list of those from one index to another, where that is quicker. */
  list?(from: number, to: number): string;
}

function textsOf(tensor: Tensor): Texts {
  const { data, datatype } = tensor;
  if (Array.isArray(data)) return { one: (i) => JSON.stringify(data[i]) };
  if (datatype === 'BOOL') return { one: (i) => (data[i] === 0 ? 'false' : 'true') };
  if (datatype !== 'FP16' && datatype !== 'FP32' && datatype !== 'FP64') return { one: (i) => String(data[i]) };
  const values = datatype === 'FP16' ? halfToFloat(data as Uint16Array) : (data as Float32Array | Float64Array);
  let doubles: Float64Array | undefined;
  return {
    one(i) {
      const value = values[i] as number;
      return Number.isFinite(value) ? String(value) : 'null';
    },
    // MLflow writes floats with the digits of doubles.
    list: (from, to) => floatList((doubles ??= values instanceof Float64Array ? values : new Float64Array(values)), from, to),
  };
}

/** A shorter list is as quickly put together. */
const FEW = 4;

function nested(texts: Texts, shape: readonly number[], depth: number, from: number, size: number): string {
  if (depth === shape.length) return texts.one(from);
  if (depth === shape.length - 1 && size >= FEW && texts.list !== undefined) return texts.list(from, from + size);
  const count = shape[depth] ?? 0;
  const width = count === 0 ? 0 : size / count;
  let out = '[';
  for (let i = 0; i < count; i++) out += (i === 0 ? '' : ',') + nested(texts, shape, depth + 1, from + i * width, width);
  return `${out}]`;
}

/** A table in, records out, as a DataFrame goes to JSON: an output [N] or [N,1] gives a value a row, a wider one a list. */
export function recordsAnswer(outputs: readonly Tensor[], rows: number): string {
  const parts = outputs.map((output) => {
    const width = rows === 0 ? 0 : output.data.length / rows;
    const texts = textsOf(output);
    const inner = output.shape.slice(1);
    return { key: `${JSON.stringify(output.name)}:`, row: (row: number) => (width === 1 ? texts.one(row) : nested(texts, inner, 0, row * width, width)) };
  });
  let out = '{"predictions":[';
  for (let row = 0; row < rows; row++) {
    out += row === 0 ? '{' : ',{';
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as (typeof parts)[number];
      out += (i === 0 ? '' : ',') + part.key + part.row(row);
    }
    out += '}';
  }
  return `${out}]}`;
}

/** Tensors in, the outputs by name out. */
export const namedAnswer = (outputs: readonly Tensor[]): string =>
  `{"predictions":{${outputs.map((output) => `${JSON.stringify(output.name)}:${nested(textsOf(output), output.shape, 0, 0, output.data.length)}`).join(',')}}}`;

/** Rows of comma-separated values without a header, as containers of SageMaker answer CSV; NaN and infinities are empty. */
export function csvAnswer(outputs: readonly Tensor[], rows: number): string {
  const parts = outputs.map((output) => ({ text: csvTextsOf(output), width: rows === 0 ? 0 : output.data.length / rows }));
  let out = '';
  for (let row = 0; row < rows; row++) {
    const cells: string[] = [];
    for (const { text, width } of parts) for (let i = 0; i < width; i++) cells.push(text(row * width + i));
    out += `${cells.join(',')}\n`;
  }
  return out;
}

function csvTextsOf(tensor: Tensor): (index: number) => string {
  const { data } = tensor;
  if (Array.isArray(data)) return (i) => (/[",\r\n]/.test(data[i] as string) ? `"${(data[i] as string).replaceAll('"', '""')}"` : (data[i] as string));
  const texts = textsOf(tensor);
  return (i) => {
    const value = texts.one(i);
    return value === 'null' ? '' : value;
  };
}
