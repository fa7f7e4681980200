import type { TrafficTarget } from '@binnacle/contract';
import { BinnacleError, type Logger } from '../../kernel/index.ts';
import type { LiveEndpoint } from '../live-endpoint.ts';
import type { Route, Routes } from '../routes.ts';
import type { EndpointRecord, EndpointStore } from '../serving.port.ts';
import { type Evidence, judge } from './judge.ts';
import { farthest } from './recent-outputs.ts';
import type { Trial } from './trials.ts';

const DEFAULT_WINDOW_SECONDS = 300;

export interface CanaryWatchDeps {
  endpoints: ReadonlyMap<string, LiveEndpoint>;
  store: Pick<EndpointStore, 'putEndpoint'>;
  logger: Logger;
  now(): number;
}

/** Compares every guarded canary with the champion (trials.ts), and takes the traffic from one that does worse. */
export class CanaryWatch {
  readonly #deps: CanaryWatchDeps;
  #timer: NodeJS.Timeout | undefined;
  #judging: Promise<void> = Promise.resolve();

  constructor(deps: CanaryWatchDeps) {
    this.#deps = deps;
  }

  start(everyMs: number): void {
    this.#timer = setInterval(() => {
      this.#judging = this.#judging.then(() => this.#evaluate()).catch((err: unknown) => this.#deps.logger.error({ err }, 'the canaries could not be judged'));
    }, everyMs).unref();
  }

  /** Resolves when what is being judged is. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#judging;
  }

  async #evaluate(): Promise<void> {
    for (const endpoint of this.#deps.endpoints.values()) await this.#judge(endpoint);
  }

  async #judge(endpoint: LiveEndpoint): Promise<void> {
    const { record, routes, trials } = endpoint;
    endpoint.verdicts.clear();
    if (trials === undefined || routes === undefined || record.suspended) return;
    const { guard } = trials;
    const live = routes.live.filter(({ weight }) => weight > 0);
    const champion = trials.championOf(live, routes.aliases['champion']);
    const canaries = live.filter((route) => route !== champion);
    if (champion === undefined || canaries.length === 0) return;
    const now = this.#deps.now();
    const bad: { route: Route; reasons: string[] }[] = [];
    const since = now - (guard.windowSeconds ?? DEFAULT_WINDOW_SECONDS) * 1000;
    const reference = trials.of(champion.version, now);
    for (const route of canaries) {
      const trial = trials.of(route.version, now);
      const drift = guard.driftDistance === undefined ? undefined : farthest(trial.outputs, reference.outputs, since);
      const verdict = judge(evidence(trial, since, now), evidence(reference, since, now), drift, guard);
      endpoint.verdicts.set(route.version, verdict);
      if (verdict.state === 'bad') bad.push({ route, reasons: verdict.reasons });
    }
    if (bad.length > 0) await this.#rollBack(record, routes, champion, bad);
  }

  async #rollBack(record: EndpointRecord, routes: Routes, champion: Route, bad: { route: Route; reasons: string[] }[]): Promise<void> {
    const reason = bad.map(({ route, reasons }) => `Version ${route.version} was taken out of the traffic: ${reasons.join('; ')}.`).join(' ');
    const traffic = without(
      record.traffic,
      bad.map(({ route }) => route.version),
      champion.version,
      // Those that made the routes: newer ones would name a version that has not been judged.
      routes.aliases,
    );
    // The record speaks of other versions than are served yet; once it is followed the next look judges.
    if (traffic === undefined) return;
    try {
      await this.#deps.store.putEndpoint({
        name: record.name,
        model: record.model,
        traffic,
        change: { kind: 'rolled_back', reason },
        ifRevision: record.revision,
      });
      this.#deps.logger.warn({ endpoint: record.name }, reason);
    } catch (error) {
      // Somebody, or another replica, was quicker.
      if (error instanceof BinnacleError && error.code === 'endpoint_changed') return;
      throw error;
    }
  }
}

function evidence({ stats }: Trial, since: number, now: number): Evidence {
  const { requests, errors, p99Ms } = stats.since(now, since);
  return { requests, errors, p99Ms, slowerThan: (ms) => stats.slowerThan(now, since, ms) };
}

/** The traffic without some versions, their weight with the champion's. Shadows stay. Undefined: they are not in it, or the champion is not. */
export function without(
  traffic: readonly TrafficTarget[],
  versions: readonly number[],
  champion: number,
  aliases: Readonly<Record<string, number>>,
): TrafficTarget[] | undefined {
  const versionOf = ({ version, alias }: TrafficTarget): number | undefined => version ?? (alias === undefined ? undefined : aliases[alias]);
  const leaves = (target: TrafficTarget): boolean => !target.shadow && versions.includes(versionOf(target) ?? 0);
  let freed = traffic.filter(leaves).reduce((sum, { weight }) => sum + weight, 0);
  if (freed === 0) return undefined;
  const left = traffic
    .filter((target) => !leaves(target))
    .map((target) => {
      if (target.shadow || freed === 0 || versionOf(target) !== champion) return target;
      const weight = target.weight + freed;
      freed = 0;
      return { ...target, weight };
    });
  return freed === 0 ? left : undefined;
}
