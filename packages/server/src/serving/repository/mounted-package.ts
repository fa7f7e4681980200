import type { ModelPackage } from '../../registry/index.ts';
import { type ModelConfig, printedModelConfig } from './model-config.ts';

/** What a repository's folder says of a version beside its graph. */
export interface MountedSettings {
  /** Completed: with inputs, outputs and max_batch_size. */
  config: ModelConfig;
  /** The model's folder, where the files are that the configuration names. */
  dir: string;
}

/** A version that comes from a model repository folder. */
export interface MountedPackage extends ModelPackage {
  mounted: MountedSettings;
}

export const isMounted = (pkg: ModelPackage): pkg is MountedPackage => 'mounted' in pkg;

/** The configuration of a version from a model repository, as Triton prints it; undefined for every other version. */
export const mountedConfig = (pkg: ModelPackage): Record<string, unknown> | undefined => (isMounted(pkg) ? printedModelConfig(pkg.mounted.config) : undefined);
