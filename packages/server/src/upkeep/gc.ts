import { type ArtifactStore, parseArtifactUri } from '../artifacts/index.ts';
import { type Clock, conflict, type EventMap, type Logger, systemClock } from '../kernel/index.ts';
import { isUploadFolder } from '../registry/index.ts';
import type { Garbage, GarbageStore, KeptGarbage } from './garbage-store.port.ts';

export interface GarbageReport {
  dryRun: boolean;
  /** Deleted at this time (ms) or earlier. */
  before: number;
  runs: number;
  loggedModels: number;
  experiments: number;
  /** Points of metrics of the runs that were removed; null for a dry run. */
  points: number | null;
  files: number;
  bytes: number;
  derivedFiles: number;
  /** Pushes of a version that broke off, so that no version has their files. */
  uploads: number;
  /** Names of metrics, params, tags and series that no run uses any more; null for a dry run. */
  names: number | null;
  /** Things whose files another store than this server's holds: those are not touched. */
  foreign: number;
  kept: KeptGarbage[];
  /** Ask again: a call ends after a while. */
  more: boolean;
}

export interface GarbageDeps {
  store: GarbageStore;
  artifacts: ArtifactStore;
  logger: Logger;
  clock?: Clock;
}

const DERIVED = '.binnacle/graphs';
const UPLOADS = 'registry';
/** Names of one transaction. */
const NAMES = 1000;
/** A file is derived before the version that uses it is registered. */
const DERIVED_GRACE_MS = 3600_000;
/** The longest that a push may take. */
const UPLOAD_GRACE_MS = 24 * 3600_000;
/** Of one transaction. */
const BATCH = 100;
/** After which a call says `more`: long before a client gives up. */
const CALL_MS = 30_000;

export type GarbageCollector = ReturnType<typeof createGarbageCollector>;

