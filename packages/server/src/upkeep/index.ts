/** Keeping what is there: backup, restore, and taking out what was deleted. */
export { type Backup, type BackupDeps, openBackup, sweepBackups } from './backup.ts';
export type { DatabaseSnapshots, SnapshotFacts } from './database-snapshots.port.ts';
export { createGarbageCollector, type GarbageCollector, type GarbageReport, ownFolder } from './gc.ts';
export type { Garbage, GarbageKind, GarbageStore, KeptGarbage } from './garbage-store.port.ts';
export type {
  ColumnKind,
  Contents,
  MovableColumn,
  MovableDatabase,
  MovableRow,
  MovableTable,
  MovableValue,
  MoveMark,
  StorageLimits,
} from './movable-database.port.ts';
export { type MoveOptions, type MovePhase, type MoveProgress, type MoveReport, moveDatabase, type TableProof } from './move.ts';
export { type BackupSummary, restoreBackup, type RestoreDeps, saveBackup } from './restore.ts';
export { type ArtifactsProgress, type ArtifactsReport, copyArtifacts } from './copy-artifacts.ts';
