import type { TensorSpec } from '@binnacle/contract';
import { type BinnacleError, invalid } from '../../kernel/index.ts';
import type { RuntimeSpec } from '../../registry/index.ts';

export type EnsembleSpec = Extract<RuntimeSpec, { kind: 'ensemble' }>;

/** What a step's model takes and gives now, with -1 for free dimensions, the batch's included. */
export interface StepTensors {
  inputs: readonly TensorSpec[];
  outputs: readonly TensorSpec[];
}

export interface PlannedStep {
  /** From 0, as the ensemble lists it. */
  index: number;
  model: string;
  version: number | undefined;
  /** The model's tensor, the ensemble's. */
  inputs: [own: string, tensor: string][];
  outputs: [own: string, tensor: string][];
}

/** An ensemble whose tensors all fit, in an order in which its steps can run. */
export interface EnsemblePlan {
  steps: PlannedStep[];
  /** The step that makes a tensor; the ensemble's inputs are nobody's. */
  producers: ReadonlyMap<string, PlannedStep>;
}

/**
 * Checks an ensemble: every tensor is made once, every input of every step is fed, datatypes and shapes agree, the outputs come about, and nothing turns in a
 * circle. Throws `invalid` (ensemble_invalid) with step and tensor; the texts are Triton's where it has one.
 */
export function planEnsemble(name: string, spec: EnsembleSpec, tensorsOf: (step: PlannedStep) => StepTensors): EnsemblePlan {
  const bad = (text: string): BinnacleError => invalid('ensemble_invalid', `in ensemble ${name}, ${text}`);
  const steps = spec.steps.map(
    (step, index): PlannedStep => ({
      index,
      model: step.model,
      version: step.version,
      inputs: Object.entries(step.inputs),
      outputs: Object.entries(step.outputs),
    }),
  );
  const made = new Map<string, { spec: TensorSpec; by: string }>(spec.inputs.map((input) => [input.name, { spec: input, by: `ensemble ${name}` }]));
  if (made.size !== spec.inputs.length) throw bad('two inputs have the same name');
  const producers = new Map<string, PlannedStep>();
  for (const step of steps) {
    const { outputs } = tensorsOf(step);
    for (const [own, tensor] of step.outputs) {
      const output = outputs.find((each) => each.name === own);
      if (output === undefined) throw bad(`ensemble tensor ${tensor} is mapped from non-existing output ${own} in model ${step.model}`);
      const other = made.get(tensor);
      if (other !== undefined) throw bad(`ensemble tensor ${tensor} is made twice: by ${other.by} and by step ${step.index} (model ${step.model})`);
      made.set(tensor, { spec: output, by: `model ${step.model}` });
      producers.set(tensor, step);
    }
  }
  for (const step of steps) checkInputs(step, tensorsOf(step).inputs, made, bad);
  for (const output of spec.outputs) {
    const found = made.get(output.name);
    if (found === undefined) throw bad(`output ${output.name} is made by no step`);
    checkAgree(output.name, found, { spec: output, by: `ensemble ${name}` }, bad);
  }
  return { steps: inOrder(steps, producers, bad), producers };
}

function checkInputs(
  step: PlannedStep,
  inputs: readonly TensorSpec[],
  made: ReadonlyMap<string, { spec: TensorSpec; by: string }>,
  bad: (text: string) => BinnacleError,
): void {
  for (const [own, tensor] of step.inputs) {
    const input = inputs.find((each) => each.name === own);
    if (input === undefined) throw bad(`ensemble tensor ${tensor} is mapping to non-existing input ${own} in model ${step.model}`);
    const found = made.get(tensor);
    if (found === undefined) throw bad(`ensemble tensor ${tensor}, which step ${step.index} (model ${step.model}) takes, is made by no step and is no input`);
    checkAgree(tensor, found, { spec: input, by: `model ${step.model}` }, bad);
  }
  const missing = inputs.find(({ name }) => !step.inputs.some(([own]) => own === name));
  if (missing !== undefined) throw bad(`input ${missing.name} in model ${step.model} is not mapped to any ensemble tensors`);
}

interface Side {
  spec: TensorSpec;
  by: string;
}

/** A free dimension agrees with every other, and what it is shows when it runs; a shape [] is of unknown rank. */
function checkAgree(tensor: string, a: Side, b: Side, bad: (text: string) => BinnacleError): void {
  if (a.spec.datatype !== b.spec.datatype)
    throw bad(
      `ensemble tensor ${tensor}: inconsistent data type: ${a.spec.datatype} is inferred from ${a.by} while ${b.spec.datatype} is inferred from ${b.by}`,
    );
  const [x, y] = [a.spec.shape, b.spec.shape];
  if (x.length === 0 || y.length === 0) return;
  if (x.length !== y.length || x.some((dim, i) => dim !== -1 && y[i] !== -1 && dim !== y[i]))
    throw bad(`ensemble tensor ${tensor}: inconsistent shape: [${x}] is inferred from ${a.by} while [${y}] is inferred from ${b.by}`);
}

function inOrder(steps: readonly PlannedStep[], producers: ReadonlyMap<string, PlannedStep>, bad: (text: string) => BinnacleError): PlannedStep[] {
  const out: PlannedStep[] = [];
  const done = new Set<PlannedStep>();
  while (out.length < steps.length) {
    const ready = steps.filter(
      (step) => !done.has(step) && step.inputs.every(([, tensor]) => !producers.has(tensor) || done.has(producers.get(tensor) as PlannedStep)),
    );
    if (ready.length === 0)
      throw bad(
        `the steps ${steps
          .filter((step) => !done.has(step))
          .map(({ index, model }) => `${index} (model ${model})`)
          .join(', ')} wait for each other in a circle`,
      );
    for (const step of ready) {
      done.add(step);
      out.push(step);
    }
  }
  return out;
}

/** The steps that some outputs need, in an order in which they can run. */
export function stepsFor({ steps, producers }: EnsemblePlan, outputs: readonly string[]): PlannedStep[] {
  const needed = new Set<PlannedStep>();
  const need = (tensor: string): void => {
    const step = producers.get(tensor);
    if (step === undefined || needed.has(step)) return;
    needed.add(step);
    for (const [, input] of step.inputs) need(input);
  };
  for (const output of outputs) need(output);
  return steps.filter((step) => needed.has(step));
}
