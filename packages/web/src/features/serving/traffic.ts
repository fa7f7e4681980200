import type { TrafficTarget } from '@binnacle/contract';
import { formatPercent } from '../../ui/format.ts';

/** Why an endpoint of a model repository has nothing to press. */
export const REPOSITORY_OWNS = 'It comes from the model repository: what it serves is changed in its folder, and loaded and unloaded there.';

const share = ({ alias, version, weight, shadow }: TrafficTarget): string =>
  `${alias === undefined ? `version ${version}` : `@${alias}`} ${shadow ? 'shadow' : formatPercent(weight / 100)}`;
export const trafficText = (traffic: readonly TrafficTarget[]): string => traffic.map(share).join(', ') || 'Nothing is served.';

export interface Target {
  /** "alias:champion" or "version:3". */
  ref: string;
  weight: number;
  shadow: boolean;
}

export const toTarget = (t: TrafficTarget): Target => ({
  ref: t.alias === undefined ? `version:${t.version}` : `alias:${t.alias}`,
  weight: t.weight,
  shadow: t.shadow,
});
export function fromTarget(t: Target): TrafficTarget {
  const value = t.ref.slice(t.ref.indexOf(':') + 1);
  const rest = { weight: t.shadow ? 100 : t.weight, shadow: t.shadow };
  return t.ref.startsWith('alias:') ? { alias: value, ...rest } : { version: Number(value), ...rest };
}
export const refLabel = (ref: string): string => (ref.startsWith('alias:') ? `@${ref.slice(6)}` : `version ${ref.slice(8)}`);

/** Why the targets cannot be saved, or undefined. The server checks the same. */
export function trafficProblem(targets: Target[]): string | undefined {
  if (targets.length === 0) return 'Add at least one target.';
  const refs = targets.map((t) => t.ref);
  if (refs.some((ref) => ref.endsWith(':'))) return 'Choose a version or an alias for every target.';
  if (new Set(refs).size < refs.length) return 'Each version or alias may appear once only.';
  const live = targets.filter((t) => !t.shadow);
  if (live.length === 0) return 'At least one target must answer; the others may be shadows.';
  const sum = live.reduce((n, t) => n + t.weight, 0);
  return Math.abs(sum - 100) > 1e-6 ? `The weights of the answering targets add up to ${Number(sum.toFixed(3))}, not to 100.` : undefined;
}

/** Sets one weight and gives the rest to the other answering targets in proportion, so the sum stays 100. */
export function rebalance(targets: Target[], index: number, weight: number): Target[] {
  const wanted = Math.max(0, Math.min(100, weight));
  const others = targets.filter((t, i) => i !== index && !t.shadow);
  const sum = others.reduce((n, t) => n + t.weight, 0);
  const rest = 100 - wanted;
  let given = 0;
  let left = others.length;
  return targets.map((t, i) => {
    if (i === index) return { ...t, weight: others.length === 0 ? 100 : wanted };
    if (t.shadow) return t;
    left -= 1;
    const share = left === 0 ? rest - given : Math.round((sum === 0 ? rest / others.length : (t.weight / sum) * rest) * 100) / 100;
    given += share;
    return { ...t, weight: Math.round(share * 100) / 100 };
  });
}
