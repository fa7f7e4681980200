/** ONNX Runtime: models that run, and graphs that are read without running them. */
export { createGraphInspector } from './graph.ts';
export { createOnnxRuntime } from './runtime.ts';
export { onnxBackends } from './info.ts';
