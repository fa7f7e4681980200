import { parse, stringify } from 'yaml';
import { checkArtifactPath } from '../artifacts/index.ts';
import { BinnacleError, invalid, isObject, messageOf } from '../kernel/index.ts';
import { parseRemoteFlavor, REMOTE_FLAVOR } from './remote-spec.ts';
import { ENSEMBLE_FLAVOR, type EnsembleSpec, parseEnsembleFlavor } from './ensemble-spec.ts';
import { parseSchema, signatureOfGraph } from './signature.ts';
import type { RemoteSpec, Signature, TensorSpec } from './types.ts';

/** An MLmodel file carries a schema, perhaps of ten thousand columns, and nothing bigger; reading a megabyte takes seconds at worst. */
export const MAX_MLMODEL_BYTES = 1024 * 1024;

export interface MlModel {
  flavors: string[];
  /** Path of the ONNX file in the package, checked; null without an ONNX flavour. */
  onnxData: string | null;
  /** Where it runs, when that is a server elsewhere. */
  remote: RemoteSpec | null;
  /** What it is made of, when that is other endpoints. */
  ensemble: EnsembleSpec | null;
  signature: Signature | null;
  /** `metadata`, values as text. */
  metadata: Record<string, string>;
  runId: string | null;
}

const refuse = (what: string, cause?: unknown) => invalid('mlmodel_invalid', `The MLmodel file is not usable: ${what}.`, { cause });

function parseYaml(text: string): unknown {
  if (Buffer.byteLength(text) > MAX_MLMODEL_BYTES) throw refuse(`it is longer than ${MAX_MLMODEL_BYTES} bytes`);
  try {
    // Python's YAML writes an alias for an object that is used twice; a hundred of them in all leave no room for a bomb.
    // Looking for keys that come twice takes the square of their number, and a file may be made of keys.
    return parse(text, { uniqueKeys: false, maxAliasCount: 100, schema: 'core', merge: false, prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    throw refuse(error instanceof RangeError ? 'it is nested too deeply' : `it is not YAML (${firstLine(error)})`, error);
  }
}

/** The signature of an MLmodel file as it stands there; undefined without one. Throws as `parseMlModel` does. */
export function signatureText(text: string): unknown {
  const document = parseYaml(text);
  const signature = isObject(document) && isObject(document.signature) ? document.signature : undefined;
  readSignature(signature);
  return signature;
}

/**
 * Reads an MLmodel file. Throws `invalid` (code `mlmodel_invalid`) that says what is wrong: not YAML, expanding aliases, no flavours, a `data` path
 * that leaves the package, a signature that does not parse.
 */
export function parseMlModel(text: string): MlModel {
  const document = parseYaml(text);
  if (!isObject(document) || !isObject(document.flavors)) throw refuse('it names no flavors');
  const onnx = document.flavors.onnx;
  let onnxData: string | null = null;
  if (isObject(onnx)) {
    try {
      onnxData = checkArtifactPath(typeof onnx.data === 'string' ? onnx.data : 'model.onnx');
    } catch (error) {
      throw refuse(`the data path of its onnx flavour is refused: ${error instanceof BinnacleError ? error.message : String(error)}`, error);
    }
  }
  const { flavors } = document;
  const read = <T>(flavor: string, parseFlavor: (value: unknown) => T): T | null => {
    if (!Object.hasOwn(flavors, flavor)) return null;
    try {
      return parseFlavor(flavors[flavor]);
    } catch (error) {
      throw refuse(`its flavour ${flavor} is refused: ${firstLine(error)}`, error);
    }
  };
  return {
    flavors: Object.keys(document.flavors),
    onnxData,
    remote: read(REMOTE_FLAVOR, parseRemoteFlavor),
    ensemble: read(ENSEMBLE_FLAVOR, parseEnsembleFlavor),
    signature: readSignature(document.signature),
    metadata: texts(document.metadata),
    runId: typeof document.run_id === 'string' && document.run_id !== '' ? document.run_id : null,
  };
}

function readSignature(signature: unknown): Signature | null {
  if (!isObject(signature)) return null;
  const side = (name: 'inputs' | 'outputs') => {
    const text = signature[name];
    if (typeof text !== 'string') return [];
    try {
      return parseSchema(text);
    } catch (error) {
      throw refuse(`the ${name} of its signature do not parse (${firstLine(error)})`, error);
    }
  };
  const [inputs, outputs] = [side('inputs'), side('outputs')];
  return inputs.length === 0 && outputs.length === 0 ? null : { inputs, outputs };
}

/** The MLmodel file of a bare ONNX graph, which MLflow's `onnx` and `pyfunc` flavours load. */
export function mlModelOfGraph(
  data: string,
  tensors: { inputs: TensorSpec[]; outputs: TensorSpec[] },
  facts: { runId: string | null; sizeBytes: number; createdAt: number },
): string {
  return stringify({
    flavors: {
      onnx: { code: null, data, onnx_session_options: null, providers: ['CPUExecutionProvider'] },
      python_function: { data, loader_module: 'mlflow.onnx' },
    },
    model_size_bytes: facts.sizeBytes,
    ...(facts.runId === null ? {} : { run_id: facts.runId }),
    signature: signatureOfGraph(tensors),
    utc_time_created: new Date(facts.createdAt).toISOString().replace('T', ' ').replace('Z', '000'),
  });
}

function texts(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, typeof item === 'string' ? item : JSON.stringify(item)]));
}

const firstLine = (error: unknown): string => messageOf(error).split('\n', 1)[0]?.slice(0, 200) ?? '';
