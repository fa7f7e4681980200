import { lockDataDir } from '../adapters/sql/index.ts';
import type { Config } from '../config/index.ts';
import { conflict } from '../kernel/index.ts';
import { type ArtifactsProgress, type ArtifactsReport, copyArtifacts } from '../upkeep/index.ts';
import { openArtifactStore } from './artifact-store.ts';

/** Copies the artifacts of a configuration to a bucket, without a server; the data directory is held meanwhile. */
export async function copyArtifactsTo(config: Config, artifacts: NonNullable<Config['artifacts']>, progress: ArtifactsProgress): Promise<ArtifactsReport> {
  const place = ({ bucket, prefix, endpoint }: NonNullable<Config['artifacts']>) => JSON.stringify([bucket, prefix, endpoint]);
  if (config.artifacts !== undefined && place(config.artifacts) === place(artifacts))
    throw conflict('migration_same', 'The artifacts are in that bucket already.');
  const lock = lockDataDir(config.dataDir);
  try {
    const source = await openArtifactStore(config);
    const target = await openArtifactStore({ ...config, artifacts });
    try {
      return await copyArtifacts(source, target, progress);
    } finally {
      await target.close?.();
      await source.close?.();
    }
  } finally {
    lock.release();
  }
}
