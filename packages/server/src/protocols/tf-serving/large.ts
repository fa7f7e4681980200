import { isObject } from '../../kernel/index.ts';
import { cutLists, type LargeList, namedLists, type Tensor, type VersionInfo } from '../../serving/index.ts';
import { type Json, parseRequest } from './json.ts';
import { fitted } from './predict-json.ts';

/** A :predict request whose values are large lists of numbers, read as floats straight from the body's text. */
export interface LargeRequest {
  /** All of it but the lists. */
  json: Json;
  /** Undefined where a version takes something else than floats, or a list is no tensor: then the body is read as a whole. */
  feed(version: VersionInfo): Tensor[] | undefined;
}

/** Undefined for a body without large lists, and for whatever is odd: reading it as a whole says what is wrong. */
export function readLarge(body: Buffer): LargeRequest | undefined {
  const cut = cutLists(body);
  if (cut === undefined) return undefined;
  let json: Json;
  try {
    json = parseRequest(cut.text);
  } catch {
    return undefined;
  }
  const { inputs, instances, signature_name: signature } = json;
  if (signature !== undefined && typeof signature !== 'string') return undefined;
  if ((inputs === undefined) === (instances === undefined)) return undefined;
  const lists = namedLists(inputs ?? instances, cut.lists);
  if (lists === undefined || isObject(instances)) return undefined;
  return { json, feed: (version) => feedLists(version, new Map(lists), isObject(inputs)) };
}

function feedLists(version: VersionInfo, lists: ReadonlyMap<string, LargeList>, named: boolean): Tensor[] | undefined {
  if (version.inputs.length === 0 || (!named && version.inputs.length !== 1)) return undefined;
  const tensors: Tensor[] = [];
  for (const spec of version.inputs) {
    const read = spec.datatype === 'FP32' ? lists.get(named ? spec.name : '')?.nested() : undefined;
    if (read === undefined) return undefined;
    tensors.push({ name: spec.name, datatype: 'FP32', shape: fitted(spec, read.shape), data: read.values });
  }
  return tensors;
}
