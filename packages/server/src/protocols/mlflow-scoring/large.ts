import { isObject, parseLooseJson } from '../../kernel/index.ts';
import { cutLists, type LargeList, namedLists, type Tensor, type VersionInfo } from '../../serving/index.ts';
import { hasColumns } from './feed.ts';
import { SPECIALS } from './input.ts';
import { fit } from './tensors.ts';

/** Tensors whose values are large lists of numbers, read as floats straight from the body's text. */
export interface LargeInput {
  params: unknown;
  /** Undefined where a version takes something else than floats by these names, or a list is no tensor: then the body is read as a whole. */
  feed(version: VersionInfo): Tensor[] | undefined;
}

/** Undefined for a body that holds anything beside large lists and `params`, and for whatever is odd: reading it as a whole says what is wrong. */
export function readLarge(body: Buffer): LargeInput | undefined {
  const cut = cutLists(body);
  if (cut === undefined) return undefined;
  let json: unknown;
  try {
    json = parseLooseJson(cut.text, SPECIALS);
  } catch {
    return undefined;
  }
  if (!isObject(json)) return undefined;
  const { inputs, instances, params, ...others } = json;
  if (Object.keys(others).length > 0 || (inputs === undefined) === (instances === undefined)) return undefined;
  const lists = namedLists(inputs ?? instances, cut.lists);
  if (lists === undefined || isObject(instances)) return undefined;
  return { params: params ?? undefined, feed: (version) => feedLists(version, lists, isObject(inputs)) };
}

function feedLists(version: VersionInfo, lists: readonly (readonly [string, LargeList])[], named: boolean): Tensor[] | undefined {
  if (hasColumns(version) || (!named && version.inputs.length !== 1)) return undefined;
  const tensors: Tensor[] = [];
  for (const [name, list] of lists) {
    const spec = named ? version.inputs.find((input) => input.name === name) : version.inputs[0];
    const read = spec?.datatype === 'FP32' ? list.nested() : undefined;
    if (spec === undefined || read === undefined) return undefined;
    tensors.push({ name: spec.name, datatype: 'FP32', shape: fit(spec, read.shape), data: read.values });
  }
  return tensors;
}
