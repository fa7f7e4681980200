/** The Open Inference Protocol v2, as Triton speaks it, over REST. */
export { openInferenceGrpc } from './grpc/service.ts';
export { openInference, type OpenInferenceOptions } from './http.ts';
