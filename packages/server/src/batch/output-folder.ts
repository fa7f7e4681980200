import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BinnacleError, conflict, denied, exhausted } from '../kernel/index.ts';
import type { TableFormat } from '../tables/index.ts';
import type { BatchFile, BatchFileKind, Fingerprint, JobRecord } from './types.ts';

const MANIFEST = '_manifest.json';
const SUCCESS = '_SUCCESS';
const ERRORS = '_errors';
const PART = /^part-\d{5,}\.(csv|jsonl|parquet)$/;
const TEMPORARY = /^\.[\w.-]+\.tmp$/;

export interface Manifest {
  binnacle: 'batch/1';
  jobId: string;
  createdAt: string;
  fingerprint: Fingerprint;
}

/**
 * Where a job writes: parts, errors files, a manifest first and `_SUCCESS` last. With singleFile that folder stands beside the file
 * (`out.parquet.parts/`) and keeps only errors, manifest and marker in the end. Names are ours alone: nothing else is ever deleted.
 */
export class OutputFolder {
  readonly dir: string;
  /** The merged file, with singleFile. */
  readonly single: string | null;
  readonly format: TableFormat;

  constructor(output: string, singleFile: boolean, format: TableFormat) {
    this.single = singleFile ? output : null;
    this.dir = singleFile ? `${output}.parts` : output;
    this.format = format;
  }

  partName(chunk: number): string {
    return `part-${String(chunk).padStart(5, '0')}.${this.format}`;
  }
  errorsName(chunk: number | 'input'): string {
    return `${ERRORS}/${typeof chunk === 'number' ? `part-${String(chunk).padStart(5, '0')}` : chunk}.jsonl`;
  }
  path(name: string): string {
    return join(this.dir, name);
  }
  temporary(name: string): string {
    return join(dirname(this.path(name)), `.${name.split('/').at(-1)}.tmp`);
  }

