import type { CanaryGuard, Endpoint } from '@binnacle/contract';
import { BinnacleError, messageOf } from '../kernel/index.ts';
import type { Verdict } from './canary/judge.ts';
import { Trials } from './canary/trials.ts';
import { allRoutes, heaviest, type Route, type Routes } from './routes.ts';
import type { EndpointRecord, EndpointStore, ModelSource, ServedTarget } from './serving.port.ts';
import { ShadowQueue } from './shadow.ts';
import { InferenceStatistics } from './inference-statistics.ts';
import { loadOptionsOf } from './load-options.ts';
import { LiveStats } from './stats.ts';
import { EndpointPolicy } from './scheduling/endpoint-policy.ts';
import { resolveTraffic } from './traffic.ts';
import type { LoadedVersion } from './version.ts';
import type { VersionPool } from './version-pool.ts';

const FIRST_RETRY_MS = 15_000;
const LONGEST_RETRY_MS = 10 * 60_000;

export interface LiveEndpointDeps {
  pool: VersionPool;
  source: ModelSource;
  store: Pick<EndpointStore, 'setLastServed'>;
  /** Requests that wait or run before new ones are refused, for endpoints that do not say. */
  maxQueue: number;
  now(): number;
  /** From a model repository: each version that loads serves, whatever becomes of the others. */
  mounted?: boolean;
}

/** What an endpoint does now, brought towards what its record wants: load the new, warm it, swap at once, drain the old. */
export class LiveEndpoint {
  record: EndpointRecord;
  state: Endpoint['state'] = 'loading';
  message = '';
  routes: Routes | undefined;
  aliases: Readonly<Record<string, number>> = {};
  /** Versions under way in or out, with the reason of a failure. */
  readonly transitions = new Map<number, { state: 'loading' | 'failed' | 'draining'; error: string | null; weight: number; shadow: boolean }>();
  readonly stats: LiveStats;
  readonly shadows = new ShadowQueue();
  readonly policy = new EndpointPolicy();
  /** Requests refused or failed, by the code of the error. */
  readonly failures = new Map<string, number>();
  /** What was said last of each guarded canary. */
  readonly verdicts = new Map<number, Verdict>();
  /** Undefined where nothing guards the canaries. */
  trials: Trials | undefined;
  readonly #deps: LiveEndpointDeps;
  readonly #statsByTarget = new Map<string, { stats: LiveStats; inference: InferenceStatistics }>();
  #tail: Promise<void> = Promise.resolve();
  #current = '';
  #configured = '';
  #failed = { key: '', until: 0, wait: 0 };
  #removed = false;
  /** Loads under way, that end when nothing is to be loaded any more. */
  readonly #attempts = new Set<AbortController>();
  #timesGivenUp = 0;
  /** Revision of the newest record that was seen. */
  #newest: number;

  constructor(record: EndpointRecord, deps: LiveEndpointDeps) {
    this.record = record;
    this.#newest = record.revision;
    this.#deps = deps;
    this.stats = new LiveStats(deps.now());
    this.policy.configure(record.config, deps.maxQueue);
  }

  get mounted(): boolean {
    return this.#deps.mounted === true;
  }

  /**
   * Changes run one after the other. `insist` retries at once what failed before; `whole` lets a version that does not load keep the others of
   * what is mounted from being swapped in. One that unloads waits for no load. Never throws.
   */
  reconcile(record: EndpointRecord, insist = false, whole = false): Promise<void> {
    if (record.revision > this.#newest) {
      this.#newest = record.revision;
      if (record.suspended) this.giveUpLoads();
    }
    const timesGivenUp = this.#timesGivenUp;
    this.#tail = this.#tail.then(async () => {
      if (this.#removed || timesGivenUp !== this.#timesGivenUp) return;
      // What is mounted has no record but this one: the settings go with what is loaded, and those of what serves stay in force until then.
      if (!this.mounted || this.routes === undefined) this.#take(record);
      try {
        await this.attempt((signal) => this.#apply(record, insist, whole, signal));
      } catch (error) {
        this.#complain(textOf(error));
      }
    });
    return this.#tail;
  }

  /** Loads something for it, which is given up when it is unloaded or removed meanwhile. */
  async attempt<T>(load: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#attempts.add(controller);
    try {
      return await load(controller.signal);
    } finally {
      this.#attempts.delete(controller);
    }
  }

  /** Ends what is being loaded, and begins nothing that was asked for before. */
  giveUpLoads(): void {
    this.#timesGivenUp++;
    for (const attempt of this.#attempts) attempt.abort();
  }

  #take(record: EndpointRecord): void {
    this.record = record;
    this.#configure(record);
    const { canaryGuard } = record.config;
    if (canaryGuard === undefined) this.trials = undefined;
    else if (this.trials?.revision !== record.revision) this.trials = this.#nextTrials(canaryGuard, record.revision);
  }

