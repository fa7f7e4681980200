/** A 64-bit integer as protobufjs reads it. */
export interface Long {
  low: number;
  high: number;
  unsigned: boolean;
  toNumber(): number;
  toString(): string;
}

/** inference.InferParameter as protobufjs reads it; `parameter_choice` names the field that is set. */
export interface WireParameter {
  parameter_choice?: 'bool_param' | 'int64_param' | 'string_param' | 'double_param' | 'uint64_param';
  bool_param: boolean;
  int64_param: Long;
  string_param: string;
  double_param: number;
  uint64_param: Long;
}
export type WireParameters = Record<string, WireParameter>;

export interface WireContents {
  bool_contents: boolean[];
  int_contents: number[];
  int64_contents: Long[];
  uint_contents: number[];
  uint64_contents: Long[];
  fp32_contents: number[];
  fp64_contents: number[];
  bytes_contents: Buffer[];
}

export interface WireInput {
  name: string;
  datatype: string;
  shape: Long[];
  parameters: WireParameters;
  contents: WireContents | null;
}

/** inference.ModelInferRequest. The raw contents are views of the message. */
export interface WireRequest {
  model_name: string;
  model_version: string;
  id: string;
  parameters: WireParameters;
  inputs: WireInput[];
  outputs: { name: string; parameters: WireParameters }[];
  raw_input_contents: Buffer[];
}

/** Model and version, by name, as most methods ask for them. */
export interface WireModel {
  name: string;
  version: string;
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** A 64-bit integer as a number where that is exact, else as a BigInt. */
function integerOf(value: Long): number | bigint {
  const exact = BigInt(value.toString());
  return exact <= MAX_SAFE && exact >= -MAX_SAFE ? Number(exact) : exact;
}

function valueOf(parameter: WireParameter): string | number | boolean | bigint | undefined {
  switch (parameter.parameter_choice) {
    case 'bool_param':
      return parameter.bool_param;
    case 'int64_param':
      return integerOf(parameter.int64_param);
    case 'uint64_param':
      return integerOf(parameter.uint64_param);
    case 'string_param':
      return parameter.string_param;
    case 'double_param':
      return parameter.double_param;
    default:
      return undefined;
  }
}

const NONE: Readonly<Record<string, never>> = {};

/** Parameters by name; one without a value is left out. */
export function valuesOf(parameters: WireParameters): Readonly<Record<string, string | number | boolean | bigint>> {
  let out: Record<string, string | number | boolean | bigint> | undefined;
  for (const [name, parameter] of Object.entries(parameters)) {
    const value = valueOf(parameter);
    if (value !== undefined) (out ??= {})[name] = value;
  }
  return out ?? NONE;
}
