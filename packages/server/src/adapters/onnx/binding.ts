import { basename } from 'node:path';
import type { TensorSpec } from '@binnacle/contract';
import { BinnacleError, internal, invalid, messageOf, unsupported } from '../../kernel/index.ts';
import type { Datatype, RunMarks, Tensor, TensorData } from '../../serving/index.ts';
import { type Attempt, type Backend, type SessionSettings, sessionAttempts } from './session-settings.ts';

/** What we use of onnxruntime-node's own binding. Its public `run` is the same synchronous call behind a setImmediate and costs a turn of the event loop more. */
interface NativeSession {
  readonly inputMetadata: NativeValue[];
  readonly outputMetadata: NativeValue[];
  loadModel(path: string, options: object): void;
  run(feeds: Record<string, NativeTensor>, fetches: Record<string, null>, options: object): Record<string, NativeTensor>;
  dispose(): void;
}
interface NativeValue {
  name: string;
  isTensor: boolean;
  type: number;
  shape: number[];
}
interface NativeTensor {
  type: string;
  dims: readonly number[];
  data: unknown;
  cpuData?: unknown;
  location: string;
}
interface NativeModule {
  binding: { InferenceSession: new () => NativeSession; listSupportedBackends(): Backend[] };
  initOrt(): void;
}

/** ONNX Runtime's element types by number and by name, with Open Inference's names. */
const TYPES: readonly (readonly [number, string, Datatype])[] = [
  [1, 'float32', 'FP32'],
  [2, 'uint8', 'UINT8'],
  [3, 'int8', 'INT8'],
  [4, 'uint16', 'UINT16'],
  [5, 'int16', 'INT16'],
  [6, 'int32', 'INT32'],
  [7, 'int64', 'INT64'],
  [8, 'string', 'BYTES'],
  [9, 'bool', 'BOOL'],
  [10, 'float16', 'FP16'],
  [11, 'float64', 'FP64'],
  [12, 'uint32', 'UINT32'],
  [13, 'uint64', 'UINT64'],
];
const byNumber = new Map(TYPES.map(([number, , datatype]) => [number, datatype]));
const byName = new Map(TYPES.map(([, name, datatype]) => [name, datatype]));
const nativeName = new Map(TYPES.map(([, name, datatype]) => [datatype, name]));

/** The runtime's errors reach the caller; on the server's own stderr a bad request would be noise. */
const QUIET = { logSeverityLevel: 4 };

let native: Promise<NativeModule> | undefined;

async function loadNative(): Promise<NativeModule> {
  // The version is pinned exactly in package.json, because this module is not part of the package's public face.
  const path = 'onnxruntime-node/dist/binding.js';
  const module = (await import(path)) as { default?: NativeModule } & Partial<NativeModule>;
  const found = module.binding === undefined ? module.default : (module as NativeModule);
  if (found?.binding?.InferenceSession === undefined || typeof found.initOrt !== 'function')
    throw internal('runtime_missing', 'onnxruntime-node has another layout than version 1.30; install the version that Binnacle names.');
  found.initOrt();
  return found;
}

/** A session; every call blocks the thread that it is made on. */
export interface Session {
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  /** Those that could be used. */
  readonly providers: Attempt['providers'];
  /** `inputs` must have been checked. Throws `invalid` (code `inference_failed`) with the runtime's own words. */
  run(inputs: readonly Tensor[], outputs: readonly string[], marks?: RunMarks): Tensor[];
  release(): void;
}

/** Loads the runtime itself, once a thread; a first session would otherwise seem slow to make. */
export async function loadRuntime(): Promise<NativeModule> {
  native ??= loadNative();
  return native.catch((cause: unknown) => {
    native = undefined;
    if (cause instanceof BinnacleError) throw cause;
    throw internal('runtime_missing', `ONNX Runtime could not be loaded on this machine (${reasonOf(cause)}). Reinstall onnxruntime-node.`, { cause });
  });
}

