export interface TrainingData {
  /** Rows of the file; the columns may be a sample. */
  rows: number;
  columns: { name: string; values: (string | number | boolean | null)[] }[];
  /** Columns that hold no scalars. */
  skipped: string[];
}

/** Reads the file that a training run logged. */
export interface TrainingDataReader {
  /** Up to `maxRows` rows, evenly sampled with a fixed seed. Throws `invalid` (training_data_invalid) for a file that is no Parquet or CSV table. */
  read(file: string, options: { maxRows: number }): Promise<TrainingData>;
}