  /** What is there. `foreign`: names that no batch job writes. */
  async look(): Promise<{ manifest: Manifest | null; success: boolean; foreign: string[]; ours: string[] }> {
    const names = await readdir(this.dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [] as string[];
      if (error.code === 'ENOTDIR') throw conflict('batch_output_exists', `${this.dir} is a file. Name a folder, or use singleFile.`);
      throw outputError(error, this.dir);
    });
    const ours = names.filter((name) => name === MANIFEST || name === SUCCESS || name === ERRORS || PART.test(name) || TEMPORARY.test(name));
    const manifest = await this.#readManifest();
    return {
      manifest,
      success: names.includes(SUCCESS),
      // A crash while the manifest was being written leaves this.
      foreign: names.filter((name) => (manifest === null ? name !== `.${MANIFEST}.tmp` : !ours.includes(name))),
      ours: manifest === null ? [] : ours,
    };
  }

  async #readManifest(): Promise<Manifest | null> {
    try {
      const manifest = JSON.parse(await readFile(this.path(MANIFEST), 'utf8')) as Manifest;
      return manifest.binnacle === 'batch/1' && typeof manifest.jobId === 'string' && typeof manifest.fingerprint === 'object' ? manifest : null;
    } catch {
      return null;
    }
  }

  /**
   * Makes the folder the job's own, unless it is already; with `overwrite` what an earlier job wrote is removed first. Safe to do again
   * after a crash at any moment. Throws `conflict` when it belongs to others, `denied` or `exhausted`.
   */
  async take(manifest: Manifest, overwrite: boolean): Promise<void> {
    const found = await this.look();
    if (found.manifest?.jobId === manifest.jobId) return;
    if (found.foreign.length > 0) throw notOurs(this.dir, found.foreign);
    if (found.manifest !== null) {
      if (!overwrite) throw taken(this.dir, manifest.jobId, found.manifest);
      await this.#clear(found.ours);
    }
    try {
      // The manifest first: a folder without one is nobody's.
      await makeFolders(this.dir);
      await this.#write(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
      await makeFolders(this.path(ERRORS));
    } catch (error) {
      throw outputError(error, this.dir);
    }
  }

  async exists(name: string, bytes: number): Promise<boolean> {
    return stat(this.path(name)).then(
      (status) => status.size === bytes,
      () => false,
    );
  }

  /** Gives a file that is written and synced its final name. */
  async publish(name: string): Promise<void> {
    await rename(this.temporary(name), this.path(name));
    await syncFolder(dirname(this.path(name)));
  }

  /** Replaces the errors of a chunk, one JSON object a line; none: no file. */
  async writeErrors(chunk: number | 'input', errors: readonly object[]): Promise<void> {
    const name = this.errorsName(chunk);
    if (errors.length === 0) await rm(this.path(name), { force: true });
    else await this.#write(name, errors.map((error) => `${JSON.stringify(error)}\n`).join(''));
  }

  async succeed(summary: object): Promise<void> {
    await rmdir(this.path(ERRORS)).catch(() => undefined);
    await this.#write(SUCCESS, `${JSON.stringify(summary)}\n`);
  }

  /** Removes what an attempt before left half-written, and the marker. */
  async tidy(): Promise<void> {
    await rm(this.path(SUCCESS), { force: true });
    for (const dir of [this.dir, this.path(ERRORS)])
      for (const name of await readdir(dir).catch(() => [] as string[])) if (TEMPORARY.test(name)) await rm(join(dir, name), { force: true });
    await makeFolders(this.path(ERRORS)).catch((error: unknown) => Promise.reject(outputError(error, this.dir)));
  }

  /** Removes every file that a batch job wrote here but the manifest, which is replaced: a crash in between leaves the folder ours. */
  async #clear(ours: readonly string[]): Promise<void> {
    await rm(this.path(SUCCESS), { force: true });
    await this.removeParts();
    for (const name of ours) {
      if (name === ERRORS) {
        for (const file of await readdir(this.path(ERRORS)))
          if (file.endsWith('.jsonl') || TEMPORARY.test(file)) await rm(join(this.path(ERRORS), file), { force: true });
      } else if (name !== MANIFEST) await rm(this.path(name), { force: true });
    }
  }

  async removeParts(): Promise<void> {
    for (const name of await readdir(this.dir)) if (PART.test(name)) await rm(this.path(name), { force: true });
  }

  async files(rowsOf: ReadonlyMap<string, number>): Promise<BatchFile[]> {
    const out: BatchFile[] = [];
    const add = async (name: string, kind: BatchFileKind, rows: number | null, path = this.path(name)): Promise<void> => {
      const status = await stat(path).catch(() => undefined);
      if (status?.isFile()) out.push({ name, kind, rows, bytes: status.size });
    };
    const names = (await readdir(this.dir).catch(() => [] as string[])).sort();
    if (this.single !== null) await add(this.single.split(/[\\/]/).at(-1) as string, 'merged', null, this.single);
    for (const name of names.filter((name) => PART.test(name))) await add(name, 'part', rowsOf.get(name) ?? null);
    for (const name of (await readdir(this.path(ERRORS)).catch(() => [] as string[])).sort())
      if (name.endsWith('.jsonl')) await add(`${ERRORS}/${name}`, 'errors', null);
    await add(MANIFEST, 'manifest', null);
    await add(SUCCESS, 'marker', null);
    return out;
  }

  async #write(name: string, text: string): Promise<void> {
    const aside = this.temporary(name);
    try {
      const handle = await open(aside, 'w');
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await this.publish(name);
    } catch (error) {
      await rm(aside, { force: true });
      throw outputError(error, this.path(name));
    }
  }
}

export const notOurs = (dir: string, foreign: readonly string[]): BinnacleError =>
  conflict(
    'batch_output_not_empty',
    `${dir} holds files that no batch job wrote (${foreign.slice(0, 5).join(', ')}${foreign.length > 5 ? ', …' : ''}), and they are never deleted. Choose an empty folder.`,
    { details: { foreign: foreign.slice(0, 100) } },
  );

/** `manifest`: what is there now. */
export const taken = (dir: string, jobId: string, manifest: Manifest | null): BinnacleError =>
  conflict(
    'batch_output_taken',
    `${dir} is no longer the output of the job ${jobId}${manifest === null ? ': its manifest is gone' : ` but of ${manifest.jobId}`}. Start a new job.`,
  );

export const manifestOf = ({ id, createdAt, fingerprint }: Pick<JobRecord, 'id' | 'createdAt' | 'fingerprint'>): Manifest => ({
  binnacle: 'batch/1',
  jobId: id,
  createdAt: new Date(createdAt).toISOString(),
  fingerprint,
});

/** A name is durable when its folder is. */
export async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r').catch(() => undefined);
  // Windows cannot sync a folder.
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

export function outputError(error: unknown, path: string): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof BinnacleError) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return exhausted('disk_full', `${path} cannot be written: the disk is full. Make room, then resume the job.`, { cause: error });
  if (['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ELOOP', 'EINVAL'].includes(code ?? ''))
    return denied('batch_output_denied', `${path} cannot be written: ${message}`, { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}

/** Like mkdir -p. Node's own never ends where a folder exists and answers "no such file" to a new one in it, as those of /proc do. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolders(dirname(path));
    await mkdir(path).catch((again: NodeJS.ErrnoException) => (again.code === 'EEXIST' ? undefined : Promise.reject(again)));
  }
}
