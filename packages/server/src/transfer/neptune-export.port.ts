/** A run of an export: `<project>/<name>_part_<n>.parquet`. */
export interface ExportedRun {
  /** The folder below the export's own, '/'-separated: where its files are, too. */
  project: string;
  name: string;
  /** Absolute paths. */
  parts: string[];
  /** Part 0 gets its name last: without it the run was not exported to its end. */
  complete: boolean;
  bytes: number;
}

export type ScalarType = 'float' | 'int' | 'string' | 'bool' | 'datetime' | 'string_set' | FileType;
/** A file, one that Neptune only kept the place of, a folder. */
export type FileType = 'file' | 'artifact' | 'file_set';
export type SeriesType = 'float_series' | 'string_series' | 'histogram_series' | 'file_series';

export interface Scalar {
  path: string;
  type: ScalarType;
  /** As text: a datetime in ISO 8601, a set as a JSON list, a file's path below the files of its project. */
  value: string | null;
}

/** What a series is, before its points are read. */
export interface SeriesShape {
  path: string;
  type: SeriesType;
  points: number;
}

export interface SeriesRow {
  path: string;
  /** Decimal, exactly as exported. */
  step: string | null;
  /** Milliseconds since the epoch. */
  timestamp: number | null;
  number: number | null;
  /** Of a string, a histogram as JSON, or a file's path. */
  text: string | null;
}

/** What neptune-exporter has written. Throws `invalid` for files that are not that. */
export interface NeptuneExport {
  /** Runs, and, kept in the same way, models and versions of the model registry. */
  runs(): Promise<{ runs: ExportedRun[]; models: ExportedRun[]; versions: ExportedRun[] }>;
  /** The ids that the rows themselves tell, and types that are not known here, with how many rows each has. */
  identity(run: ExportedRun): Promise<{ projectId: string; runId: string; unknown: { type: string; rows: number }[] }>;
  scalars(run: ExportedRun): Promise<Scalar[]>;
  shapes(run: ExportedRun): Promise<SeriesShape[]>;
  /** By path, step and time, some hundreds at a time. */
  series(run: ExportedRun, type: SeriesType): AsyncIterable<SeriesRow[]>;
  close(): Promise<void>;
}
