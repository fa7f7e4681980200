import { headerOf } from '../../../http/data-plane/index.ts';
import type { GrpcCall, GrpcStreamCall, StreamHandler } from '../../../http/grpc/index.ts';
import { BinnacleError, type Logger } from '../../../kernel/index.ts';
import { parseEventTime, parseRequestId } from '../../../serving/index.ts';
import { dataToBinary } from '../binary-tensors.ts';
import type { OpenInferenceCore } from '../core.ts';
import type { InferenceReply, MemorySpan } from '../types.ts';
import type { WireReply } from './reply.ts';
import { inferenceRequestOf, versionOf } from './request.ts';
import type { WireRequest } from './wire.ts';

const text = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

/** One inference; throws what the core throws. */
async function run(core: OpenInferenceCore, request: WireRequest, call: GrpcCall, times: { receivedAt: number; startedAt: number }): Promise<InferenceReply> {
  let asked = false;
  try {
    const requestId = parseRequestId(text(call.headers['x-request-id']));
    const eventTime = parseEventTime(text(call.headers['x-binnacle-event-time']));
    const version = versionOf(request.model_version);
    const parsed = inferenceRequestOf(request, core.memory);
    asked = true;
    return await core.infer(request.model_name, version, parsed, {
      requestId,
      eventTime,
      receivedAt: times.receivedAt,
      startedAt: times.startedAt,
      header: headerOf(call),
      signal: call.signal,
      transport: 'GRPC',
    });
  } catch (error) {
    if (!asked) core.refused(request.model_name, times, error);
    throw error;
  }
}

/** What was written to shared memory leaves an empty place among the raw contents: clients count by outputs. */
const NOTHING = new Uint8Array(0);

const wireReply = (reply: InferenceReply): WireReply => ({
  head: {
    model_name: reply.model,
    model_version: String(reply.version),
    id: reply.id,
    outputs: reply.outputs.map(({ name, datatype, shape, memory }) =>
      memory === undefined ? { name, datatype, shape } : { name, datatype, shape, parameters: spanParameters(memory) },
    ),
  },
  raw: reply.outputs.map((output) => (output.memory === undefined ? dataToBinary(output) : NOTHING)),
});

const spanParameters = ({ region, offset, byteSize }: MemorySpan): Record<string, object> => ({
  shared_memory_region: { string_param: region },
  shared_memory_byte_size: { int64_param: byteSize },
  ...(offset === 0 ? {} : { shared_memory_offset: { int64_param: offset } }),
});

/** ModelInfer. */
export async function modelInfer(core: OpenInferenceCore, request: WireRequest, call: GrpcCall): Promise<WireReply> {
  const reply = await run(core, request, call, call);
  call.afterReply = reply.finish;
  call.onSent = reply.release;
  return wireReply(reply);
}

/** What goes into a stream of ModelStreamInfer. */
export type StreamReply = { reply: WireReply } | { error: string; id: string };

/**
 * ModelStreamInfer: requests run beside each other, answers come back in the order of the requests. What goes wrong with one is told in its
 * place and the stream goes on; with the metadata `triton_grpc_error: true` it ends the stream with the error's status.
 */
export function modelStreamInfer(core: OpenInferenceCore, call: GrpcStreamCall<StreamReply>, logger: Logger): StreamHandler<WireRequest> {
  const strict = text(call.headers['triton_grpc_error']) === 'true';
  let before: Promise<void> = Promise.resolve();
  const answer = async (request: WireRequest, turn: Promise<void>, written: () => void): Promise<void> => {
    const times = { receivedAt: Date.now(), startedAt: performance.now() };
    let reply: InferenceReply | undefined;
    let failed: unknown;
    try {
      reply = await run(core, request, call, times);
    } catch (error) {
      failed = error;
    }
    await turn;
    if (reply === undefined) {
      if (strict) throw failed;
      if (!(failed instanceof BinnacleError) || failed.kind === 'internal') logger.error({ err: failed, path: call.path }, 'an inference request failed');
      const message = failed instanceof BinnacleError ? failed.message : 'the server made a mistake; its log says more';
      await call.write({ error: message, id: request.id });
      return;
    }
    const wire = wireReply(reply);
    // No model here answers a request more than once.
    wire.head.parameters = { triton_final_response: { bool_param: true } };
    await call.write({ reply: wire });
    // Shadows may still read this message's memory, which is no reason for the next answer to wait.
    written();
    await reply.finish();
  };
  return {
    message(request) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const done = answer(request, before, resolve).finally(resolve);
      before = promise;
      return done;
    },
  };
}
