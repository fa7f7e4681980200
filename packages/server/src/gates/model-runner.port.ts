import type { ModelPackage } from '../registry/index.ts';

/** A version loaded for a check, apart from every endpoint. */
export interface OpenModel {
  /**
   * Predicts rows of named inputs, as a caller of the endpoint would; one object of named outputs a row. Values are JSON's: numbers, strings, booleans, and
   * arrays for a tensor of more than one value a row. Throws `invalid` when the rows do not fit the model.
   */
  predict(rows: Record<string, unknown>[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Runs a version offline. Serving implements it; compose adapts it. */
export interface ModelRunner {
  /** Throws when the version cannot be loaded, saying why. */
  open(pkg: ModelPackage): Promise<OpenModel>;
}
