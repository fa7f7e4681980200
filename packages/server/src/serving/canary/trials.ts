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

/** What the choice of a champion asks of a live target. */
interface Candidate {
  version: number;
  weight: number;
}

/** The trials of an endpoint that guards its canaries; each change of the endpoint begins new ones. */
export class Trials {
  readonly #byVersion = new Map<number, Trial>();
  readonly guard: CanaryGuard;
  readonly revision: number;
  /** Whom the canaries were compared with before this change, or who had most of the traffic then. */
  readonly #previous: number | undefined;
  #champion: number | undefined;

  constructor(guard: CanaryGuard, revision: number, previous?: number) {
    this.guard = guard;
    this.revision = revision;
    this.#previous = previous;
  }

  /** The trials after a change; `live` and `alias` are those before it. */
  next(guard: CanaryGuard, revision: number, live: readonly Candidate[], alias: number | undefined): Trials {
    return new Trials(guard, revision, this.championOf(live, alias)?.version ?? this.#champion ?? this.#previous);
  }

  /**
   * Whom the canaries are compared with, chosen once for a trial: not simply the heaviest, or a canary that has been given more than half
   * would be the measure of the version that it is to replace.
   */
  championOf<T extends Candidate>(live: readonly T[], alias: number | undefined): T | undefined {
    const byVersion = (version: number | undefined): T | undefined => live.find((target) => target.version === version);
    const champion =
      byVersion(this.#champion) ?? byVersion(alias) ?? byVersion(this.#previous) ?? live.toSorted((a, b) => b.weight - a.weight || a.version - b.version)[0];
    if (champion !== undefined) this.#champion = champion.version;
    return champion;
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
