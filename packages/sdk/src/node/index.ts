export * from '../index.ts';
export type { HardwareOptions } from './hardware/sampler.ts';
export type { RunReport, SyncState } from './run-sync.ts';
export type { SourceOptions } from './source/capture.ts';
export { type NodeRunOptions, NodeRunLogger, startRun } from './start-run.ts';
export { type SyncOptions, syncRuns } from './sync.ts';
