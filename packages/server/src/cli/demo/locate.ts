import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packagedFolder } from '../../config/index.ts';
import { notFound } from '../../kernel/index.ts';

/** The folder of the recorded runs: examples/flight-delays/recorded in a clone, packed beside the code otherwise. */
export function findRecording(folder: string | undefined = packagedFolder('recorded')): string {
  if (folder !== undefined && existsSync(join(folder, 'boosted', 'run.json'))) return folder;
  throw notFound(
    'demo_recording_missing',
    "The demo's recorded training runs are not in this installation. Clone the repository and run `npm run demo` in it.",
  );
}

/** `flights-3m.parquet` of the npm package vega-datasets, as seen from this file or from the current folder. */
export function findFlights(origins: string[] = [import.meta.url, join(process.cwd(), 'package.json')]): string {
  for (const origin of origins) {
    try {
      // The package exports only its entry, build/index.js.
      const file = join(dirname(createRequire(origin).resolve('vega-datasets')), '..', 'data', 'flights-3m.parquet');
      if (existsSync(file)) return file;
    } catch {
      // Not installed as seen from there.
    }
  }
  throw notFound(
    'demo_data_missing',
    'The demo needs flights-3m.parquet of the npm package vega-datasets, which is not installed here. Run `npm install vega-datasets` in this folder, or clone the repository and run `npm run demo` in it.',
  );
}
