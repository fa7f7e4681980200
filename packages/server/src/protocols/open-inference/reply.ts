import { dataToBinary } from './binary-tensors.ts';
import { dataToJson } from './json-tensors.ts';
import type { InferenceReply } from './types.ts';

export interface EncodedReply {
  /** JSON, in parts when it is large, and the binary tensors behind it. */
  json: string | Buffer[];
  binary: Buffer[];
}

/** The reply's JSON is written by hand: JSON.stringify of an object of typed arrays costs several times as much. */
export function encodeReply({ model, version, id, outputs }: InferenceReply): EncodedReply {
  const binary: Buffer[] = [];
  const parts: Buffer[] = [];
  let json = `{"model_name":${JSON.stringify(model)},"model_version":"${version}","id":${JSON.stringify(id)},"outputs":[`;
  for (let i = 0; i < outputs.length; i++) {
    const output = outputs[i] as InferenceReply['outputs'][number];
    json += `${i === 0 ? '' : ','}{"name":${JSON.stringify(output.name)},"datatype":"${output.datatype}","shape":[${output.shape.join(',')}]`;
    if (output.memory !== undefined) {
      const { region, offset, byteSize } = output.memory;
      json += `,"parameters":{"shared_memory_region":${JSON.stringify(region)},"shared_memory_offset":${offset},"shared_memory_byte_size":${byteSize}}}`;
    } else if (output.binary) {
      const bytes = dataToBinary(output);
      binary.push(bytes);
      json += `,"parameters":{"binary_data_size":${bytes.length}}}`;
    } else {
      const data = dataToJson(output);
      if (typeof data === 'string') json += `,"data":${data}}`;
      else {
        parts.push(Buffer.from(`${json},"data":`), ...data);
        json = '}';
      }
    }
  }
  json += ']}';
  return { json: parts.length === 0 ? json : [...parts, Buffer.from(json)], binary };
}
