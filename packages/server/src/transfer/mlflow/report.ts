import type { TargetResult } from '../mlflow-target.port.ts';

export interface Tally {
  created: number;
  updated: number;
  unchanged: number;
  /** Imported before, and removed (or renamed) here since: not brought back. */
  removed: number;
  failed: number;
}

/** What an import did; of a dry run, what it would do. Lists end after 1000 entries, and `more` counts the others. */
export interface MlflowReport {
  source: string;
  dryRun: boolean;
  experiments: Tally;
  runs: Tally;
  loggedModels: Tally;
  models: Tally;
  versions: Tally;
  aliases: { set: number; removed: number };
  points: number;
  files: { copied: number; bytes: number; there: number };
  /** Experiments that are under another id here. */
  mapped: { experiment: string; from: string; to: string }[];
  /** Things that were changed on both sides since the last import, and stay as they are here. */
  kept: { what: string; fields: string[] }[];
  /** What could not be brought in. */
  failed: { what: string; message: string }[];
  /** Files that were not copied, by where they are. */
  notCopied: { where: string; things: number; why: string }[];
  /** What is here in another form than it was. */
  notes: { what: string; message: string }[];
  /** What is there and has no place here; `count` null: the source does not tell. */
  leftOut: { what: string; count: number | null; why: string }[];
  more: Record<string, number>;
}

export type TallyName = 'experiments' | 'runs' | 'loggedModels' | 'models' | 'versions';
type ListName = 'mapped' | 'kept' | 'failed' | 'notes';

const MAX_LIST = 1000;
const tally = (): Tally => ({ created: 0, updated: 0, unchanged: 0, removed: 0, failed: 0 });

export function newReport(source: string, dryRun: boolean): MlflowReport {
  return {
    source,
    dryRun,
    experiments: tally(),
    runs: tally(),
    loggedModels: tally(),
    models: tally(),
    versions: tally(),
    aliases: { set: 0, removed: 0 },
    points: 0,
    files: { copied: 0, bytes: 0, there: 0 },
    mapped: [],
    kept: [],
    failed: [],
    notCopied: [],
    notes: [],
    leftOut: [],
    more: {},
  };
}

export function addTo<L extends ListName>(report: MlflowReport, list: L, entry: MlflowReport[L][number]): void {
  const entries = report[list] as MlflowReport[L][number][];
  if (entries.length < MAX_LIST) entries.push(entry);
  else report.more[list] = (report.more[list] ?? 0) + 1;
}

/** Counts a result, and tells what stayed as it is here. */
export function count(report: MlflowReport, name: TallyName, what: string, { outcome, kept }: TargetResult): void {
  report[name][outcome]++;
  if (kept.length > 0) addTo(report, 'kept', { what, fields: kept });
}

export function fail(report: MlflowReport, name: TallyName, what: string, message: string): void {
  report[name].failed++;
  addTo(report, 'failed', { what, message });
}

/** Things are told by the store that they are in: there may be a hundred thousand of them in one. */
export function notCopied(report: MlflowReport, uri: string, why: string): void {
  const where = /^[a-z][a-z0-9+.-]*:\/\/[^/]+/i.exec(uri)?.[0] ?? (/^[a-z][a-z0-9+.-]*:/i.test(uri) ? uri.slice(0, uri.indexOf(':') + 1) : rootOf(uri));
  const known = report.notCopied.find((entry) => entry.where === where);
  if (known !== undefined) known.things++;
  else if (report.notCopied.length < MAX_LIST) report.notCopied.push({ where, things: 1, why });
  else report.more.notCopied = (report.more.notCopied ?? 0) + 1;
}

/** `<root>/<experiment>/<run>/artifacts`. */
const rootOf = (path: string): string => path.split('/').slice(0, -3).join('/') || path;
