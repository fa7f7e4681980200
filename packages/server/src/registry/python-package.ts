import { invalid } from '../kernel/index.ts';
import type { ModelPackage, RuntimeSpec, Signature, TensorSpec } from './types.ts';

/** Whether models that need Python may be started: in containers, in managed environments on this machine, or not at all. */
export type PythonMode = 'container' | 'environment' | 'off';

/** MLflow's column types → Open Inference's element types. What is no scalar goes as JSON text, dates as ISO 8601, bytes as they are. */
const DATATYPES: Record<string, string> = { boolean: 'BOOL', integer: 'INT32', long: 'INT64', float: 'FP32', double: 'FP64' };

/** A Python model's inputs and outputs by its signature: a column is one value a row. Null without a signature of both sides that names its columns. */
export function tensorsOfSignature(signature: Signature | null): ModelPackage['tensors'] {
  if (signature === null || signature.inputs.length === 0) return null;
  const tensor = ({ name, type, shape }: Signature['inputs'][number]): TensorSpec =>
    shape === undefined ? { name, datatype: DATATYPES[type] ?? 'BYTES', shape: [-1] } : { name, datatype: type, shape };
  return { inputs: signature.inputs.map(tensor), outputs: signature.outputs.map(tensor) };
}

export const whyNoPython = (flavors: readonly string[]): string =>
  `This model has only the flavours ${flavors.join(', ')}, which need Python, and this server starts none (--python off). Log it with mlflow.onnx (skl2onnx, torch.onnx and others convert), or start the server with --python container.`;

/**
 * How a Python model is started: by `mlflow models serve`, unless its settings (metadata of the MLmodel file, or tags of the version) say `binnacle.image` or
 * `binnacle.command` (words, or a JSON list of them). Throws `invalid` (python_settings).
 */
export function pythonRuntimeOf(settings: Readonly<Record<string, string>>): Extract<RuntimeSpec, { kind: 'python' }> {
  const image = settings['binnacle.image']?.trim();
  const protocol = settings['binnacle.protocol']?.trim() ?? 'mlflow';
  if (protocol !== 'mlflow' && protocol !== 'open-inference')
    throw invalid('python_settings', `The version's setting binnacle.protocol must be mlflow or open-inference, not '${protocol}'.`);
  const command = commandOf(settings['binnacle.command']);
  return { kind: 'python', ...(image === undefined || image === '' ? {} : { image }), ...(command === undefined ? {} : { command }), protocol };
}

function commandOf(text: string | undefined): string[] | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  if (!text.trim().startsWith('[')) return text.trim().split(/\s+/);
  let words: unknown;
  try {
    words = JSON.parse(text);
  } catch (cause) {
    throw invalid('python_settings', `The version's setting binnacle.command begins like a JSON list and is none: ${text.slice(0, 200)}`, { cause });
  }
  if (!Array.isArray(words) || words.length === 0 || !words.every((word) => typeof word === 'string' && !word.includes('\0')))
    throw invalid('python_settings', 'The version’s setting binnacle.command must be words, or a JSON list of strings.');
  return words as string[];
}
