/** What the models did in production: profiles, drift, alarms, ground truth, quality, the prediction log. */
export type { IntakeLedger } from './intake-ledger.port.ts';
export type { MonitoringStore } from './monitoring-store.port.ts';
export { createMonitoringService, type MonitoringDeps, type MonitoringService } from './monitoring.service.ts';
export type { LogSegment, PredictionLog, SegmentManifest } from './prediction-log.port.ts';
export type { TrainingDataReader } from './training-data.port.ts';
export type { TrainingProfile } from './training/training-profile.ts';
export type { StoredSource } from './types.ts';
