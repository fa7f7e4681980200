import type { Tensor } from '../../serving/index.ts';
import { dataToBinary } from './binary-tensors.ts';
import { dataToJson } from './json-tensors.ts';
import type { InferenceRequest } from './request.ts';

export interface EncodedReply {
  /** JSON, and the binary tensors behind it. */
  json: string;
  binary: Buffer[];
}

/** The reply's JSON is written by hand: JSON.stringify of an object of typed arrays costs several times as much. */
export function encodeReply(
  model: string,
  version: number,
  id: string,
  outputs: readonly Tensor[],
  request: Pick<InferenceRequest, 'outputs' | 'binaryDefault'>,
): EncodedReply {
  const binary: Buffer[] = [];
  let json = `{"model_name":${JSON.stringify(model)},"model_version":"${version}","id":${JSON.stringify(id)},"outputs":[`;
  for (let i = 0; i < outputs.length; i++) {
    const output = outputs[i] as Tensor;
    const asBinary =
      request.outputs === undefined ? request.binaryDefault : (request.outputs.find(({ name }) => name === output.name)?.binary ?? request.binaryDefault);
    json += `${i === 0 ? '' : ','}{"name":${JSON.stringify(output.name)},"datatype":"${output.datatype}","shape":[${output.shape.join(',')}]`;
    if (asBinary) {
      const bytes = dataToBinary(output);
      binary.push(bytes);
      json += `,"parameters":{"binary_data_size":${bytes.length}}}`;
    } else json += `,"data":${dataToJson(output)}}`;
  }
  return { json: `${json}]}`, binary };
}
