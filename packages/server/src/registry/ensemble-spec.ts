import { isObject } from '../kernel/index.ts';
import type { EnsembleStep, RuntimeSpec, TensorSpec } from './types.ts';

/** The flavour of an MLmodel file that makes a model of other endpoints. */
export const ENSEMBLE_FLAVOR = 'binnacle.ensemble';

export type EnsembleSpec = Extract<RuntimeSpec, { kind: 'ensemble' }>;

const DATATYPES = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES'];
const MAX_NAME = 1000;
const MAX_STEPS = 200;
const MAX_TENSORS = 1000;

/** Reads the flavour `binnacle.ensemble`: inputs and outputs with name, datatype and shape (-1: free), and steps. Throws an Error that says what is wrong. */
export function parseEnsembleFlavor(flavor: unknown): EnsembleSpec {
  if (!isObject(flavor)) throw new Error('it must be a mapping with inputs, outputs and steps');
  onlyKeys(flavor, ['inputs', 'outputs', 'steps'], 'it');
  const steps = listOf(flavor.steps, 'steps', MAX_STEPS).map((step, i) => stepOf(step, `step ${i}`));
  return { kind: 'ensemble', inputs: tensorsOf(flavor.inputs, 'inputs'), outputs: tensorsOf(flavor.outputs, 'outputs'), steps };
}

function stepOf(step: unknown, where: string): EnsembleStep {
  if (!isObject(step)) throw new Error(`${where} must be a mapping with model, inputs and outputs`);
  onlyKeys(step, ['model', 'version', 'inputs', 'outputs'], where);
  const { version } = step;
  if (version !== undefined && version !== null && !(Number.isSafeInteger(version) && Number(version) > 0))
    throw new Error(`${where}: its version must be a whole number above 0`);
  return {
    model: text(step.model, `${where}: its model (the name of an endpoint)`),
    ...(version === undefined || version === null ? {} : { version: Number(version) }),
    inputs: mapOf(step.inputs, `${where}: its inputs`),
    outputs: mapOf(step.outputs, `${where}: its outputs`),
  };
}

/** The step model's names, each with the ensemble's. */
function mapOf(value: unknown, where: string): Record<string, string> {
  if (!isObject(value) || Object.keys(value).length === 0 || Object.keys(value).length > MAX_TENSORS)
    throw new Error(`${where} must map tensors of its model to the ensemble's`);
  return Object.fromEntries(Object.entries(value).map(([own, tensor]) => [text(own, where), text(tensor, where)]));
}

function tensorsOf(value: unknown, where: string): TensorSpec[] {
  return listOf(value, where, MAX_TENSORS).map((tensor, i) => {
    if (!isObject(tensor)) throw new Error(`${where}[${i}] must be a mapping with name, datatype and shape`);
    onlyKeys(tensor, ['name', 'datatype', 'shape'], `${where}[${i}]`);
    if (typeof tensor.datatype !== 'string' || !DATATYPES.includes(tensor.datatype))
      throw new Error(`${where}[${i}]: its datatype must be one of ${DATATYPES.join(', ')}`);
    const { shape } = tensor;
    if (!Array.isArray(shape) || shape.length > 32 || !shape.every((dim) => Number.isSafeInteger(dim) && Number(dim) >= -1))
      throw new Error(`${where}[${i}]: its shape must be a list of whole numbers, -1 for a free dimension`);
    return { name: text(tensor.name, `${where}[${i}]: its name`), datatype: tensor.datatype, shape: shape as number[] };
  });
}

function listOf(value: unknown, where: string, most: number): unknown[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > most) throw new Error(`its ${where} must be a list of 1 to ${most}`);
  return value;
}

function text(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_NAME) throw new Error(`${where} must be a text`);
  return value;
}

function onlyKeys(value: Record<string, unknown>, keys: string[], where: string): void {
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw new Error(`${where} has an unknown key ${JSON.stringify(unknown.slice(0, 100))} (known are ${keys.join(', ')})`);
}
