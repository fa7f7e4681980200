import type { Root } from 'protobufjs';

/** inference.ModelInferResponse without its raw contents, which stand apart: they are sent as they are. */
export interface WireReply {
  head: {
    model_name: string;
    model_version: string;
    id: string;
    parameters?: Record<string, object>;
    outputs: { name: string; datatype: string; shape: number[]; parameters?: Record<string, object> }[];
  };
  raw: readonly Uint8Array[];
}

/** Field and wire type (length-delimited): ModelInferResponse.raw_output_contents, ModelStreamInferResponse.infer_response. */
const RAW_OUTPUT_CONTENTS = (6 << 3) | 2;
const INFER_RESPONSE = (2 << 3) | 2;

/** A field's tag and the length of what follows. */
function prefix(tag: number, length: number): Uint8Array {
  const out = [tag];
  let rest = length;
  while (rest > 127) {
    out.push((rest & 127) | 128);
    rest >>>= 7;
  }
  out.push(rest);
  return Uint8Array.from(out);
}

export interface ReplyEncoder {
  /** The parts of a ModelInferResponse; tensors are not copied (protobufjs would, 200 µs for 600 KB). */
  reply(reply: WireReply): Uint8Array[];
  /** The parts of a ModelStreamInferResponse. */
  streamed(reply: WireReply): Uint8Array[];
  streamedError(message: string, id: string): Uint8Array;
}

export function replyEncoder(root: Root): ReplyEncoder {
  const response = root.lookupType('inference.ModelInferResponse');
  const streamResponse = root.lookupType('inference.ModelStreamInferResponse');
  const reply = ({ head, raw }: WireReply): Uint8Array[] => {
    const parts: Uint8Array[] = [response.encode(head).finish()];
    for (const bytes of raw) parts.push(prefix(RAW_OUTPUT_CONTENTS, bytes.length), bytes);
    return parts;
  };
  return {
    reply,
    streamed(value) {
      const parts = reply(value);
      let size = 0;
      for (const part of parts) size += part.length;
      parts.unshift(prefix(INFER_RESPONSE, size));
      return parts;
    },
    streamedError: (error_message, id) => streamResponse.encode({ error_message, infer_response: { id } }).finish(),
  };
}
