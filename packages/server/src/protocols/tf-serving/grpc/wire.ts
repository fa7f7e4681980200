/** A 64-bit integer as protobufjs reads it. */
export interface Long {
  low: number;
  high: number;
  toNumber(): number;
  toString(): string;
}

/** tensorflow.TensorProto as protobufjs reads it. The bytes are views of the message. */
export interface WireTensor {
  dtype: number;
  tensor_shape: { dim: { size: Long }[]; unknown_rank: boolean } | null;
  tensor_content: Buffer;
  half_val: number[];
  float_val: number[];
  double_val: number[];
  int_val: number[];
  string_val: Buffer[];
  int64_val: Long[];
  bool_val: boolean[];
  uint32_val: number[];
  uint64_val: Long[];
}

/** tensorflow.serving.ModelSpec; `version_choice` names the field that is set. */
export interface WireSpec {
  name: string;
  version_choice?: 'version' | 'version_label';
  version: { value: Long } | null;
  version_label: string;
  signature_name: string;
}

export interface WireFeature {
  kind?: 'bytes_list' | 'float_list' | 'int64_list';
  bytes_list: { value: Buffer[] } | null;
  float_list: { value: number[] } | null;
  int64_list: { value: Long[] } | null;
}
export interface WireExample {
  features: { feature: Record<string, WireFeature> } | null;
}
export interface WireInput {
  kind?: 'example_list' | 'example_list_with_context';
  example_list: { examples: WireExample[] } | null;
  example_list_with_context: { examples: WireExample[]; context: WireExample | null } | null;
}

export interface WirePredict {
  model_spec: WireSpec | null;
  inputs: Record<string, WireTensor>;
  output_filter: string[];
}

/** ClassificationRequest and RegressionRequest. */
export interface WireExamples {
  model_spec: WireSpec | null;
  input: WireInput | null;
}
export interface WireMulti {
  tasks: { model_spec: WireSpec | null; method_name: string }[];
  input: WireInput | null;
}
export interface WireMetadata {
  model_spec: WireSpec | null;
  metadata_field: string[];
}
export interface WireStatus {
  model_spec: WireSpec | null;
}
export interface WireReload {
  config: { config?: 'model_config_list' | 'custom_model_config' } | null;
}
