import type { MlflowSource } from '../transfer/index.ts';

/** An MLflow to read from: its server by URL, else its database file. `files`: where artifacts are now, when they are not where they were. */
export async function openMlflow(place: string, options: { files: string | null; env: NodeJS.ProcessEnv }): Promise<MlflowSource> {
  if (/^https?:\/\//i.test(place)) return (await import('../adapters/mlflow-server/index.ts')).openMlflowServer(place, options.env);
  return (await import('../adapters/mlflow-db/index.ts')).openMlflowDatabase(place, options.files);
}
