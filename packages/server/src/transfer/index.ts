/** Moving in, what other trackers have left, and out, as tables. */
export type { ImportMark, ImportMarks } from './import-marks.port.ts';
export type { ImportTarget, TargetPoint } from './import-target.port.ts';
export { localFiles } from './local-artifacts.ts';
export type {
  FileOwner,
  MlflowSource,
  Pair,
  SourceDataset,
  SourceExperiment,
  SourceFile,
  SourceLoggedModel,
  SourceModel,
  SourceRun,
  SourceSeries,
  SourceVersion,
  Stage,
} from './mlflow-source.port.ts';
export type { MlflowTarget } from './mlflow-target.port.ts';
export { importMlflow, type MlflowReport, type Tally } from './mlflow.ts';
export type { ExportedRun, FileType, NeptuneExport, Scalar, ScalarType, SeriesRow, SeriesShape, SeriesType } from './neptune-export.port.ts';
export type { ExportColumn, ExportValue, TablesOut } from './tables-out.port.ts';
export { importNeptune, type NeptuneReport } from './neptune.ts';
