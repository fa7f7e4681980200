import type { TensorSpec } from '@binnacle/contract';
import { type BinnacleError, invalid } from '../../kernel/index.ts';
import type { SequenceCall } from '../model-runtime.port.ts';
import { datatypeOf } from '../repository/datatypes.ts';
import type { ConfigControl, ConfigSequenceBatching } from '../repository/model-config.ts';
import type { Datatype, Tensor, TensorData } from '../tensor.ts';

/** Makes one input of the graph out of a request's place in its sequence. */
export interface Control {
  name: string;
  tensor(call: SequenceCall): Tensor;
}

const bad = (text: string): BinnacleError => invalid('invalid_model_config', text);

/** The inputs by which a graph is told where a sequence stands. Throws `invalid` with Triton's texts for controls that are none, or do not fit the graph. */
export function controlsOf(model: string, { control_input: given = [] }: ConfigSequenceBatching, inputs: readonly TensorSpec[]): Control[] {
  const kinds = new Set<string>();
  const out: Control[] = [];
  for (const { name = '', control = [] } of given) {
    if (name === '') throw bad(`sequence batching control tensor must have a name for ${model}`);
    if (out.some((each) => each.name === name) || control.length > 1)
      throw bad(`sequence batching control tensor '${name}' is specified for multiple control kinds for ${model}`);
    const [of] = control;
    if (of === undefined) throw bad(`sequence batching control tensor '${name}' has no control for ${model}`);
    const kind = of.kind ?? 'CONTROL_SEQUENCE_START';
    if (kinds.has(kind)) throw bad(`sequence batching specifies multiple ${kind} tensors for ${model}`);
    kinds.add(kind);
    const input = inputs.find((each) => each.name === name);
    if (input === undefined) throw bad(`sequence batching control tensor '${name}' is no input of the graph of ${model}`);
    out.push(kind === 'CONTROL_SEQUENCE_CORRID' ? corrid(model, name, of, input) : flag(model, name, kind, of, input));
  }
  return out;
}

/** One value, in as many dimensions as the graph wants. */
const shapeOf = ({ shape }: TensorSpec): number[] => (shape.length === 0 ? [1] : shape.map(() => 1));

function checkType(model: string, { name, datatype }: TensorSpec, given: Datatype): void {
  if (datatype !== given)
    throw bad(`unable to load model '${model}', configuration expects datatype ${given} for the control '${name}', model provides ${datatype}`);
}

function flag(model: string, name: string, kind: string, of: ConfigControl, input: TensorSpec): Control {
  const pairs: [string, Datatype, readonly (number | boolean)[]][] = [
    ['int32_false_true', 'INT32', of.int32_false_true ?? []],
    ['fp32_false_true', 'FP32', of.fp32_false_true ?? []],
    ['bool_false_true', 'BOOL', of.bool_false_true ?? []],
  ];
  const set = pairs.filter(([, , values]) => values.length > 0);
  const [chosen] = set;
  if (chosen === undefined)
    throw bad(`sequence batching must specify either 'int32_false_true', 'fp32_false_true' or 'bool_false_true' for ${kind} for ${model}`);
  if (set.length > 1)
    throw bad(`sequence batching specifies more than one from 'int32_false_true', 'fp32_false_true' and 'bool_false_true' for ${kind} for ${model}`);
  const [field, datatype, values] = chosen;
  if (values.length !== 2) throw bad(`sequence batching control '${field}' must have exactly 2 entries for ${kind} for ${model}`);
  checkType(model, input, datatype);
  const shape = shapeOf(input);
  const make = (value: number): TensorData =>
    datatype === 'INT32' ? Int32Array.of(value) : datatype === 'FP32' ? Float32Array.of(value) : Uint8Array.of(value);
  const [no, yes] = [Number(values[0]), Number(values[1])];
  const is =
    kind === 'CONTROL_SEQUENCE_START' ? (call: SequenceCall) => call.start : kind === 'CONTROL_SEQUENCE_END' ? (call: SequenceCall) => call.end : () => true;
  return { name, tensor: (call) => ({ name, datatype, shape, data: make(is(call) ? yes : no) }) };
}

function corrid(model: string, name: string, of: ConfigControl, input: TensorSpec): Control {
  const datatype = datatypeOf(of.data_type);
  if (datatype === undefined || !['UINT64', 'INT64', 'UINT32', 'INT32', 'BYTES'].includes(datatype))
    throw bad(
      `unexpected data type for control CONTROL_SEQUENCE_CORRID for ${model}. Allowed data types are TYPE_UINT64, TYPE_INT64, TYPE_UINT32, TYPE_INT32 and TYPE_STRING`,
    );
  checkType(model, input, datatype);
  const shape = shapeOf(input);
  const make = (id: string | bigint): TensorData => {
    if (datatype === 'BYTES') return [String(id)];
    if (typeof id === 'string')
      throw invalid('sequence_id_type', `the sequence id '${id.slice(0, 100)}' is a string, but model '${model}' takes it as ${datatype}: use a whole number`);
    if (datatype === 'UINT64') return BigUint64Array.of(id);
    if (datatype === 'INT64') return BigInt64Array.of(id);
    const low = Number(BigInt.asUintN(32, id));
    return datatype === 'UINT32' ? Uint32Array.of(low) : Int32Array.of(low);
  };
  return { name, tensor: (call) => ({ name, datatype, shape, data: make(call.id) }) };
}
