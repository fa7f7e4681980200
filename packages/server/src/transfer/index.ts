/** Moving in: what other trackers have left, brought into this one. */
export type { ImportTarget, TargetPoint } from './import-target.port.ts';
export type { ExportedRun, FileType, NeptuneExport, Scalar, ScalarType, SeriesRow, SeriesShape, SeriesType } from './neptune-export.port.ts';
export { importNeptune, type NeptuneReport } from './neptune.ts';
