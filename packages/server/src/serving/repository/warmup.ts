import { setImmediate as pause } from 'node:timers/promises';
import { messageOf } from '../../kernel/index.ts';
import type { LoadedModel } from '../model-runtime.port.ts';
import type { Tensor } from '../tensor.ts';
import { datatypeOf } from './datatypes.ts';
import { insideModel } from './layout.ts';
import { badConfig, type ConfigWarmup } from './model-config.ts';
import type { MountedSettings } from './mounted-package.ts';
import { countOf, randomTensor, type TensorFacts, tensorFromFile, zeroTensor } from './tensor-files.ts';

const MAX_COUNT = 10_000;
/** Values of all samples together: they are made on the thread that answers requests, for whoever may load a configuration. */
const MAX_VALUES = 2 ** 24;

/** Runs what `model_warmup` asks for, through all that a request goes through. Throws `invalid` when a sample is no request, or does not run. */
export async function warmUp(model: LoadedModel, { config, dir }: MountedSettings): Promise<void> {
  const budget = { left: MAX_VALUES };
  for (const sample of config.model_warmup ?? []) {
    const inputs = await samplesOf(model, sample, { dir, maxRows: config.max_batch_size ?? 0, budget });
    try {
      model.check?.(inputs);
      const names = model.outputs.map(({ name }) => name);
      // A sequence of its own, for models that want one.
      const call = config.sequence_batching === undefined ? undefined : { sequence: { id: `warm-up ${sample.name ?? ''}`, start: true, end: true } };
      for (let run = 0; run < Math.min(MAX_COUNT, Math.max(1, sample.count ?? 1)); run++) {
        await model.execute(inputs, names, call);
        // A runtime may answer at once: requests must get their turn.
        await pause();
      }
    } catch (error) {
      throw badConfig(`failed to run warmup sample '${sample.name ?? ''}' for model '${config.name}': ${messageOf(error)}`, error);
    }
  }
}

interface Of {
  dir: string;
  maxRows: number;
  budget: { left: number };
}

async function samplesOf(model: LoadedModel, sample: ConfigWarmup, { dir, maxRows, budget }: Of): Promise<Tensor[]> {
  const given = new Map(Object.entries(sample.inputs ?? {}));
  const unknown = [...given.keys()].find((name) => !model.inputs.some((input) => input.name === name));
  if (unknown !== undefined) throw badConfig(`warmup sample '${sample.name ?? ''}' has an input '${unknown}' that the model does not have`);
  const rows = Math.max(1, sample.batch_size ?? 1);
  return Promise.all(
    model.inputs.map(async (input) => {
      const of = given.get(input.name);
      if (of === undefined) throw badConfig(`warmup sample '${sample.name ?? ''}' has no input '${input.name}'`);
      const datatype = datatypeOf(of.data_type);
      if (datatype !== input.datatype)
        throw badConfig(`warmup sample '${sample.name ?? ''}' gives '${input.name}' as ${of.data_type ?? 'TYPE_INVALID'}, but it is ${input.datatype}`);
      if (of.dims?.some((dim) => dim < 0) === true) throw badConfig(`warmup sample '${sample.name ?? ''}' must give '${input.name}' dims without -1`);
      const facts: TensorFacts = { name: input.name, datatype, shape: [...(maxRows > 0 ? [rows] : []), ...(of.dims ?? [])] };
      budget.left -= countOf(facts);
      if (budget.left < 0)
        throw badConfig(
          `the warmup samples of a model have ${MAX_VALUES} values at most, together; '${sample.name ?? ''}' is too much: use smaller dims or fewer samples`,
        );
      if (of.input_data_file !== undefined) return tensorFromFile(facts, insideModel(dir, `warmup/${of.input_data_file}`, 'warm-up file'));
      return of.random_data === true ? randomTensor(facts) : zeroTensor(facts);
    }),
  );
}
