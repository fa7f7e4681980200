import type { NewVersion, Stage } from './registry-store.port.ts';

/** `removed`: an earlier import brought it, and it is gone (or renamed) here since. `kept`: fields that were changed on both sides, and stay as they are here. */
export interface ImportedPackage {
  outcome: 'created' | 'updated' | 'unchanged' | 'removed';
  kept: string[];
}

export interface ModelImport {
  name: string;
  description: string;
  createdAt: number;
  updatedAt: number;
  /** The highest number that a version ever had. */
  lastVersion: number;
  tags: Record<string, string>;
}

export interface VersionImport extends NewVersion {
  version: number;
  stage: Stage;
  createdAt: number;
  updatedAt: number;
}

/** What tracking's `TrackingImports` is to runs. Each call is one transaction, and may be done again. */
export interface RegistryImports {
  /** `conflict` (code `model_not_imported`) when the one of that name did not come by an import. */
  importModel(model: ModelImport): Promise<ImportedPackage>;
  /** Undefined when none of that number ever came in. `withoutFiles`: it is here, and its files were not in the artifact store when it was last looked for. */
  importedVersion(model: string, version: number): Promise<{ withoutFiles: boolean } | undefined>;
  /** Emits `model-version.created` for a new one; one without files takes the place and the facts that are given. `conflict` (code `version_not_imported`). */
  importVersion(version: VersionImport): Promise<ImportedPackage>;
  /** Moves without a gate, and emits `alias.moved`; those that a gate policy guards are left and told in `guarded`, those of a version that is not here in `kept`; the next import tries them again. */
  importAliases(model: string, aliases: { alias: string; version: number }[]): Promise<{ set: string[]; removed: string[]; kept: string[]; guarded: string[] }>;
}
