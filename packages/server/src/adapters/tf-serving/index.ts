import type { RemoteClientFactory } from '../../remote/index.ts';
import { TensorflowServingGrpc } from './grpc.ts';
import { TensorflowServingRest } from './rest.ts';

/** Models of TensorFlow Serving over REST and gRPC. */
export const tensorflowServingRest: RemoteClientFactory = (target) => new TensorflowServingRest(target);
export const tensorflowServingGrpc: RemoteClientFactory = (target) => TensorflowServingGrpc.open(target);
