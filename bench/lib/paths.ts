import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
export const BENCH = join(ROOT, 'bench');
export const PYTHON = join(ROOT, '.cache/venv/bin/python');
export const FLIGHTS = join(ROOT, 'node_modules/vega-datasets/data/flights-3m.parquet');
export const BINNACLE_MAIN = join(ROOT, 'packages/server/dist/main.js');
/** A script of the competitors' side. */
export const script = (name: string): string => join(BENCH, 'python', name);

/** @throws with what to run, when a part that the benchmarks need has not been made. */
export function requireParts(): void {
  for (const [path, how] of [
    [PYTHON, 'node scripts/real-setup.mjs'],
    [BINNACLE_MAIN, 'npm run build'],
    [FLIGHTS, 'npm ci'],
  ] as const) {
    if (!existsSync(path)) throw new Error(`${path} is missing: start with \`npm run bench\`, or run \`${how}\`.`);
  }
}
