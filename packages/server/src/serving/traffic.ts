import type { TrafficTarget } from '@binnacle/contract';
import { invalid, notFound } from '../kernel/index.ts';
import type { ServedTarget } from './serving.port.ts';

/** Throws `invalid` unless the weights of the targets that are not shadows add up to 100 percent. */
export function checkTraffic(traffic: readonly TrafficTarget[]): void {
  const live = traffic.filter((target) => !target.shadow);
  if (live.length === 0) throw invalid('invalid_traffic', 'The traffic needs at least one target that is not a shadow.');
  const sum = live.reduce((total, target) => total + target.weight, 0);
  if (Math.abs(sum - 100) > 0.01)
    throw invalid('invalid_traffic', `The weights of the targets that are not shadows add up to ${Number(sum.toFixed(4))}, not to 100 percent.`, {
      details: { sum },
    });
}

/** What the traffic means now: versions instead of aliases; targets that meet in one version are added up. */
export function resolveTraffic(model: string, traffic: readonly TrafficTarget[], aliases: Readonly<Record<string, number>>): ServedTarget[] {
  const out: ServedTarget[] = [];
  for (const { alias, version: pinned, weight, shadow } of traffic) {
    const version = pinned ?? (alias === undefined ? undefined : aliases[alias]);
    if (version === undefined) throw notFound('alias_not_found', `Model '${model}' has no alias '${alias}'. Set it, or send the traffic to a version.`);
    const same = out.find((target) => target.version === version && target.shadow === shadow);
    if (same === undefined) out.push({ version, weight: shadow ? 0 : weight, shadow });
    else same.weight += shadow ? 0 : weight;
  }
  return out;
}

/** Picks by weight; `random` is uniform in [0,1). Targets of weight 0 are never picked, except when there is nothing else. */
export function pickByWeight<T extends { weight: number }>(targets: readonly T[], random: number): T | undefined {
  if (targets.length <= 1) return targets[0];
  let total = 0;
  for (const { weight } of targets) total += weight;
  let point = random * total;
  for (const target of targets) {
    point -= target.weight;
    if (point < 0) return target;
  }
  return targets.find(({ weight }) => weight > 0) ?? targets[0];
}
