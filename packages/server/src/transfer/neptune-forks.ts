import { messageOf } from '../kernel/index.ts';
import type { ImportTarget } from './import-target.port.ts';

export const NEPTUNE_ID = 'neptune.id';
export const FORK_PARENT = 'neptune.fork.parent';
export const FORK_STEP = 'neptune.fork.step';
/** The run here that a fork was forked from: it is set. */
const FORK_RUN = 'neptune.fork.run';
/** MLflow's own tag of nested runs. */
const PARENT = 'mlflow.parentRunId';

/** A run, and what it was forked from as Neptune calls it. */
export interface Forkable {
  project: string;
  run: string;
  runId: string;
  /** All that Neptune calls it. */
  ids: string[];
  parent: string | null;
  step: number | null;
  linked: boolean;
}

/** Makes forks of runs as soon as both are there, whichever comes first, and of those that an earlier import left waiting. */
export class ForkLinker {
  readonly #target: ImportTarget;
  readonly #dryRun: boolean;
  readonly #note: (fork: Forkable, what: string) => void;
  /** By project and what Neptune calls it. */
  readonly #runs = new Map<string, string>();
  readonly #waiting = new Map<string, Map<string, Forkable>>();

  constructor(target: ImportTarget, dryRun: boolean, note: (fork: Forkable, what: string) => void) {
    this.#target = target;
    this.#dryRun = dryRun;
    this.#note = note;
  }

  /** Runs that are in the target already. */
  know(project: string, runs: ReadonlyMap<string, { runId: string; tags: Record<string, string> }>): void {
    for (const { runId, tags } of runs.values()) {
      const ids = [NEPTUNE_ID, 'sys/custom_run_id', 'sys/id'].flatMap((key) => tags[key] ?? []);
      const step = tags[FORK_STEP];
      this.#remember({
        project,
        run: tags['sys/custom_run_id'] ?? tags[NEPTUNE_ID] ?? runId,
        runId,
        ids,
        parent: tags[FORK_PARENT] ?? null,
        step: step === undefined ? null : Number(step),
        linked: this.isLinked(tags),
      });
    }
  }

  isLinked(tags: Record<string, string> | undefined): boolean {
    return tags?.[FORK_RUN] !== undefined;
  }

  async add(run: Forkable): Promise<void> {
    this.#remember(run);
    for (const id of [...run.ids.map((one) => keyOf(run.project, one)), ...(run.parent === null ? [] : [keyOf(run.project, run.parent)])]) await this.#link(id);
  }

  #remember(run: Forkable): void {
    for (const id of run.ids) if (!this.#runs.has(keyOf(run.project, id))) this.#runs.set(keyOf(run.project, id), run.runId);
    if (run.parent === null || run.linked) return;
    const key = keyOf(run.project, run.parent);
    const waiting = this.#waiting.get(key) ?? new Map<string, Forkable>();
    // Without a target there are no ids yet to tell runs apart.
    waiting.set(`${run.runId} ${run.run}`, run);
    this.#waiting.set(key, waiting);
  }

  /** Makes forks of those that wait for a run, when it is there. */
  async #link(key: string): Promise<void> {
    const parent = this.#runs.get(key);
    const waiting = this.#waiting.get(key);
    if (parent === undefined || waiting === undefined) return;
    this.#waiting.delete(key);
    for (const fork of waiting.values()) {
      if (fork.step === null || !Number.isFinite(fork.step)) {
        this.#note(fork, `It is no fork here, since the export does not say at which step it was forked from ${fork.parent}.`);
        continue;
      }
      if (this.#dryRun) continue;
      try {
        await this.#target.fork(fork.runId, { runId: parent, step: fork.step }, { [FORK_RUN]: parent, [PARENT]: parent });
      } catch (error) {
        this.#note(fork, `It could not be made a fork of ${fork.parent}: ${messageOf(error)}`);
      }
    }
  }

  /** Notes which of some runs still wait for theirs. */
  finish(runs: readonly Forkable[]): void {
    for (const fork of runs)
      if (fork.parent !== null && this.#waiting.get(keyOf(fork.project, fork.parent))?.has(`${fork.runId} ${fork.run}`) === true)
        this.#note(fork, `The parent ${fork.parent} is not here and not in the export. It becomes a fork when that is imported.`);
  }
}

const keyOf = (project: string, id: string): string => `${project}\n${id}`;
