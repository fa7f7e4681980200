import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { unsupported } from '../../kernel/index.ts';
import type { ModelConfig } from './model-config.ts';

const BY_PLATFORM: Record<string, string> = {
  onnxruntime_onnx: 'onnxruntime',
  tensorflow_graphdef: 'tensorflow',
  tensorflow_savedmodel: 'tensorflow',
  tensorrt_plan: 'tensorrt',
  pytorch_libtorch: 'pytorch',
  libtorch: 'pytorch',
  torch_aoti: 'pytorch',
  ensemble: 'ensemble',
};
const BY_FILE: readonly [file: string, backend: string][] = [
  ['model.onnx', 'onnxruntime'],
  ['model.savedmodel', 'tensorflow'],
  ['model.graphdef', 'tensorflow'],
  ['model.plan', 'tensorrt'],
  ['model.pt', 'pytorch'],
  ['model.pt2', 'pytorch'],
  ['model.xml', 'openvino'],
  ['model.py', 'python'],
  ['model.dali', 'dali'],
];
const WHAT_TO_DO: Record<string, string> = {
  tensorflow: 'convert it with tf2onnx, or serve it with TensorFlow Serving and register it as a remote model',
  pytorch: 'export it with torch.onnx.export, or serve it with Triton and register it as a remote model',
  tensorrt: 'keep the ONNX graph that the plan was made of, or serve it with Triton and register it as a remote model',
  openvino: 'keep the ONNX graph that it was made of, or serve it with Triton and register it as a remote model',
  python: 'log it as an MLflow Python model, which Binnacle serves in a process of its own, or serve it with Triton and register it as a remote model',
};

/** What a model's folder is made for, by its configuration or else by its files; '' when neither says. */
export async function backendOf(config: ModelConfig, versionDir: string | undefined): Promise<string> {
  if (config.ensemble_scheduling !== undefined) return 'ensemble';
  if (config.backend !== undefined && config.backend !== '') return config.backend;
  if (config.platform !== undefined && config.platform !== '') return BY_PLATFORM[config.platform] ?? config.platform;
  if (config.default_model_filename?.endsWith('.onnx') === true) return 'onnxruntime';
  if (versionDir === undefined) return '';
  for (const [file, backend] of BY_FILE) if ((await stat(join(versionDir, file)).catch(() => undefined)) !== undefined) return backend;
  return '';
}

/** Throws `unsupported` for a backend that nothing here stands in for, with what to do instead. */
export function checkBackend(name: string, backend: string): void {
  if (backend === 'onnxruntime' || backend === 'ensemble') return;
  const text =
    backend === ''
      ? `nothing says what '${name}' is: its version folder holds no model.onnx, and its config.pbtxt names neither platform nor backend`
      : `'${name}' is for the backend '${backend}', and Binnacle serves ONNX models and ensembles from a repository: ${WHAT_TO_DO[backend] ?? 'convert it to ONNX, or serve it with Triton and register it as a remote model'}`;
  throw unsupported('backend_unsupported', text);
}
