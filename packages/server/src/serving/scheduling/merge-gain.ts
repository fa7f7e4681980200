import type { LoadedModel } from '../model-runtime.port.ts';

/** At warm-up, merging must promise at least a fifth of the time to begin with. */
const PROMISED = 0.8;
/** While serving: merging ends when a merged row costs more than this share of one run alone, and begins when less than that. */
const ENDS_ABOVE = 0.95;
const BEGINS_BELOW = 0.8;
const SAMPLES = 15;
/** A comparison takes one run in so many the other way, so that it costs next to nothing. */
const TRIAL_EVERY = 8;
const FIRST_LOOK_MS = 5000;
const LONGEST_LOOK_MS = 160_000;

/**
 * Whether running requests together gains anything, measured: at first from the warm-up, then by comparing runs of both kinds under the
 * load as it is. A CNN on a CPU costs the same per row in any company, and merging it would only add latency; a tiny model runs thirty rows for the price of one.
 */
export class MergeGain {
  readonly #measurable: boolean;
  #merging: boolean;
  #why: string;
  readonly #alone: number[] = [];
  readonly #merged: number[] = [];
  #runs = 0;
  #nextLook = 0;
  #interval = FIRST_LOOK_MS;

  constructor({ tier, batchable, runMicros, rowMicros }: Pick<LoadedModel, 'tier' | 'batchable' | 'runMicros' | 'rowMicros'>) {
    const ratio = rowMicros / runMicros;
    // Where nobody has run rows together (a server elsewhere), nobody has seen either that they come to the same: that is for the user to say.
    this.#measurable = batchable && Number.isFinite(ratio) && ratio !== 1;
    this.#merging = this.#measurable && (tier === 'inline' || ratio < PROMISED);
    if (!batchable) this.#why = 'The rows of different requests cannot be run together.';
    else if (!this.#measurable) this.#why = 'Whether rows run together come to the same was not tried here: switch batching on where they do.';
    else this.#why = `At warm-up a row cost ${percent(ratio)} of a run of its own when eight ran together.`;
  }

  /** Whether requests should be run together. */
  get merging(): boolean {
    return this.#merging;
  }
  /** A sentence for the endpoint's page. */
  get why(): string {
    return this.#why;
  }

  /** Asked where several requests could be run together: true when this once the other way should be tried. */
  tries(now: number): boolean {
    if (!this.#measurable || now < this.#nextLook) return false;
    const missing = this.#merging ? this.#alone : this.#merged;
    return missing.length < SAMPLES && ++this.#runs % TRIAL_EVERY === 0;
  }

  /** A run of `requests` requests with `rows` rows in all, and what it took, copying included. */
  record(requests: number, rows: number, micros: number, now: number): void {
    if (!this.#measurable || now < this.#nextLook || rows === 0) return;
    const list = requests > 1 ? this.#merged : this.#alone;
    if (list.length < SAMPLES) list.push(micros / rows);
    if (this.#alone.length < SAMPLES || this.#merged.length < SAMPLES) return;
    const ratio = median(this.#merged) / median(this.#alone);
    const before = this.#merging;
    this.#merging = before ? ratio <= ENDS_ABOVE : ratio < BEGINS_BELOW;
    this.#why = `While serving, a row in a merged run cost ${percent(ratio)} of a row alone.`;
    this.#alone.length = 0;
    this.#merged.length = 0;
    this.#interval = before === this.#merging ? Math.min(LONGEST_LOOK_MS, this.#interval * 2) : FIRST_LOOK_MS;
    this.#nextLook = now + this.#interval;
  }
}

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
