import type { ImportTarget } from './import-target.port.ts';
import { artifactName, trackerKey } from './names.ts';
import type { ExportedRun, FileType, NeptuneExport, Scalar, ScalarType, SeriesRow, SeriesShape } from './neptune-export.port.ts';
import { findFiles, lines } from './neptune-files.ts';
import { FORK_PARENT, FORK_STEP, type Forkable, type ForkLinker, NEPTUNE_ID } from './neptune-forks.ts';
import { importEntries, importMetrics, type Note } from './neptune-series.ts';

export interface NeptuneReport {
  dryRun: boolean;
  /** Complete runs of the export; each model and version of its registry is one, too. */
  runs: number;
  imported: number;
  /** Imported before, and not touched. */
  unchanged: number;
  failed: { project: string; run: string; message: string }[];
  /** Runs whose export was not finished. */
  incomplete: { project: string; run: string }[];
  params: number;
  points: number;
  /** Points of series of strings, histograms and files. */
  entries: number;
  files: number;
  forks: number;
  /** What is there in another form than it was, or not at all. */
  notes: { project: string; run: string; attribute: string; what: string }[];
  /** Registered models and their versions, of all in the export. */
  models: number;
  versions: number;
}

export interface NeptuneImport {
  source: NeptuneExport;
  target: ImportTarget;
  /** Where the exported files are: `<files>/<project>/…`; null when there are none. */
  files: string | null;
  dryRun: boolean;
  progress?: (done: number, total: number, run: string) => void;
}

const DONE = 'neptune.imported';
const MAX_PARAM = 6000;
const MAX_TAG = 8000;

/** One run of an export, on its way in. */
export interface RunImport extends NeptuneImport {
  run: ExportedRun;
  /** Runs by what Neptune calls them, by experiment. */
  there: Map<string, Awaited<ReturnType<ImportTarget['runsByTag']>>>;
  /** None for what is not forked. */
  linker: ForkLinker | undefined;
  /** The experiment of a project. */
  experimentOf: (projectId: string) => string;
  report: NeptuneReport;
}

/** Returns what it was forked from. */
export async function importRun(one: RunImport): Promise<Forkable> {
  const { source, target, run, there, linker, report, dryRun } = one;
  const { projectId, runId: neptuneId, unknown } = await source.identity(run);
  const scalars = await source.scalars(run);
  const sys = (name: string) => scalars.find(({ path }) => path === `sys/${name}`)?.value ?? null;
  const custom = sys('custom_run_id');
  const parent = sys('forking/parent');

  const experiment = one.experimentOf(projectId);
  let runs = there.get(experiment);
  if (runs === undefined) {
    there.set(experiment, (runs = await target.runsByTag(experiment, NEPTUNE_ID)));
    linker?.know(projectId, runs);
  }
  const found = runs.get(neptuneId);
  const forkStep = sys('forking/step');
  const fork = (runId: string): Forkable => ({
    project: projectId,
    run: custom ?? neptuneId,
    runId,
    ids: [neptuneId, custom, sys('id')].flatMap((id) => id ?? []),
    parent,
    step: forkStep === null ? null : Number(forkStep),
    linked: linker?.isLinked(found?.tags) === true,
  });
  if (found?.tags[DONE] !== undefined) {
    report.unchanged++;
    return fork(found.runId);
  }

  const note = (attribute: string, what: string) => report.notes.push({ project: projectId, run: custom ?? neptuneId, attribute, what });
  for (const { type, rows } of unknown) note('', `${rows} rows of the type ${JSON.stringify(type)} were not carried over: it is not known here.`);
  const startedAt = timeOf(sys('creation_time'));
  const mapped = mapScalars(scalars, note);
  const shapes = await source.shapes(run);
  const tags: Record<string, string> = {
    ...mapped.tags,
    [NEPTUNE_ID]: neptuneId,
    'neptune.project': projectId,
    ...(parent === null ? {} : { [FORK_PARENT]: parent }),
    ...(forkStep === null ? {} : { [FORK_STEP]: forkStep }),
  };
  const name = (custom ?? sys('name') ?? neptuneId).slice(0, 500);
  const runId = dryRun
    ? ''
    : (found?.runId ?? (await target.createRun({ experiment, name, startedAt, user: sys('owner') ?? '', tags: { [NEPTUNE_ID]: neptuneId } })));
  // A run begins with the tag that it is found by: what breaks off after that is gone on with, not begun anew.
  if (!dryRun) for (const some of pieces(Object.entries(tags), 100)) await target.log(runId, { tags: Object.fromEntries(some) });
  if (!dryRun) for (const some of pieces(Object.entries(mapped.params), 100)) await target.log(runId, { params: Object.fromEntries(some) });
  report.params += Object.keys(mapped.params).length;
  if (mapped.long.length > 0) await putLines(one, runId, 'neptune/attributes.jsonl', mapped.long);

  for (const { path, type, points } of shapes) {
    if (trackerKey(path) !== path) note(path, `It is called ${trackerKey(path)} here.`);
    if (type === 'float_series') report.points += points;
    else report.entries += points;
    if (type === 'file_series' && dryRun) report.files += points;
  }
  const last = dryRun ? null : await importSeries(one, runId, shapes, startedAt, note);
  for (const { path, type, value } of scalars) if (isFile(type)) await putFile(one, runId, path, value, fileFolder(path), note);

  const endedAt = timeOf(sys('modification_time')) ?? last ?? startedAt ?? 0;
  if (!dryRun)
    await target.finish(runId, { status: sys('failed') === 'true' ? 'FAILED' : 'FINISHED', endedAt, note: sys('description'), tags: { [DONE]: '1' } });
  report.imported++;
  return fork(runId);
}

