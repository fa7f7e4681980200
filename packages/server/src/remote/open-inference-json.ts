import { invalid, messageOf } from '../kernel/index.ts';
import type { RunCall, Tensor } from '../serving/index.ts';
import { parseReply, valuesFromJson, valuesToJson } from './json-values.ts';
import { checkDatatype, checkShape } from './open-inference-values.ts';
import { parametersJson, parametersOf } from './parameters.ts';
import { valuesFromRaw, valuesToRaw } from './raw-values.ts';

interface ReplyOutput {
  name?: unknown;
  datatype?: unknown;
  shape?: unknown;
  data?: unknown;
  parameters?: { binary_data_size?: unknown };
}

/** An Open Inference request: JSON, and with `binary` the tensors that follow it. Throws `invalid` for a value that JSON has no form for. */
export function openInferenceRequest(
  inputs: readonly Tensor[],
  outputs: readonly string[],
  call: RunCall | undefined,
  binary: boolean,
): { json: string; tensors: Buffer[] } {
  const tensors: Buffer[] = [];
  const parts = inputs.map((input) => {
    const spec = `{"name":${JSON.stringify(input.name)},"datatype":"${input.datatype}","shape":[${input.shape.join(',')}]`;
    if (!binary) return `${spec},"data":${json(input)}}`;
    const bytes = valuesToRaw(input);
    tensors.push(bytes);
    return `${spec},"parameters":{"binary_data_size":${bytes.length}}}`;
  });
  const parameters = { ...parametersOf(call), ...(binary ? { binary_data_output: true } : {}) };
  // Triton takes the request's binary_data_output for outputs that are not named only.
  const form = binary ? ',"parameters":{"binary_data":true}' : '';
  const asked = outputs.length === 0 ? '' : `,"outputs":[${outputs.map((name) => `{"name":${JSON.stringify(name)}${form}}`).join(',')}]`;
  const said = Object.keys(parameters).length === 0 ? '' : `,"parameters":${parametersJson(parameters)}`;
  return { json: `{"inputs":[${parts.join(',')}]${asked}${said}}`, tensors };
}

function json(input: Tensor): string {
  try {
    return valuesToJson(input, { bareNaN: false });
  } catch (error) {
    throw invalid('no_json_form', messageOf(error), { cause: error });
  }
}

/** The answer's tensors; `jsonLength` bytes of it are JSON, the rest binary. Throws an Error that says what is wrong with it. */
export function openInferenceOutputs(body: Buffer, jsonLength: number = body.length): Tensor[] {
  if (!(jsonLength <= body.length)) throw new Error('its header is longer than its body');
  const text = body.toString('utf8', 0, jsonLength);
  const { outputs } = parseReply(text, text.includes('INT64"')) as { outputs?: unknown };
  if (!Array.isArray(outputs)) throw new Error('it has no outputs');
  let at = jsonLength;
  return outputs.map(({ name, datatype, shape, data, parameters }: ReplyOutput) => {
    if (typeof name !== 'string') throw new Error('an output has no name');
    const [type, sizes] = [checkDatatype(name, datatype), checkShape(name, shape)];
    const size = parameters?.binary_data_size;
    if (size === undefined) return valuesFromJson(name, type, sizes, data);
    const end = at + Number(size);
    if (!Number.isSafeInteger(end) || end > body.length) throw new Error(`output '${name}' ends beyond the body`);
    const bytes = body.subarray(at, end);
    at = end;
    return valuesFromRaw(name, type, sizes, bytes);
  });
}
