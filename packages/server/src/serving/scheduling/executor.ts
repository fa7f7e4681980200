import type { LoadedModel } from '../model-runtime.port.ts';
import { MergeGain } from './merge-gain.ts';
import { Places } from './places.ts';

/** A model in memory, shared by all the queues in front of it: an endpoint (or batch job) has a queue of its own, so that its limits are its own. */
export class Executor {
  readonly model: LoadedModel;
  readonly places: Places;
  readonly gain: MergeGain;

  constructor(model: LoadedModel) {
    this.model = model;
    this.places = new Places(model.slots);
    this.gain = new MergeGain(model);
  }
}
