import { classLabels, halfToFloat, type Tensor, type VersionInfo } from '../../serving/index.ts';
import { bad } from './json.ts';
import { floatText } from './reply-json.ts';
import { classOutputs, valueOutput } from './signatures.ts';

export interface ClassScore {
  label: string;
  score: number;
}

const inSignature = (version: VersionInfo): string => version.outputs.map(({ name, datatype, shape }) => `${name} ${datatype}[${shape}]`).join(', ');

/** The outputs that a method needs. Throws `invalid` for a model that has none such. */
export function outputsFor(version: VersionInfo, method: 'classify' | 'regress'): string[] {
  if (method === 'regress') {
    const value = valueOutput(version);
    if (value === undefined) throw bad(`No regression outputs found in SignatureDef: ${inSignature(version)} (one output [N] or [N,1] of floats is needed)`);
    return [value.name];
  }
  const found = classOutputs(version);
  if (found === undefined)
    throw bad(
      `Expected classification signature outputs to contain at least one of "classes" or "scores". Signature was: ${inSignature(version)} (scores [N,K] of floats, or classes, are needed)`,
    );
  return [found.classes, found.scores].filter((output) => output !== undefined).map(({ name }) => name);
}

const numbersOf = ({ datatype, data }: Tensor): ArrayLike<number | bigint | string> => (datatype === 'FP16' ? halfToFloat(data as Uint16Array) : data);

function checkRows(what: string, tensor: Tensor, rows: number): void {
  if (tensor.shape.length !== 1 && tensor.shape.length !== 2) throw bad(`Expected Tensor shape: [batch_size num_classes] but got [${tensor.shape}]`);
  if (tensor.shape[0] !== rows) throw bad(`Expected ${what} output batch size of ${rows}. Got: ${tensor.shape[0]}`);
}

/** Classes with their scores for each of `rows` examples, in the model's order. A class without a name is called by its number. */
export function classesOf(version: VersionInfo, outputs: readonly Tensor[], rows: number): ClassScore[][] {
  const found = classOutputs(version);
  const by = (name: string | undefined): Tensor | undefined => (name === undefined ? undefined : outputs.find((output) => output.name === name));
  const scores = by(found?.scores?.name);
  const classes = by(found?.classes?.name);
  if (scores !== undefined) checkRows('scores', scores, rows);
  if (classes !== undefined) checkRows('classes', classes, rows);
  const widthOf = (tensor: Tensor): number => tensor.data.length / Math.max(1, rows);
  const width = scores === undefined ? (classes === undefined ? 0 : widthOf(classes)) : widthOf(scores);
  if (scores !== undefined && classes !== undefined && widthOf(classes) !== width)
    throw bad(`Tensors class and score should match in dim_size(1). Got ${widthOf(classes)} vs. ${width}`);
  const names = scores === undefined || classes !== undefined ? undefined : classLabels(version.pkg, scores.name);
  const numbers = scores === undefined ? undefined : (numbersOf(scores) as ArrayLike<number>);
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: width }, (_unused, k) => {
      const at = row * width + k;
      const named = names?.[k];
      return {
        label: classes === undefined ? (named === undefined || named === '' ? String(k) : named) : String(classes.data[at]),
        score: numbers === undefined ? 0 : (numbers[at] as number),
      };
    }),
  );
}

/** One number for each of `rows` examples. */
export function valuesOf(version: VersionInfo, outputs: readonly Tensor[], rows: number): number[] {
  const output = outputs.find(({ name }) => name === valueOutput(version)?.name);
  if (output === undefined) throw bad(`Could not find output tensor '${valueOutput(version)?.name}'`);
  if (output.data.length !== rows || output.shape[0] !== rows)
    throw bad(`Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [${output.shape}] for ${rows} examples`);
  return Array.from(numbersOf(output) as ArrayLike<number>);
}

export const classifyReply = (results: readonly (readonly ClassScore[])[]): string =>
  `{"results":[${results.map((row) => `[${row.map(({ label, score }) => `[${JSON.stringify(label)},${floatText(score)}]`).join(',')}]`).join(',')}]}`;

export const regressReply = (values: readonly number[]): string => `{"results":[${values.map(floatText).join(',')}]}`;
