import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '../../kernel/index.ts';

/** In the order of training; each is promoted in turn, and the last must be refused. */
export const RUN_NAMES = ['linear', 'boosted', 'bad'] as const;
export type RunName = (typeof RUN_NAMES)[number];

export interface RecordedPoint {
  key: string;
  value: number;
  timestamp: number;
  step: number;
  /** Tied to the logged model. */
  model?: boolean;
}

/** `run.json`: one run as the mlflow client logged it; its fields are in examples/flight-delays/README.md. */
export interface RecordedRun {
  version: 1;
  experiment: string;
  name: RunName;
  run_id: string;
  status: string;
  start_time: number;
  end_time: number;
  params: Record<string, string>;
  tags: Record<string, string>;
  datasets: { name: string; digest: string; source_type: string; source: string; schema: string; profile: string; tags: Record<string, string> }[];
  model: { name: string; model_id: string; model_type: string; params: Record<string, string>; tags: Record<string, string>; files: string[] };
  artifacts: string[];
  metrics: RecordedPoint[];
  /** Where its files lie: `model/` and `artifacts/`. */
  folder: string;
}

export async function readRecording(folder: string): Promise<RecordedRun[]> {
  return Promise.all(
    RUN_NAMES.map(async (name) => {
      const file = join(folder, name, 'run.json');
      const run = JSON.parse(await readFile(file, 'utf8')) as RecordedRun;
      if (run.version !== 1) throw invalid('demo_recording_version', `${file} has version ${String(run.version)}; this demo reads version 1.`);
      return { ...run, folder: join(folder, name) };
    }),
  );
}

/** Milliseconds to add to every recorded time so that the last run ends at `now`; whole seconds, so that times keep their look. */
export const offsetTo = (runs: RecordedRun[], now: number): number => Math.floor((now - Math.max(...runs.map((run) => run.end_time))) / 1000) * 1000;

/** At most `size` a piece: what one log-batch takes. */
export function pieces<T>(items: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** MLmodel names the ids and the address that the recording got; a replayed model says its own, as the mlflow client would write it. */
export function rewriteMlModel(
  text: string,
  recorded: { runId: string; modelId: string },
  now: { runId: string; modelId: string; artifactUri: string },
): string {
  return text
    .replace(/^artifact_path: .*$/m, `artifact_path: ${now.artifactUri}`)
    .replaceAll(recorded.runId, now.runId)
    .replaceAll(recorded.modelId, now.modelId);
}