/** Throws `invalid` (onnx_invalid) for what is no servable graph, `unsupported` (provider_missing) when no wanted provider can be used here. */
export async function openSession(file: string, settings: SessionSettings): Promise<Session> {
  const { binding } = await loadRuntime();
  const attempts = sessionAttempts(settings, binding.listSupportedBackends());
  let failed: { attempt: Attempt; cause: unknown } | undefined;
  for (const attempt of attempts) {
    const session = new binding.InferenceSession();
    try {
      session.loadModel(file, attempt.options);
    } catch (cause) {
      failed = { attempt, cause };
      continue;
    }
    try {
      return wrap(session, session.inputMetadata.map(toSpec), session.outputMetadata.map(toSpec), attempt.providers);
    } catch (error) {
      session.dispose();
      throw error;
    }
  }
  throw refusal(file, failed?.attempt, failed?.cause);
}

/** What the last attempt ran into: the file on a CPU, and on another provider perhaps the machine. */
function refusal(file: string, attempt: Attempt | undefined, cause: unknown): BinnacleError {
  const [first] = attempt?.providers ?? [];
  if (first === undefined || first === 'cpu') return invalid('onnx_invalid', `ONNX Runtime cannot load ${basename(file)}: ${reasonOf(cause)}`, { cause });
  return unsupported(
    'provider_missing',
    `ONNX Runtime cannot load ${basename(file)} with the execution provider '${first}' on this machine: ${reasonOf(cause)}. Install what the provider needs, or add 'cpu' as the last one to fall back on it.`,
    { cause },
  );
}

function toSpec(value: NativeValue): TensorSpec {
  if (!value.isTensor)
    throw invalid(
      'onnx_invalid',
      `'${value.name}' is not a tensor (a ZipMap output is rewired when the version is registered; sequences and maps cannot be served).`,
    );
  const datatype = byNumber.get(value.type);
  if (datatype === undefined)
    throw invalid('onnx_invalid', `'${value.name}' has an element type (number ${value.type}) that the runtime's binding cannot exchange.`);
  return { name: value.name, datatype, shape: [...value.shape] };
}

function wrap(session: NativeSession, inputs: TensorSpec[], outputs: TensorSpec[], providers: Session['providers']): Session {
  let released = false;
  return {
    inputs,
    outputs,
    providers,
    run(tensors, names, marks) {
      const feeds: Record<string, NativeTensor> = {};
      for (const { name, datatype, shape, data } of tensors)
        feeds[name] = { type: nativeName.get(datatype) ?? '', dims: shape, data, cpuData: data, location: 'cpu' };
      const fetches: Record<string, null> = {};
      for (const name of names) fetches[name] = null;
      let results: Record<string, NativeTensor>;
      if (marks !== undefined) marks.called = performance.now();
      try {
        results = session.run(feeds, fetches, QUIET);
      } catch (cause) {
        throw invalid('inference_failed', `The model rejected the request: ${reasonOf(cause)}`, { cause });
      }
      if (marks !== undefined) marks.returned = performance.now();
      return names.map((name) => fromNative(name, results[name]));
    },
    release() {
      if (!released) session.dispose();
      released = true;
    },
  };
}

function fromNative(name: string, tensor: NativeTensor | undefined): Tensor {
  const datatype = tensor === undefined ? undefined : byName.get(tensor.type);
  if (tensor === undefined || datatype === undefined) throw internal('runtime_output', `The runtime returned no tensor for the output '${name}'.`);
  let data = (tensor.cpuData ?? tensor.data) as TensorData;
  // Newer engines have Float16Array; we carry the raw bits.
  if (datatype === 'FP16' && !(data instanceof Uint16Array)) {
    const view = data as unknown as ArrayBufferView<ArrayBuffer>;
    data = new Uint16Array(view.buffer, view.byteOffset, view.byteLength / 2);
  }
  return { name, datatype, shape: [...tensor.dims], data };
}

const reasonOf = (error: unknown): string =>
  messageOf(error)
    .replace(/^Error: /, '')
    .trim();
