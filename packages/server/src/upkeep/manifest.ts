import { invalid, isObject } from '../kernel/index.ts';

export const MANIFEST = 'manifest.json';
export const DATABASE = 'binnacle.db';
export const ARTIFACTS = 'artifacts/';
export const MONITORING = 'monitoring/';
const FORMAT = 'binnacle-backup';

export interface BackupFile {
  path: string;
  size: number;
  /** Hex. */
  sha256: string;
}

/** The last file of a backup: without it the backup was not finished. */
export interface BackupManifest {
  format: typeof FORMAT;
  formatVersion: 1;
  /** Of the Binnacle that wrote it. */
  version: string;
  createdAt: number;
  /** Rows by table of the database. */
  tables: Record<string, number>;
  files: BackupFile[];
}

export const makeManifest = (facts: Pick<BackupManifest, 'version' | 'createdAt' | 'tables' | 'files'>): BackupManifest => ({
  format: FORMAT,
  formatVersion: 1,
  ...facts,
});

export function parseManifest(text: string): BackupManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid('backup_unreadable', `The backup's ${MANIFEST} cannot be read.`, { cause });
  }
  if (!isObject(value) || value['format'] !== FORMAT || !Array.isArray(value['files']) || !isObject(value['tables']))
    throw invalid('backup_unreadable', `The ${MANIFEST} there is not a Binnacle backup's.`);
  if (value['formatVersion'] !== 1)
    throw invalid('backup_newer', `The backup was written by a newer Binnacle (format ${String(value['formatVersion'])}). Restore it with that version.`);
  return value as unknown as BackupManifest;
}

/** Where a file of a backup belongs. Throws `invalid` for a path that a backup of ours never has. */
export function checkBackupPath(path: string): string {
  const known = path === DATABASE || path === MANIFEST || path.startsWith(ARTIFACTS) || path.startsWith(`${MONITORING}segments/`);
  if (!known || path.split('/').some((part) => part === '' || part === '.' || part === '..' || part.includes('\0') || part.includes('\\')))
    throw invalid('backup_unreadable', `The backup holds ${JSON.stringify(path.slice(0, 200))}, which no backup of ours does.`);
  return path;
}
