import type { LoadedModel } from '../model-runtime.port.ts';
import { SequenceModel } from '../sequence/sequence-model.ts';
import { checkAgainstGraph } from './autofill.ts';
import { ConfiguredModel } from './configured-model.ts';
import type { MountedSettings } from './mounted-package.ts';
import { warmUp } from './warmup.ts';

/** A loaded graph as its repository's configuration wants it served, warmed up. Closes it and throws `invalid` where that cannot be. */
export async function asConfigured(loaded: LoadedModel, settings: MountedSettings): Promise<LoadedModel> {
  const { config, dir } = settings;
  try {
    checkAgainstGraph(config, loaded);
    const graph = config.sequence_batching === undefined ? loaded : await SequenceModel.open(loaded, config, dir);
    const model = new ConfiguredModel(graph, config);
    await warmUp(model, settings);
    return model;
  } catch (error) {
    await loaded.close();
    throw error;
  }
}
