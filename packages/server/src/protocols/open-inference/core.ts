import { BinnacleError, newRequestId } from '../../kernel/index.ts';
import type { InferReply, ServingService, Tensor } from '../../serving/index.ts';
import type { InferenceRequest } from './request.ts';

export interface CoreOptions {
  serving: ServingService;
  /** The server's version, for its metadata. */
  version: string;
}

export interface ModelMetadata {
  name: string;
  versions: string[];
  platform: string;
  inputs: { name: string; datatype: string; shape: number[] }[];
  outputs: { name: string; datatype: string; shape: number[] }[];
}

export interface InferenceReply {
  model: string;
  version: number;
  id: string;
  outputs: Tensor[];
  finish: InferReply['finish'];
}

/** What Open Inference asks of a server, whatever carries it: REST here, gRPC beside it. */
export interface OpenInferenceCore {
  serverMetadata(): { name: string; version: string; extensions: string[] };
  ready(): boolean;
  modelReady(name: string, version?: number): boolean;
  modelMetadata(name: string, version?: number): ModelMetadata;
  infer(
    name: string,
    version: number | undefined,
    request: InferenceRequest,
    meta: { requestId?: string | undefined; eventTime?: number | undefined; receivedAt: number; startedAt: number },
  ): Promise<InferenceReply>;
  /** Told of a request for a model that was refused before it came to `infer`. */
  refused(name: string, times: { receivedAt: number; startedAt: number }, error: unknown): void;
}

export function createCore({ serving, version: serverVersion }: CoreOptions): OpenInferenceCore {
  return {
    // An extension is named only when all of it works.
    serverMetadata: () => ({ name: 'binnacle', version: serverVersion, extensions: ['binary_tensor_data'] }),
    ready: () => serving.ready,

    /** False while no version answers; throws `not_found` for a name that is not served. */
    modelReady(name, version) {
      try {
        serving.served(name, version);
        return true;
      } catch (error) {
        if (error instanceof BinnacleError && error.kind === 'unavailable') return false;
        throw error;
      }
    },

    modelMetadata(name, version) {
      const served = serving.served(name, version);
      return { name, versions: served.versions.map(String), platform: 'onnxruntime_onnx', inputs: served.version.inputs, outputs: served.version.outputs };
    },

    refused: (name, times, error) => serving.refused({ endpoint: name, ...times }, error),

    async infer(name, version, request, { requestId, eventTime, receivedAt, startedAt }) {
      const id = request.id ?? requestId ?? newRequestId(receivedAt);
      const reply = await serving.infer({
        endpoint: name,
        version,
        inputs: request.inputs,
        outputs: request.outputs?.map((output) => output.name),
        requestId: id,
        eventTime,
        receivedAt,
        startedAt,
      });
      return { model: name, version: reply.version.version, id, outputs: reply.outputs, finish: reply.finish };
    },
  };
}
