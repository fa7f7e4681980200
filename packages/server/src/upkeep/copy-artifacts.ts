import { createHash } from 'node:crypto';
import type { ArtifactEntry, ArtifactStore } from '../artifacts/index.ts';

export interface ArtifactsReport {
  files: number;
  bytes: number;
  /** Files that this call wrote; the others were there already, with the same checksum. */
  copied: number;
  /** Files that could not be proved equal, with a sentence each. */
  failed: { path: string; why: string }[];
}

/** Told after each file. */
export type ArtifactsProgress = (files: number, bytes: number) => void;

/**
 * Copies every file, what the server derived among them, from one store to another. Each is held against the SHA-256 that it was stored with, and against that which the
 * target kept. Done again, it writes only what is missing or differs; files of the target that the source does not have stay.
 */
export async function copyArtifacts(source: ArtifactStore, target: ArtifactStore, progress: ArtifactsProgress = () => {}): Promise<ArtifactsReport> {
  const report: ArtifactsReport = { files: 0, bytes: 0, copied: 0, failed: [] };
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await source.list(folder)) {
      if (entry.isDirectory) {
        folders.push(entry.path);
        continue;
      }
      const why = (await isThere(source, target, entry)) ? undefined : await copyFile(source, target, entry, report);
      report.files++;
      report.bytes += entry.size ?? 0;
      if (why !== undefined) report.failed.push({ path: entry.path, why });
      progress(report.files, report.bytes);
    }
  }
  return report;
}

/** Whether the target has a file that was stored with the same checksum. Without checksums on both sides it is copied. */
async function isThere(source: ArtifactStore, target: ArtifactStore, { path, size }: ArtifactEntry): Promise<boolean> {
  if ((await target.stat(path))?.size !== size) return false;
  const [from, to] = [await source.open(path), await target.open(path)];
  from.stream.destroy();
  to.stream.destroy();
  return from.sha256 !== null && from.sha256 === to.sha256;
}

/** Returns why the copy is not proved, or undefined when it is. */
async function copyFile(source: ArtifactStore, target: ArtifactStore, { path }: ArtifactEntry, report: ArtifactsReport): Promise<string | undefined> {
  const { stream, sha256 } = await source.open(path);
  const { sha256: written } = await target.put(path, stream as AsyncIterable<Uint8Array>);
  report.copied++;
  if (sha256 !== null && written !== sha256) {
    await target.delete(path);
    return `its SHA-256 is ${written}, and ${sha256} was stored: it was damaged before, and is not copied`;
  }
  const kept = await readBack(target, path);
  return kept === written ? undefined : `its SHA-256 in the target is ${kept}, and ${written} was written`;
}

async function readBack(target: ArtifactStore, path: string): Promise<string> {
  const hash = createHash('sha256');
  const { stream } = await target.open(path);
  for await (const chunk of stream as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest('hex');
}
