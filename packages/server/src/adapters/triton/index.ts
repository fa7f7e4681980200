import type { RemoteClientFactory } from '../../remote/index.ts';
import { OpenInferenceGrpc } from './grpc.ts';
import { OpenInferenceRest } from './rest.ts';

/** Models on Open Inference servers (Triton, KServe, MLServer, Binnacle) over REST and gRPC. */
export const openInferenceRest: RemoteClientFactory = (target) => new OpenInferenceRest(target);
export const openInferenceGrpc: RemoteClientFactory = (target) => OpenInferenceGrpc.open(target);
