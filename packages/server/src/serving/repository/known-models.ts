import type { FoundModel } from './layout.ts';
import type { ModelConfig } from './model-config.ts';

/** What a load brought along; kept until the next load or unload of the model. */
export interface Override {
  config: ModelConfig | undefined;
  /** Folder with the model's files instead of the repository's; undefined: the repository's own. */
  root: string | undefined;
}

/** What is known of one model of the repositories. */
export interface KnownModel {
  name: string;
  /** Wanted by the mode or by a load; otherwise it only stands in the index. */
  wanted: boolean;
  /** Its folder's state when it was last brought up to date; '': never. */
  fingerprint: string;
  /** Versions that were tried last. */
  versions: number[];
  /** Why nothing of it could be tried, or the last load that was asked for failed; '' when all went well, or it never was. */
  problem: string;
  /** It was served once, and is not any more. */
  unloaded: boolean;
  dependsOn: string[];
  override: Override | undefined;
}

export const newlyKnown = (name: string): KnownModel => ({
  name,
  wanted: false,
  fingerprint: '',
  versions: [],
  problem: '',
  unloaded: false,
  dependsOn: [],
  override: undefined,
});

/** A model's folder, and the repository that it is in. */
export interface Located {
  repository: string;
  found: FoundModel;
}

/** The names so that each comes after those that it depends on; what turns in a circle keeps the order in which it came. */
export function dependenciesFirst(names: readonly string[], dependsOn: (name: string) => readonly string[]): string[] {
  const out: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const other of dependsOn(name)) if (names.includes(other)) visit(other);
    out.push(name);
  };
  for (const name of names) visit(name);
  return out;
}
