import { type GrpcMethod, type GrpcService, loadProtos, serviceMethods } from '../../../http/grpc/index.ts';
import { BinnacleError, type Logger } from '../../../kernel/index.ts';
import { createCore, type CoreOptions, type OpenInferenceCore } from '../core.ts';
import { modelInfer, modelStreamInfer, type StreamReply } from './infer.ts';
import { replyEncoder, type WireReply } from './reply.ts';
import { versionOf } from './request.ts';
import type { WireModel, WireRequest } from './wire.ts';

export interface OpenInferenceGrpcOptions extends CoreOptions {
  logger: Logger;
}

export const SERVICE = 'inference.GRPCInferenceService';

/** Open Inference v2 over gRPC (https://github.com/kserve/open-inference-protocol), as Triton speaks it. */
export function openInferenceGrpc(options: OpenInferenceGrpcOptions): GrpcService {
  return {
    name: SERVICE,
    async load() {
      const root = await loadProtos('grpc_service.proto');
      const core = createCore(options);
      const encoder = replyEncoder(root);
      const methods: Record<string, GrpcMethod> = serviceMethods(root, SERVICE, {
        ...health(core),
        ModelInfer: { kind: 'unary', handle: (request: WireRequest, call) => modelInfer(core, request, call) },
        ModelStreamInfer: { kind: 'bidi', start: (call) => modelStreamInfer(core, call, options.logger) },
      });
      return {
        ...methods,
        ModelInfer: { ...(methods['ModelInfer'] as GrpcMethod), encode: (reply: WireReply) => encoder.reply(reply) },
        ModelStreamInfer: {
          ...(methods['ModelStreamInfer'] as GrpcMethod),
          encode: (answer: StreamReply) => ('reply' in answer ? encoder.streamed(answer.reply) : encoder.streamedError(answer.error, answer.id)),
        },
      };
    },
  };
}

function health(core: OpenInferenceCore) {
  return {
    ServerLive: { kind: 'unary', open: true, handle: () => ({ live: true }) },
    ServerReady: { kind: 'unary', open: true, handle: () => ({ ready: core.ready() }) },
    ModelReady: { kind: 'unary', handle: ({ name, version }: WireModel) => ({ ready: modelReady(core, name, version) }) },
    ServerMetadata: { kind: 'unary', handle: () => core.serverMetadata() },
    ModelMetadata: { kind: 'unary', handle: ({ name, version }: WireModel) => core.modelMetadata(name, versionOf(version)) },
  } as const;
}

/** A model that is not known is not ready: that is no error here, as in Triton. */
function modelReady(core: OpenInferenceCore, name: string, version: string): boolean {
  try {
    return core.modelReady(name, versionOf(version));
  } catch (error) {
    if (error instanceof BinnacleError && error.kind === 'not_found') return false;
    throw error;
  }
}
