import type { Root } from 'protobufjs';
import { type GrpcMethod, type GrpcService, loadProtos, serviceMethods } from '../../../http/grpc/index.ts';
import type { Logger } from '../../../kernel/index.ts';
import type { OpenInferenceCore } from '../core.ts';
import { memoryMethods, repositoryMethods, settingsMethods } from './control.ts';
import { modelInfer, modelStreamInfer, type StreamReply } from './infer.ts';
import { replyEncoder, type WireReply } from './reply.ts';
import { versionOf } from './request.ts';
import type { WireModel, WireRequest } from './wire.ts';

export interface OpenInferenceGrpcOptions {
  core: OpenInferenceCore;
  logger: Logger;
}

export const SERVICE = 'inference.GRPCInferenceService';

/** Open Inference v2 over gRPC (https://github.com/kserve/open-inference-protocol), as Triton speaks it. */
export function openInferenceGrpc({ core, logger }: OpenInferenceGrpcOptions): GrpcService {
  return {
    name: SERVICE,
    async load() {
      const root = await loadProtos('grpc_service.proto');
      const encoder = replyEncoder(root);
      const methods: Record<string, GrpcMethod> = serviceMethods(root, SERVICE, {
        ...models(core, root),
        ...repositoryMethods(core.repository),
        ...memoryMethods(core.memory),
        ...settingsMethods(core),
        ModelInfer: { kind: 'unary', handle: (request: WireRequest, call) => modelInfer(core, request, call) },
        ModelStreamInfer: { kind: 'bidi', start: (call) => modelStreamInfer(core, call, logger) },
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

function models(core: OpenInferenceCore, root: Root) {
  const config = root.lookupType('inference.ModelConfigResponse');
  return {
    ServerLive: { kind: 'unary', open: true, handle: () => ({ live: true }) },
    ServerReady: { kind: 'unary', open: true, handle: () => ({ ready: core.ready() }) },
    ModelReady: { kind: 'unary', handle: ({ name, version }: WireModel) => ({ ready: core.modelReady(name, versionOf(version)) }) },
    ServerMetadata: { kind: 'unary', handle: () => core.serverMetadata() },
    ModelMetadata: { kind: 'unary', handle: ({ name, version }: WireModel) => core.modelMetadata(name, versionOf(version)) },
    // Its JSON form has enums by name.
    ModelConfig: { kind: 'unary', handle: ({ name, version }: WireModel) => config.fromObject({ config: core.modelConfig(name, versionOf(version)) }) },
    ModelStatistics: {
      kind: 'unary',
      handle: ({ name, version }: WireModel) => ({ model_stats: core.statistics(name === '' ? undefined : name, versionOf(version)) }),
    },
  } as const;
}