export function createGarbageCollector({ store, artifacts, logger, clock = systemClock }: GarbageDeps) {
  let running = false;

  /** Files and bytes below a folder, without the folders in it that were counted already. */
  async function measure(path: string, counted: Set<string>): Promise<{ files: number; bytes: number }> {
    counted.add(path);
    const sum = { files: 0, bytes: 0 };
    const folders = [path];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const entry of await artifacts.list(folder)) {
        if (entry.isDirectory) {
          if (!counted.has(entry.path)) folders.push(entry.path);
        } else {
          sum.files++;
          sum.bytes += entry.size ?? 0;
        }
      }
    }
    return sum;
  }

  async function collect(before: number, dryRun: boolean): Promise<GarbageReport> {
    const started = clock();
    const { garbage, kept } = await store.find(before);
    const counted = new Set<string>();
    const report: GarbageReport = {
      dryRun,
      before,
      runs: 0,
      loggedModels: 0,
      experiments: 0,
      points: dryRun ? null : 0,
      files: 0,
      bytes: 0,
      derivedFiles: 0,
      uploads: 0,
      names: dryRun ? null : 0,
      foreign: 0,
      kept,
      more: false,
    };
    for (let at = 0; at < garbage.length && !report.more; at += BATCH) {
      const batch = garbage.slice(at, at + BATCH);
      const paths = new Map(batch.map((item) => [item.id, ownFolder(item)]));
      const sizes = new Map<string, { files: number; bytes: number }>();
      for (const [id, path] of paths) if (path !== null && path !== undefined) sizes.set(id, await measure(path, counted));
      let gone = batch;
      if (!dryRun) {
        const { purged, points } = await store.purge(batch, before);
        gone = purged;
        report.points = (report.points ?? 0) + points;
        // The event of each purge does the same, at the next start if need be; this waits until it is done.
        for (const { id } of purged) {
          const path = paths.get(id);
          if (path !== null && path !== undefined) await artifacts.delete(path);
        }
      }
      for (const { kind, id } of gone) {
        if (kind === 'run') report.runs++;
        else if (kind === 'experiment') report.experiments++;
        else report.loggedModels++;
        if (paths.get(id) === undefined) report.foreign++;
        report.files += sizes.get(id)?.files ?? 0;
        report.bytes += sizes.get(id)?.bytes ?? 0;
      }
      report.more = !dryRun && at + BATCH < garbage.length && clock() - started > CALL_MS;
    }
    await derived(report, dryRun);
    await uploads(report, dryRun);
    if (!dryRun && !report.more) report.names = await names();
    return report;
  }

  async function names(): Promise<number> {
    let sum = 0;
    for (let at: number | null = 0; at !== null; ) {
      const { purged, last }: { purged: number; last: number | null } = await store.purgeNames(at, NAMES);
      sum += purged;
      at = last;
    }
    return sum;
  }

  /** Folders that a push made and that no version came of: it broke off, or the server died before it was registered. */
  async function uploads(report: GarbageReport, dryRun: boolean): Promise<void> {
    const cut = Math.min(report.before, clock() - UPLOAD_GRACE_MS);
    // Listed first, as below.
    const folders = (await artifacts.list(UPLOADS)).filter(({ path, isDirectory }) => isDirectory && isUploadFolder(path) && madeAt(path) < cut);
    if (folders.length === 0) return;
    const used = await store.versionPaths();
    for (const { path } of folders) {
      if (used.some((one) => one === path || one.startsWith(`${path}/`))) continue;
      const { files, bytes } = await measure(path, new Set());
      if (!dryRun) await artifacts.delete(path);
      report.uploads++;
      report.files += files;
      report.bytes += bytes;
    }
  }

  async function derived(report: GarbageReport, dryRun: boolean): Promise<void> {
    // Listed first: what a version registered meanwhile uses is in the second list.
    const files = (await artifacts.list(DERIVED)).filter(({ path, isDirectory }) => !isDirectory && madeAt(path) < clock() - DERIVED_GRACE_MS);
    if (files.length === 0) return;
    const used = new Set(await store.versionPaths());
    for (const { path, size } of files) {
      if (used.has(path)) continue;
      if (!dryRun) await artifacts.delete(path);
      report.derivedFiles++;
      report.files++;
      report.bytes += size ?? 0;
    }
  }

  return {
    /** Removes, or with `dryRun` only counts, what was deleted at least `olderThanSeconds` ago. One at a time. */
    async collect(olderThanSeconds: number, dryRun: boolean): Promise<GarbageReport> {
      if (running) throw conflict('gc_running', 'A garbage collection is running. Wait for its end.');
      running = true;
      try {
        return await collect(clock() - olderThanSeconds * 1000, dryRun);
      } finally {
        running = false;
      }
    },
    /** For the event: the files of what was purged, unless something of that id is there again. */
    async removeOrphans({ kind, id, path }: EventMap['files.orphaned']): Promise<void> {
      if (await store.exists(kind, id)) return logger.warn({ kind, id, path }, 'files were to be removed, but what they belong to is there again');
      await artifacts.delete(path);
    },
  };
}

/** The folder that holds nothing but an item's files; null when it has none, undefined when another store has them. */
export function ownFolder({ artifactUri }: Pick<Garbage, 'artifactUri'>): string | null | undefined {
  if (artifactUri === null) return null;
  if (!artifactUri.startsWith('mlflow-artifacts:')) return undefined;
  const { path } = parseArtifactUri(artifactUri);
  const folder = path.replace(/\/artifacts$/, '');
  return folder === '' ? null : folder;
}

/** Names are UUIDs version 7, with dashes or without, which begin with the time; older ones are random, and old. */
function madeAt(path: string): number {
  const [, high, low] = /\/([0-9a-f]{8})-?([0-9a-f]{4})-?7[0-9a-f]{3}[^/]*$/.exec(path) ?? [];
  return high === undefined || low === undefined ? 0 : Number.parseInt(high + low, 16);
}