  #nextTrials(guard: CanaryGuard, revision: number): Trials {
    const { live = [], aliases = {} } = this.routes ?? {};
    if (this.trials === undefined) return new Trials(guard, revision, heaviest(live)?.version);
    return this.trials.next(
      guard,
      revision,
      live.filter(({ weight }) => weight > 0),
      aliases['champion'],
    );
  }

  /** What needs no loading takes effect at once. */
  #configure(record: EndpointRecord): void {
    const config = JSON.stringify(record.config);
    if (config === this.#configured) return;
    this.#configured = config;
    this.policy.configure(record.config, this.#deps.maxQueue);
    for (const { loaded } of allRoutes(this.routes)) loaded.queue.configure(this.policy.batching);
  }

  async #apply(record: EndpointRecord, insist: boolean, whole: boolean, signal: AbortSignal): Promise<void> {
    this.aliases = await this.#deps.source.aliases(record.model);
    if (record.suspended) return this.#unload();
    const desired = resolveTraffic(record.model, record.traffic, this.aliases);
    const { mounted } = this.#deps;
    // What is mounted changes with every mount, also where versions and numbers are the same.
    const key = JSON.stringify([desired, loadOptionsOf(record.config), mounted === true ? record.revision : 0]);
    if (key === this.#current) {
      if (this.routes !== undefined) this.routes = { ...this.routes, aliases: this.aliases };
      return this.#settle();
    }
    if (key === this.#failed.key && !insist && this.#deps.now() < this.#failed.until) return;
    const { leases, failures, passing } = await this.#load(record, desired, signal);
    if (signal.aborted) return this.#givenUp(leases);
    if (failures.size === 0) {
      this.#swap(desired, leases);
      this.#take(record);
      this.#current = key;
      this.#failed = { key: '', until: 0, wait: 0 };
      this.#settle();
      await this.#deps.store.setLastServed(record.name, desired).catch(() => {});
      return;
    }
    // What is away may be back any time; what is broken stays so.
    const wait = this.#failed.key === key && !passing ? Math.min(LONGEST_RETRY_MS, this.#failed.wait * 2) : FIRST_RETRY_MS;
    this.#failed = { key, until: this.#deps.now() + wait, wait };
    if (mounted !== true) await this.#fallBack(record, desired, leases, signal);
    else if (whole && this.routes !== undefined) await Promise.all([...leases.values()].map((lease) => lease.close()));
    else {
      const some = leases.size > 0;
      this.#serveWhatLoaded(desired, leases);
      if (some) this.#take(record);
    }
    if (signal.aborted) return;
    for (const [version, { state }] of this.transitions) if (state === 'failed') this.transitions.delete(version);
    for (const [version, error] of failures) {
      const target = desired.find((t) => t.version === version);
      this.transitions.set(version, { state: 'failed', error, weight: target?.weight ?? 0, shadow: target?.shadow ?? false });
    }
    this.#complain([...failures.values()].join(' '));
  }

  /** All is as desired: what a failed attempt left on the sign goes. */
  #settle(): void {
    for (const [version, { state }] of this.transitions) if (state === 'failed') this.transitions.delete(version);
    this.state = 'ready';
    this.message = '';
  }

  #complain(why: string): void {
    const served = allRoutes(this.routes).map(({ version }) => version);
    this.state = served.length > 0 ? 'degraded' : 'failed';
    this.message =
      served.length > 0 ? `${why} Version${served.length > 1 ? 's' : ''} ${served.join(', ')} go${served.length > 1 ? '' : 'es'} on serving.` : why;
  }

  /** It was unloaded (or removed) while it was loading. */
  async #givenUp(leases: ReadonlyMap<number, LoadedVersion>): Promise<void> {
    // Who removes it frees the rest, and waits for that.
    if (!this.#removed) this.#unload();
    await Promise.all([...leases.values()].map((lease) => lease.close()));
  }

  /** Frees everything, by request; behind the last request, which whoever loads it again need not wait for. */
  #unload(): void {
    const leases = new Set(allRoutes(this.routes).map((route) => route.loaded));
    this.routes = undefined;
    this.#current = '';
    this.#failed = { key: '', until: 0, wait: 0 };
    this.transitions.clear();
    this.state = 'unloaded';
    this.message = 'It was unloaded. Load it to serve again.';
    for (const lease of leases) this.#drain(lease, false);
  }

  async #load(
    record: EndpointRecord,
    targets: readonly ServedTarget[],
    signal: AbortSignal,
  ): Promise<{ leases: Map<number, LoadedVersion>; failures: Map<number, string>; passing: boolean }> {
    const leases = new Map<number, LoadedVersion>();
    const failures = new Map<number, string>();
    let passing = true;
    const served = new Set(allRoutes(this.routes).map(({ version }) => version));
    if (this.routes === undefined && this.state !== 'failed') this.state = 'loading';
    await Promise.all(
      [...new Set(targets.map(({ version }) => version))].map(async (version) => {
        const target = targets.find((t) => t.version === version);
        if (!served.has(version))
          this.transitions.set(version, { state: 'loading', error: null, weight: target?.weight ?? 0, shadow: target?.shadow ?? false });
        try {
          leases.set(
            version,
            await this.#deps.pool.acquire(await this.#deps.source.resolve(record.model, { version }), loadOptionsOf(record.config), this.policy, signal),
          );
        } catch (error) {
          failures.set(version, textOf(error));
          passing &&= error instanceof BinnacleError && error.kind === 'unavailable';
        } finally {
          this.transitions.delete(version);
        }
      }),
    );
    return { leases, failures, passing };
  }

  /** Something did not load: the old goes on; with nothing old, what did load serves, else what served before the restart. */
  async #fallBack(record: EndpointRecord, desired: readonly ServedTarget[], leases: Map<number, LoadedVersion>, signal: AbortSignal): Promise<void> {
    const usable = desired.filter((target) => leases.has(target.version));
    if (this.routes === undefined && usable.some((target) => !target.shadow && target.weight > 0)) return this.#swap(usable, leases);
    await Promise.all([...leases.values()].map((lease) => lease.close()));
    if (this.routes !== undefined || record.lastServed.length === 0) return;
    const before = await this.#load(record, record.lastServed, signal);
    if (signal.aborted) return this.#givenUp(before.leases);
    const last = record.lastServed.filter((target) => before.leases.has(target.version));
    if (last.some((target) => !target.shadow)) this.#swap(last, before.leases);
    else await Promise.all([...before.leases.values()].map((lease) => lease.close()));
  }

  /** Each version by itself: what did not load leaves its predecessor; the newest that there is answers who pins none. */
  #serveWhatLoaded(desired: readonly ServedTarget[], leases: Map<number, LoadedVersion>): void {
    for (const { version, loaded } of allRoutes(this.routes)) if (!leases.has(version)) leases.set(version, loaded);
    const usable = desired.filter((target) => leases.has(target.version));
    // Those that are wanted no more stay only where nothing else is left.
    if (usable.length === 0) return;
    const newest = Math.max(...usable.map(({ version }) => version));
    this.#swap(
      usable.map((target) => ({ ...target, weight: target.version === newest ? 100 : 0 })),
      leases,
    );
  }

  /** One assignment puts the new routes in force; requests that chose an old one finish there. */
  #swap(targets: readonly ServedTarget[], leases: ReadonlyMap<number, LoadedVersion>): void {
    const old = allRoutes(this.routes);
    const now = this.#deps.now();
    const routes = targets.map((target): Route => {
      const loaded = leases.get(target.version) as LoadedVersion;
      const before = old.find((route) => route.loaded.shared === loaded.shared);
      return { ...target, loaded, ...this.#statsOf(target), loadedAt: before?.loadedAt ?? now };
    });
    this.routes = { live: routes.filter((route) => !route.shadow), shadows: routes.filter((route) => route.shadow), aliases: this.aliases };
    this.policy.cache?.keepOnly(new Set(routes.map(({ loaded }) => loaded.shared.id)));
    this.#current = '';
    const leaving = new Set(old.map((route) => route.loaded).filter((lease) => !routes.some((route) => route.loaded === lease)));
    for (const lease of leaving)
      this.#drain(
        lease,
        routes.some((route) => route.loaded.shared === lease.shared),
      );
  }

  #drain(lease: LoadedVersion, stays: boolean): void {
    const { version } = lease;
    if (!stays) this.transitions.set(version, { state: 'draining', error: null, weight: 0, shadow: false });
    void lease
      .close()
      .catch(() => {})
      .finally(() => {
        if (this.transitions.get(version)?.state === 'draining') this.transitions.delete(version);
      });
  }

  /** A version's counts survive a swap to and fro. */
  #statsOf({ version, shadow }: ServedTarget): { stats: LiveStats; inference: InferenceStatistics } {
    const key = `${version}/${shadow}`;
    const found = this.#statsByTarget.get(key) ?? {
      stats: new LiveStats(this.#deps.now()),
      inference: new InferenceStatistics(),
    };
    this.#statsByTarget.set(key, found);
    return found;
  }

  statsByVersion(): { version: number; shadow: boolean; stats: LiveStats; inference: InferenceStatistics }[] {
    return [...this.#statsByTarget].map(([key, both]) => ({ version: Number.parseInt(key, 10), shadow: key.endsWith('/true'), ...both }));
  }

  /** Stops serving, and loading; resolves after the last request. */
  async remove(): Promise<void> {
    this.#removed = true;
    this.giveUpLoads();
    await this.#tail;
    const leases = new Set(allRoutes(this.routes).map((route) => route.loaded));
    this.routes = undefined;
    this.state = 'failed';
    this.message = 'The endpoint has been deleted.';
    await Promise.all([...leases].map((lease) => lease.close()));
  }
}

const textOf = (error: unknown): string => {
  const text = messageOf(error);
  return /[.!?]$/.test(text) ? text : `${text}.`;
};
