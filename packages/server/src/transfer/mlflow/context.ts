import { createHash } from 'node:crypto';
import type { MlflowSource } from '../mlflow-source.port.ts';
import type { MlflowTarget } from '../mlflow-target.port.ts';
import type { MlflowReport } from './report.ts';

export interface MlflowImport {
  source: MlflowSource;
  target: MlflowTarget;
  /** Names of experiments; none: all, and the registry. */
  experiments: string[];
  artifacts: boolean;
  dryRun: boolean;
  /** Reads again what a finished run had when it came in. */
  recheck: boolean;
  progress?: (done: number, total: number | null, note: string) => void;
}

export interface Context extends MlflowImport {
  report: MlflowReport;
  /** Ids of experiments there to those here; null: brought by an earlier import, and removed here since. */
  experimentIds: Map<string, string | null>;
}

/** Ids there of the experiments whose things are brought in. */
export const wantedExperiments = ({ experimentIds }: Context): Set<string> => new Set([...experimentIds].filter(([, to]) => to !== null).map(([from]) => from));

export const digestOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22);

/** Does up to `limit` things at a time, and all before it ends. */
export async function atOnce<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) await work(items[at] as T);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
