import { invalid, messageOf } from '../kernel/index.ts';
import type { Signature } from '../registry/index.ts';
import { valuesToJson, wordsOf } from './json-values.ts';
import type { RunCall, Tensor } from '../serving/index.ts';

/** Columns whose values stand in a tensor of strings as JSON text. */
const NESTED = /^(array<|map<|object$|any$)/;

/**
 * The body of `POST /invocations`: `dataframe_split` for a signature of columns, `inputs` for one of tensors, and `params`. Throws `invalid` for a value that
 * has no form in it.
 */
export function scoringBody(signature: Signature, inputs: readonly Tensor[], call: RunCall | undefined): string {
  try {
    const params = call?.parameters === undefined || Object.keys(call.parameters).length === 0 ? '' : `,"params":${JSON.stringify(call.parameters)}`;
    return `{${signature.inputs.some(({ shape }) => shape !== undefined) ? tensors(inputs) : columns(signature, inputs)}${params}}`;
  } catch (error) {
    throw invalid('no_json_form', messageOf(error), { cause: error });
  }
}

function tensors(inputs: readonly Tensor[]): string {
  const [only] = inputs;
  // MLflow calls a tensor without a name by nothing at all.
  if (inputs.length === 1 && only !== undefined && only.name === '0') return `"inputs":${valuesToJson(only, { bareNaN: true }, only.shape)}`;
  return `"inputs":{${inputs.map((input) => `${JSON.stringify(input.name)}:${valuesToJson(input, { bareNaN: true }, input.shape)}`).join(',')}}`;
}

function columns(signature: Signature, inputs: readonly Tensor[]): string {
  const rows = inputs[0]?.shape[0] ?? 0;
  const words = inputs.map((input) => {
    const type = signature.inputs.find(({ name }) => name === input.name)?.type ?? '';
    if (input.data.length !== rows) throw new Error(`input '${input.name}' has ${input.data.length} values for ${rows} rows`);
    if (Array.isArray(input.data)) return input.data.map((value) => (NESTED.test(type) ? JSON.stringify(JSON.parse(value)) : JSON.stringify(value)));
    // A missing number is null in a data frame.
    return wordsOf(input, { bareNaN: true }).map((word) => (word === 'NaN' ? 'null' : word));
  });
  const data = Array.from({ length: rows }, (_, row) => `[${words.map((column) => column[row]).join(',')}]`);
  return `"dataframe_split":{"columns":${JSON.stringify(inputs.map(({ name }) => name))},"data":[${data.join(',')}]}`;
}
