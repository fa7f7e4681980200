import type { GatePolicy, GateReport, ModelVersion, ModelVersionDetail, RegisteredModel, Signature, TensorSpec } from '@binnacle/contract';

export type { GatePolicy, GateReport, ModelVersion, ModelVersionDetail, RegisteredModel, Signature, TensorSpec };

/** How a caller names a version. */
export type VersionRef = { version: number } | { alias: string } | 'latest';

export type RemoteProtocol = 'open-inference' | 'open-inference-grpc' | 'tensorflow-serving' | 'tensorflow-serving-grpc' | 'mlflow' | 'lambda';

/** A model on a server elsewhere; `token` is a reference (`env:NAME` or `file:/path`), never the secret. */
export interface RemoteSpec {
  kind: 'remote';
  protocol: RemoteProtocol;
  /** http(s)://host:port/base, grpc(s)://host:port; for lambda lambda://region, or the address of an endpoint that speaks its API. */
  url: string;
  /** What the server calls it; a function's name or ARN. */
  model: string;
  /** A version there, a function's qualifier; absent: what the server picks. */
  version?: string;
  token?: string;
  /** Longest time that an answer may take. */
  timeoutMs?: number;
  /** What a Lambda function is sent; open-inference by default. */
  payload?: 'open-inference' | 'mlflow';
}

/**
 * What executes a package. `python`: a server of the framework's own that is started here: `mlflow models serve`, or a given image or command that
 * speaks the protocol. `ensemble`: steps from tensors to tensors, each an endpoint.
 */
export type RuntimeSpec =
  | { kind: 'onnx' }
  | RemoteSpec
  | { kind: 'python'; image?: string; command?: string[]; protocol: 'mlflow' | 'open-inference' }
  | { kind: 'ensemble'; inputs: TensorSpec[]; outputs: TensorSpec[]; steps: EnsembleStep[] };

/** A step of an ensemble: `inputs` and `outputs` map the step model's tensor names to the ensemble's. */
export interface EnsembleStep {
  model: string;
  version?: number;
  inputs: Record<string, string>;
  outputs: Record<string, string>;
}

/** A version's package on the local disk, ready to be loaded. */
export interface ModelPackage {
  /** The version's id: of this package and no other, whatever it is called. */
  id: string;
  model: string;
  version: number;
  runId: string | null;
  /** Folder with the MLflow model directory (`MLmodel` + files). */
  dir: string;
  flavors: string[];
  signature: Signature | null;
  /** What executes it; null when nothing here can (see `problem`). */
  runtime: RuntimeSpec | null;
  /** Absolute path of the ONNX graph to load (ZipMap outputs rewired), or null when the version has no ONNX flavour. */
  onnxFile: string | null;
  /** Why there is no `runtime`; null when there is one. */
  problem: string | null;
  tensors: { inputs: TensorSpec[]; outputs: TensorSpec[] } | null;
  /** Absolute paths of the optional files of the package or of the run that made it. */
  goldenFile: string | null;
  profileFile: string | null;
  trainingDataFile: string | null;
  /** `metadata` of the MLmodel file and the version's tags, for settings such as labels and score output. */
  settings: Record<string, string>;
  /** Throws `conflict` (version_files_changed) when its files are no longer those that were registered: for what is started from them again and again. */
  checkFiles?: () => Promise<void>;
}
