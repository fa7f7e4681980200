import { type GrpcService, loadProtos } from '../../../http/grpc/index.ts';
import type { ServingService } from '../../../serving/index.ts';
import { createCore } from '../core.ts';
import { missingInGrpc } from '../signatures.ts';
import { MODEL_SERVICE, modelService } from './model-service.ts';
import { PREDICTION_SERVICE, predictionService } from './prediction-service.ts';

export interface TfServingGrpcOptions {
  serving: ServingService;
  /** Largest tensor, whatever its message repeats. */
  maxTensorBytes: number;
}

const PROTO = 'tensorflow_serving.proto';

/** TensorFlow Serving's PredictionService and ModelService over gRPC (https://github.com/tensorflow/serving). */
export function tfServingGrpc({ serving, maxTensorBytes }: TfServingGrpcOptions): GrpcService[] {
  const core = createCore(serving, missingInGrpc);
  return [
    { name: PREDICTION_SERVICE, load: async () => predictionService(await loadProtos(PROTO), core, maxTensorBytes) },
    { name: MODEL_SERVICE, load: async () => modelService(await loadProtos(PROTO), core) },
  ];
}
