import type { TensorSpec } from '@binnacle/contract';
import { type BinnacleError, invalid } from '../kernel/index.ts';
import { isDataOf, type Tensor } from './tensor.ts';

const list = (names: readonly string[]): string => `[${names.map((name) => `'${name}'`).join(',')}]`;

/**
 * Puts the inputs into the graph's order and checks them against it: names, datatypes, shapes and the number of values. The texts are
 * those of Triton where it has one. A graph input of unknown rank has the shape [] and is left to the runtime.
 */
export function checkInputs(specs: readonly TensorSpec[], inputs: readonly Tensor[], model: string): Tensor[] {
  const bad = (code: string, text: string): BinnacleError => invalid(code, text);
  const out = Array.from<Tensor>({ length: specs.length });
  let found = 0;
  for (const input of inputs) {
    const index = specs.findIndex((spec) => spec.name === input.name);
    const spec = specs[index];
    if (spec === undefined)
      throw bad('unexpected_input', `unexpected inference input '${input.name}' for model '${model}'; it takes ${list(specs.map((s) => s.name))}`);
    if (out[index] !== undefined) throw bad('duplicate_input', `input '${input.name}' is given twice for model '${model}'`);
    if (input.datatype !== spec.datatype)
      throw bad('wrong_datatype', `inference input '${input.name}' data-type is '${input.datatype}', but model '${model}' expects '${spec.datatype}'`);
    if (!fits(spec.shape, input.shape))
      throw bad('wrong_shape', `unexpected shape for input '${input.name}' for model '${model}'. Expected [${spec.shape}], got [${input.shape}]`);
    let count = 1;
    for (const dimension of input.shape) count *= dimension;
    if (input.data.length !== count)
      throw bad('wrong_length', `input '${input.name}' for model '${model}' has ${input.data.length} values, but the shape [${input.shape}] needs ${count}`);
    if (!isDataOf(input.datatype, input.data))
      throw bad('wrong_datatype', `input '${input.name}' for model '${model}' is not made of ${input.datatype} values`);
    if (input.datatype === 'BYTES') checkStrings(input, model);
    out[index] = input;
    found++;
  }
  if (found !== specs.length) {
    const missing = specs.filter((_, i) => out[i] === undefined).map((s) => s.name);
    throw bad(
      'missing_input',
      `expected ${specs.length} inputs but got ${inputs.length} inputs for model '${model}'. Got input(s) ${list(inputs.map((i) => i.name))}, but missing required input(s) ${list(missing)}. Please provide all required input(s).`,
    );
  }
  return out;
}

function fits(expected: readonly number[], got: readonly number[]): boolean {
  for (const dimension of got) if (!Number.isSafeInteger(dimension) || dimension < 0) return false;
  if (expected.length === 0) return true;
  if (expected.length !== got.length) return false;
  for (let i = 0; i < got.length; i++) if (expected[i] !== -1 && expected[i] !== got[i]) return false;
  return true;
}

function checkStrings(input: Tensor, model: string): void {
  const data = input.data as string[];
  for (let i = 0; i < data.length; i++)
    if (typeof data[i] !== 'string') throw invalid('wrong_datatype', `input '${input.name}' for model '${model}': value ${i} is not a string`);
}

/** For a model that answers row by row: the runtime would repeat one input's only row beside the many of another. */
export function checkSameRows(inputs: readonly Tensor[], model: string): void {
  const [first] = inputs;
  const odd = inputs.find(({ shape }) => shape[0] !== first?.shape[0]);
  if (first !== undefined && odd !== undefined)
    throw invalid(
      'wrong_shape',
      `input '${odd.name}' for model '${model}' has ${odd.shape[0]} rows, but input '${first.name}' has ${first.shape[0]}; all inputs need as many`,
    );
}

/** The outputs that a request asks for, all by default. */
export function checkOutputs(specs: readonly TensorSpec[], names: readonly string[] | undefined, model: string): string[] {
  if (names === undefined || names.length === 0) return specs.map((spec) => spec.name);
  for (const name of names)
    if (!specs.some((spec) => spec.name === name))
      throw invalid('unexpected_output', `unexpected inference output '${name}' for model '${model}'; it has ${list(specs.map((s) => s.name))}`);
  return [...new Set(names)];
}
