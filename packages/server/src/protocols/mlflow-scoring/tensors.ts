import { type BinnacleError, invalid } from '../../kernel/index.ts';
import { fillValues, type Tensor, type VersionInfo } from '../../serving/index.ts';

const bad = (text: string): BinnacleError => invalid('invalid_input', `Invalid input. ${text}`);
const MAX_RANK = 16;

/** Nested lists as flat values and a shape. Throws `invalid` for lists of unequal length. */
function flatten(name: string, value: unknown): { shape: number[]; values: unknown[] } {
  const shape: number[] = [];
  for (let level: unknown = value; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > MAX_RANK) throw bad(`'${name}' is nested deeper than ${MAX_RANK} levels`);
  }
  if (shape.length === 0) return { shape: [1], values: [value] };
  const values: unknown[] = [];
  const walk = (list: unknown, depth: number): void => {
    if (!Array.isArray(list) || list.length !== shape[depth]) throw bad(`the lists of '${name}' are of unequal length, so they make no tensor`);
    if (depth === shape.length - 1) {
      for (const item of list) {
        if (Array.isArray(item)) throw bad(`the lists of '${name}' are nested unevenly, so they make no tensor`);
        values.push(item);
      }
    } else for (const item of list) walk(item, depth + 1);
  };
  walk(value, 0);
  return { shape, values };
}

/** [N] where the graph wants [N,1] has it added. */
export function fit(spec: VersionInfo['inputs'][number], shape: number[]): number[] {
  return shape.length === spec.shape.length - 1 && spec.shape.at(-1) === 1 ? [...shape, 1] : shape;
}

function toTensor(version: VersionInfo, name: string, value: unknown): Tensor {
  const spec = version.inputs.find((input) => input.name === name);
  if (spec === undefined) throw bad(`the model has no input '${name}'; it takes ${version.inputs.map((input) => `'${input.name}'`).join(', ')}`);
  const { shape, values } = flatten(name, value);
  return fillValues(spec, fit(spec, shape), values);
}

/** Values by input name. */
export const namedTensors = (version: VersionInfo, values: Record<string, unknown>): Tensor[] =>
  Object.entries(values).map(([name, value]) => toTensor(version, name, value));

/** One list for a model of one input. */
export function arrayTensor(version: VersionInfo, value: unknown): Tensor[] {
  const [only] = version.inputs;
  if (only === undefined || version.inputs.length !== 1)
    throw bad(
      `Unable to map numpy array input to the expected model input. Numpy arrays can only be used as input for MLflow ONNX models that have a single input. This model requires ${version.inputs.length} inputs. Please pass in data as either a dictionary or a DataFrame with the following tensors: [${version.inputs.map((input) => `'${input.name}'`).join(', ')}].`,
    );
  return [toTensor(version, only.name, value)];
}
