import { openFolderArtifactStore } from '../adapters/fs/index.ts';
import { sqliteSnapshots } from '../adapters/sql/index.ts';
import { type BackupSummary, restoreBackup } from '../upkeep/index.ts';

/** Makes a data directory of a backup, without a server. */
export const restore = (backup: string, dataDir: string): Promise<BackupSummary> =>
  restoreBackup({ database: sqliteSnapshots(dataDir), openArtifacts: (root) => openFolderArtifactStore({ root }) }, backup, dataDir);
