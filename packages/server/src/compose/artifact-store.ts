import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openFolderArtifactStore } from '../adapters/fs/index.ts';
import { openS3ArtifactStore } from '../adapters/s3/index.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import type { Config } from '../config/index.ts';

/** The bucket of the configuration, with local copies in the data directory; without one, the folder `artifacts/` there. */
export async function openArtifactStore({ dataDir, artifacts, artifactCacheBytes }: Config): Promise<ArtifactStore> {
  if (artifacts !== undefined) return openS3ArtifactStore({ ...artifacts, cacheDir: join(dataDir, 'cache', 'artifacts'), cacheBytes: artifactCacheBytes });
  const root = join(dataDir, 'artifacts');
  await mkdir(root, { recursive: true });
  return openFolderArtifactStore({ root });
}
