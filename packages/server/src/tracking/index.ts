/** Experiments, runs, params, metrics, tags, datasets and logged models. */
export type { EntryInputs } from './entries.ts';
export type { ExperimentImport, Imported, LoggedModelImport, RunImport, TrackingImports } from './imports.port.ts';
export { createTrackingImports, type SeriesColumns, type TrackingImportService } from './imports.ts';
export type { MetricInput } from './point-batch.ts';
export { createRunDirectory } from './run-directory.ts';
export type * from './run-groups.types.ts';
export { createSavedViews, type SavedViews } from './saved-views.ts';
export type { SavedViewRecord, SavedViewStore } from './saved-views.port.ts';
export type { LoggedModelSearchRequest, SearchRequest } from './search.ts';
export type { TrackingStore } from './tracking.port.ts';
export { createTrackingService, type TrackingService } from './tracking.service.ts';
export * from './types.ts';
export { checkAsPath, checkBatchSize, checkKey, invalidValue, LIMITS, missingValue, SEE_DOCS } from './validation.ts';