export const isFile = (type: ScalarType): type is FileType => type === 'file' || type === 'artifact' || type === 'file_set';

/** Where the files of an attribute go. */
export const fileFolder = (path: string): string => `neptune/files/${artifactName(path)}`;

/** Milliseconds of an ISO 8601 time. */
export const timeOf = (iso: string | null): number | null => {
  const at = iso === null ? Number.NaN : Date.parse(iso);
  return Number.isFinite(at) && at >= 0 ? at : null;
};

function* pieces<T>(items: T[], size: number): Iterable<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

/** Single values: params, of `sys/` tags; what is longer than either may be is given whole in `long`. */
function mapScalars(scalars: Scalar[], note: Note): { params: Record<string, string>; tags: Record<string, string>; long: string[] } {
  const params: Record<string, string> = {};
  const tags: Record<string, string> = {};
  const long: string[] = [];
  for (const { path, type, value } of scalars) {
    if (isFile(type) || value === null) continue;
    const key = trackerKey(path);
    if (key !== path) note(path, `It is called ${key} here.`);
    // Sets are what Neptune's own tags are.
    const [into, most] = path.startsWith('sys/') || type === 'string_set' ? [tags, MAX_TAG] : [params, MAX_PARAM];
    const text = [...value].length > most ? [...value].slice(0, most).join('') : value;
    into[key] = text;
    if (text === value) continue;
    long.push(JSON.stringify({ path, type, value }));
    note(path, `Its first ${most} characters are the value here; the whole is in neptune/attributes.jsonl.`);
  }
  return { params, tags, long };
}

/** Returns the time of the last point of a metric. */
async function importSeries(one: RunImport, runId: string, shapes: SeriesShape[], startedAt: number | null, note: Note): Promise<number | null> {
  const { source, target, run, report } = one;
  const series = {
    source,
    target,
    run,
    runId,
    startedAt,
    note,
    putFiles: (row: SeriesRow, folder: string) => putFile(one, runId, row.path, row.text, folder, note),
    stored: () => report.files++,
  };
  const last = await importMetrics(series);
  for (const type of ['string_series', 'histogram_series', 'file_series'] as const) await importEntries(series, type, shapes);
  return last;
}

async function putLines({ target, report, dryRun }: RunImport, runId: string, path: string, all: string[]): Promise<void> {
  report.files++;
  if (!dryRun) await target.putFile(runId, path, { text: lines(all) });
}

/** Stores a file of the export, or all of a folder, and returns their paths; what is not there is noted. */
async function putFile(
  { target, report, dryRun, files, run }: RunImport,
  runId: string,
  attribute: string,
  path: string | null,
  to: string,
  note: Note,
): Promise<string[]> {
  if (path === null) return [];
  const found = files === null ? undefined : await findFiles(files, run.project, path);
  if (found === undefined) {
    note(attribute, `The file ${path} was not carried over: it is not among the exported files.`);
    return [];
  }
  const paths: string[] = [];
  for (const { file, name } of found) {
    report.files++;
    const stored = `${to}/${artifactName(name)}`;
    if (!dryRun) await target.putFile(runId, stored, { file });
    paths.push(stored);
  }
  return paths;
}
