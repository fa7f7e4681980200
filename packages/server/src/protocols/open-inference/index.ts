/** The Open Inference Protocol v2, as Triton speaks it: a core that knows no transport, and REST and gRPC over it. */
export { type CoreOptions, createCore, type OpenInferenceCore } from './core.ts';
export { openInferenceGrpc } from './grpc/service.ts';
export { openInference, type OpenInferenceOptions } from './http.ts';
export { tritonMetrics } from './metrics.ts';
