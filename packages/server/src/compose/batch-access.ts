import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import { isLoopback } from '../http/index.ts';
import { createPathAccess, type PathAccess } from '../tables/index.ts';

/** What the server keeps in its data directory. */
const OWN = /^(binnacle\.db.*|owner\..*|artifacts|cache|monitoring|batch|run|environments|logs)$/i;

/**
 * Which paths batch jobs may use: the folders of the configuration; without any, everything on loopback, since a caller is then the user who
 * started the server, and beyond it `tables/` in the data directory. Never the server's own files.
 */
export function batchAccess({ dataDir, host, batch }: Pick<Config, 'dataDir' | 'host' | 'batch'>): PathAccess {
  const tables = join(dataDir, 'tables');
  const fallback = batch.roots === undefined && !isLoopback(host);
  const access = createPathAccess({ roots: fallback ? [tables] : batch.roots, reserved: { folder: dataDir, names: OWN, use: tables } });
  return {
    async check(path) {
      // Made at the first job, so that whoever is told of it finds it.
      if (fallback) await mkdir(tables, { recursive: true });
      return access.check(path);
    },
  };
}
