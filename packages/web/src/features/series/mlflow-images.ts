import type { FileEntry } from '@binnacle/contract';

/** Pictures that MLflow's `log_image(image, key=…, step=…)` has put among the artifacts: key, step and time are in their names. Pure; tested in mlflow-images.test.ts. */
export interface FileAt {
  step: number;
  timestamp: number;
  inherited: boolean;
  path: string;
  runId: string;
  size: number | null;
}
export const IMAGES = 'images';
/** Newer clients put + between the parts and ~ for a slash of the key, older ones % and #. Of each picture there is a smaller copy, too, which is left out. */
const NAME = /^images\/(.+)[+%]step[+%](-?\d+)[+%]timestamp[+%](\d+)[+%][0-9a-f-]{36}\.png$/;

/** By key, in the order of their steps. */
export function imageSeries(files: readonly FileEntry[], runId: string): Map<string, FileAt[]> {
  const series = new Map<string, FileAt[]>();
  for (const { path, isDirectory, size } of files) {
    const found = isDirectory ? null : NAME.exec(path);
    if (found === null) continue;
    const key = (found[1] as string).replace(/[~#]/g, '/');
    const file = { step: Number(found[2]), timestamp: Number(found[3]), inherited: false, path, runId, size };
    if (series.get(key)?.push(file) === undefined) series.set(key, [file]);
  }
  for (const list of series.values()) list.sort((a, b) => a.step - b.step || a.timestamp - b.timestamp);
  return new Map([...series].sort(([a], [b]) => (a < b ? -1 : 1)));
}
