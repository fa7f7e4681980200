import type { CanaryGuard } from '@binnacle/contract';
import { LiveStats } from '../stats.ts';
import { RecentOutputs } from './recent-outputs.ts';

/** What a version has done since the endpoint's traffic was last changed. */
export class Trial {
  readonly stats: LiveStats;
  readonly outputs = new RecentOutputs();
  constructor(now: number) {
    this.stats = new LiveStats(now);
  }
}

/** The trials of an endpoint that guards its canaries; each change of the endpoint begins new ones. */
export class Trials {
  readonly #byVersion = new Map<number, Trial>();
  readonly guard: CanaryGuard;
  readonly revision: number;

  constructor(guard: CanaryGuard, revision: number) {
    this.guard = guard;
    this.revision = revision;
  }

  of(version: number, now: number): Trial {
    let trial = this.#byVersion.get(version);
    if (trial === undefined) {
      trial = new Trial(now);
      this.#byVersion.set(version, trial);
    }
    return trial;
  }
}
