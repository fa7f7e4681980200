import { duckDbVersion } from '../adapters/duckdb/index.ts';
import { onnxBackends } from '../adapters/onnx/index.ts';

/** What `doctor` says of the engines inside; loading them is the check. */
export const engines: { name: string; describe: () => Promise<string> }[] = [
  { name: 'ONNX Runtime', describe: async () => `execution providers: ${(await onnxBackends()).join(', ')}` },
  { name: 'DuckDB', describe: duckDbVersion },
];
