import type { ModelConfig } from './model-config.ts';

/** Which of the versions in a folder are served: the latest one by default. Ascending. */
export function chosenVersions(policy: ModelConfig['version_policy'], versions: readonly number[]): number[] {
  const ascending = [...versions].sort((a, b) => a - b);
  if (policy?.all !== undefined) return ascending;
  if (policy?.specific !== undefined) return ascending.filter((version) => policy.specific?.versions?.includes(version) === true);
  const count = Math.max(1, policy?.latest?.num_versions ?? 1);
  return ascending.slice(-count);
}
