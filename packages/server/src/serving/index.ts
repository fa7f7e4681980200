/** Endpoints: what serves which versions of a model, how requests reach them, and what a model is fed with. */
export { bytesOfText, isText, textOfBytes } from './bytes-text.ts';
export { classLabels } from './class-labels.ts';
export { fillValues, planColumns } from './columns.ts';
export { kindOf } from './convert.ts';
export { floatToHalf, halfToFloat } from './float16.ts';
export { cutLists, floatList, floatsToText, LargeList, markOf, namedLists } from './float-text/index.ts';
export { tensorToJson } from './json-tensor.ts';
export type { BatchSizeStatistics, InferenceStatistics } from './inference-statistics.ts';
export {
  type LoadedModel,
  type LoadOptions,
  type ModelRuntime,
  type ModelTier,
  newTiming,
  type PackageRuntime,
  type ParameterValue,
  type RunCall,
  type RunMarks,
  type RunTiming,
  type SequenceCall,
} from './model-runtime.port.ts';
export { type CountedRequest, type FailedRequest, nullSink, type PredictionBatch, type PredictionSink } from './prediction-sink.port.ts';
export type { RepositoryControl, RepositoryIndexEntry, RepositoryLoad } from './repository-control.port.ts';
export { overriddenConfig } from './repository/config-override.ts';
export { createModelRepositories, type ModelRepositories } from './repository/model-repository.ts';
export { mountedConfig } from './repository/mounted-package.ts';
export { parseEventTime, parseRequestId } from './request-meta.ts';
export { createPythonRuntime, type PythonRuntime, type PythonRuntimeDeps } from './python/python-runtime.ts';
export type { EndpointChange, EndpointRecord, EndpointStore, ModelSource, ServedTarget } from './serving.port.ts';
export {
  createServingService,
  type ServedModel,
  type ServingDeps,
  type ServingService,
  type VersionStatistics,
  type WantedEndpoint,
} from './serving.service.ts';
export { allocate, type Datatype, TENSOR_ARRAYS, type Tensor, type TensorData } from './tensor.ts';
export type { InferReply, InferRequest, OpenVersion, VersionInfo } from './types.ts';
export type { EndpointStats } from './view.ts';
