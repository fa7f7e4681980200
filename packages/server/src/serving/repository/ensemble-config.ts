import type { TensorSpec } from '@binnacle/contract';
import type { EnsembleStep, RuntimeSpec } from '../../registry/index.ts';
import { datatypeOf } from './datatypes.ts';
import { badConfig, type ConfigTensor, type ModelConfig, parseModelConfig } from './model-config.ts';

/** An ensemble's configuration, which nothing completes: it has no graph. Throws `invalid` for one that is not whole. */
export function completeEnsemble(name: string, config: ModelConfig): ModelConfig {
  if ((config.input?.length ?? 0) === 0) throw badConfig(`ensemble '${name}' must specify its inputs`);
  if ((config.output?.length ?? 0) === 0) throw badConfig(`ensemble '${name}' must specify its outputs`);
  const steps = config.ensemble_scheduling?.step ?? [];
  if (steps.length === 0) throw badConfig(`must specify 'step' for ensemble '${name}'`);
  for (const [i, step] of steps.entries()) {
    if ((step.model_name ?? '') === '') throw badConfig(`must specify 'model_name' in step ${i} of ensemble '${name}'`);
    if (Object.keys(step.input_map ?? {}).length === 0) throw badConfig(`must specify 'input_map' in step ${i} of ensemble '${name}'`);
    if (Object.keys(step.output_map ?? {}).length === 0) throw badConfig(`must specify 'output_map' in step ${i} of ensemble '${name}'`);
  }
  return { ...config, name, platform: 'ensemble', max_batch_size: config.max_batch_size ?? 0 };
}

/** The steps as an ensemble of Binnacle has them. Version -1 and 0 mean the latest. */
export function ensembleSpec(config: ModelConfig): RuntimeSpec & { kind: 'ensemble' } {
  const tensor = (given: ConfigTensor): TensorSpec => {
    const datatype = datatypeOf(given.data_type);
    if (datatype === undefined)
      throw badConfig(`ensemble '${config.name}': '${given.name}' has the data_type ${given.data_type ?? 'TYPE_INVALID'}, which cannot be served`);
    return { name: given.name ?? '', datatype, shape: [...((config.max_batch_size ?? 0) > 0 ? [-1] : []), ...(given.dims ?? [])] };
  };
  return {
    kind: 'ensemble',
    inputs: (config.input ?? []).map(tensor),
    outputs: (config.output ?? []).map(tensor),
    steps: (config.ensemble_scheduling?.step ?? []).map(
      (step): EnsembleStep => ({
        model: step.model_name ?? '',
        ...((step.model_version ?? -1) > 0 ? { version: step.model_version as number } : {}),
        inputs: { ...step.input_map },
        outputs: { ...step.output_map },
      }),
    ),
  };
}

/** Models that an ensemble's configuration names; none for what is no ensemble, or cannot be read. */
export function stepsOf(config: string | undefined): string[] {
  if (config === undefined || !config.includes('ensemble_scheduling')) return [];
  try {
    return (parseModelConfig(config).ensemble_scheduling?.step ?? []).map((step) => step.model_name ?? '');
  } catch {
    return [];
  }
}
