/** A figure that the project promises, and what this run measured. */
export interface Aim {
  what: string;
  measured: number;
  /** `higher`: measured must reach the bound; `lower`: it must stay below. */
  better: 'higher' | 'lower';
  bound: number;
  /** How both are written: `×` for ratios, else a unit. */
  unit: string;
}

export interface Table {
  caption?: string;
  header: string[];
  rows: (string | number)[][];
}

/** What a benchmark hands to the report. `raw` goes to bench/.data as JSON, the rest to RESULTS.md. */
export interface Report {
  /** One sentence: what is measured, and against whom. */
  about: string;
  /** Everything a reader needs to judge the fairness: versions' settings, flags, sizes. */
  settings: string[];
  tables: Table[];
  aims: Aim[];
  notes?: string[];
  raw: unknown;
}

export interface Context {
  /** Small sizes, to see that everything works; its figures mean nothing. */
  quick: boolean;
  /** Cache of loaded databases and models, kept between runs (bench/.data). */
  data: string;
  /** A scratch folder of this run, removed afterwards. */
  scratch: string;
  say: (text: string) => void;
}

export interface Benchmark {
  name: string;
  title: string;
  run(context: Context): Promise<Report>;
}
