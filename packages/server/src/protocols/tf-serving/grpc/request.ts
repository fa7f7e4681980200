import { invalid } from '../../../kernel/index.ts';
import { type Tensor, textOfBytes, type VersionInfo } from '../../../serving/index.ts';
import type { ModelSpec } from '../errors.ts';
import { type Example, withContext } from '../examples.ts';
import { bad } from '../json.ts';
import { tensorOf } from './tensor-request.ts';
import type { Long, WireExample, WireFeature, WireInput, WireSpec, WireTensor } from './wire.ts';

/** Throws `invalid` for a version beyond what a version can be. */
export function specOf(spec: WireSpec | null): ModelSpec {
  if (spec === null) throw invalid('invalid_request', 'Missing ModelSpec');
  const version = spec.version_choice === 'version' ? (spec.version?.value.toNumber() ?? 0) : undefined;
  return { name: spec.name, version, label: spec.version_choice === 'version_label' ? spec.version_label : undefined, signature: spec.signature_name };
}

/**
 * How to make the inputs of a Predict request once the version is known; all together may take `maxBytes`. Throws `invalid` with TensorFlow
 * Serving's texts.
 */
export function tensorsOf(inputs: Readonly<Record<string, WireTensor>>, maxBytes: number): (version: VersionInfo) => Tensor[] {
  let tensors: Tensor[] | undefined;
  return (version) => {
    // Before anything is made: a few bytes may name many inputs, each of a shape that claims much.
    checkNames(
      Object.keys(inputs),
      version.inputs.map(({ name }) => name),
    );
    const budget = { max: maxBytes, left: maxBytes };
    // Once for all versions: a shadow asks again when the request's memory may have been given back.
    tensors ??= Object.entries(inputs).map(([name, proto]) => tensorOf(name, proto, budget));
    return tensors;
  };
}

function checkNames(given: readonly string[], wanted: readonly string[]): void {
  const list = (names: readonly string[]): string => `{${names.toSorted().join(',')}}`;
  if (given.length !== wanted.length)
    throw bad(
      `input size does not match signature: ${given.length}!=${wanted.length} len(${list(given)}) != len(${list(wanted)}). Sent extra: ${list(
        given.filter((name) => !wanted.includes(name)),
      )}. Missing but required: ${list(wanted.filter((name) => !given.includes(name)))}.`,
    );
  const unknown = given.find((name) => !wanted.includes(name));
  if (unknown !== undefined) throw bad(`input tensor alias not found in signature: ${unknown}. Inputs expected to be in the set ${list(wanted)}.`);
}

/** Throws `invalid` for an input without examples. */
export function examplesOf(input: WireInput | null): Example[] {
  const list = input?.example_list_with_context ?? input?.example_list;
  if (list === undefined || list === null || list.examples.length === 0) throw bad('Input is empty.');
  const context =
    'context' in list && list.context !== null && input?.kind === 'example_list_with_context' ? exampleOf(list.context as WireExample) : undefined;
  return list.examples.map((example) => withContext(exampleOf(example), context));
}

function exampleOf({ features }: WireExample): Example {
  return new Map(Object.entries(features?.feature ?? {}).map(([name, feature]) => [name, valuesOf(feature)]));
}

function valuesOf({ kind, bytes_list, float_list, int64_list }: WireFeature): readonly (number | bigint | string)[] {
  if (kind === 'bytes_list') return bytes_list?.value.map(textOfBytes) ?? [];
  if (kind === 'float_list') return float_list?.value ?? [];
  return int64_list?.value.map(integerOf) ?? [];
}

const integerOf = (value: Long): number | bigint => {
  const number = value.toNumber();
  return Number.isSafeInteger(number) ? number : BigInt(value.toString());
};
