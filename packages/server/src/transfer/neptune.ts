import { messageOf } from '../kernel/index.ts';
import type { ImportTarget } from './import-target.port.ts';
import { artifactName, trackerKey } from './names.ts';
import type { ExportedRun, FileType, NeptuneExport, Scalar, ScalarType, SeriesRow, SeriesShape } from './neptune-export.port.ts';
import { findFiles, lines } from './neptune-files.ts';
import { FORK_PARENT, FORK_STEP, type Forkable, ForkLinker, NEPTUNE_ID } from './neptune-forks.ts';
import { importEntries, importMetrics, type Note } from './neptune-series.ts';

export interface NeptuneReport {
  dryRun: boolean;
  /** Complete runs of the export. */
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
  /** Files of Neptune's model registry in the export: not carried over. */
  registryFiles: number;
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

/**
 * Brings the output of neptune-exporter into a Binnacle. A project becomes an experiment, a run a run; single values become params (those of `sys/` tags), series of
 * floats metrics, those of strings, histograms and files what they are, files artifacts under `neptune/`, forks forks. Done again, it goes on where it stopped: a
 * finished run is known by a tag.
 */
export async function importNeptune({ source, target, files, dryRun, progress }: NeptuneImport): Promise<NeptuneReport> {
  const { runs, registryFiles } = await source.runs();
  const report: NeptuneReport = {
    dryRun,
    runs: 0,
    imported: 0,
    unchanged: 0,
    failed: [],
    incomplete: [],
    params: 0,
    points: 0,
    entries: 0,
    files: 0,
    forks: 0,
    notes: [],
    registryFiles,
  };
  const there = new Map<string, Awaited<ReturnType<ImportTarget['runsByTag']>>>();
  const forks: Forkable[] = [];
  const linker = new ForkLinker(target, dryRun, ({ project, run }, what) => report.notes.push({ project, run, attribute: 'sys/forking/parent', what }));
  for (const [i, run] of runs.entries()) {
    progress?.(i, runs.length, `${run.project}/${run.name}`);
    if (!run.complete) {
      report.incomplete.push({ project: run.project, run: run.name });
      continue;
    }
    report.runs++;
    try {
      const fork = await importRun({ source, target, files, dryRun, run, there, linker, report });
      if (fork.parent !== null) forks.push(fork);
      await linker.add(fork);
    } catch (error) {
      report.failed.push({ project: run.project, run: run.name, message: messageOf(error) });
    }
  }
  report.forks = forks.length;
  linker.finish(forks);
  return report;
}

interface One extends NeptuneImport {
  run: ExportedRun;
  there: Map<string, Awaited<ReturnType<ImportTarget['runsByTag']>>>;
  linker: ForkLinker;
  report: NeptuneReport;
}

/** Returns what it was forked from. */
async function importRun(one: One): Promise<Forkable> {
  const { source, target, run, there, linker, report, dryRun } = one;
  const { projectId, runId: neptuneId, unknown } = await source.identity(run);
  const scalars = await source.scalars(run);
  const sys = (name: string) => scalars.find(({ path }) => path === `sys/${name}`)?.value ?? null;
  const custom = sys('custom_run_id');
  const parent = sys('forking/parent');

  let experiment = there.get(projectId);
  if (experiment === undefined) {
    there.set(projectId, (experiment = await target.runsByTag(projectId, NEPTUNE_ID)));
    linker.know(projectId, experiment);
  }
  const found = experiment.get(neptuneId);
  const forkStep = sys('forking/step');
  const fork = (runId: string): Forkable => ({
    project: projectId,
    run: custom ?? neptuneId,
    runId,
    ids: [neptuneId, custom, sys('id')].flatMap((id) => id ?? []),
    parent,
    step: forkStep === null ? null : Number(forkStep),
    linked: linker.isLinked(found?.tags),
  });
  if (found?.tags[DONE] !== undefined) {
    report.unchanged++;
    return fork(found.runId);
  }

  const note = (attribute: string, what: string) => report.notes.push({ project: projectId, run: custom ?? neptuneId, attribute, what });
  for (const { type, rows } of unknown) note('', `${rows} rows of the type ${JSON.stringify(type)} were not carried over: it is not known here.`);
  const startedAt = time(sys('creation_time'));
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
    : (found?.runId ?? (await target.createRun({ experiment: projectId, name, startedAt, user: sys('owner') ?? '', tags: { [NEPTUNE_ID]: neptuneId } })));
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
  for (const { path, type, value } of scalars) if (isFile(type)) await putFile(one, runId, path, value, `neptune/files/${artifactName(path)}`, note);

  const endedAt = time(sys('modification_time')) ?? last ?? startedAt ?? 0;
  if (!dryRun)
    await target.finish(runId, { status: sys('failed') === 'true' ? 'FAILED' : 'FINISHED', endedAt, note: sys('description'), tags: { [DONE]: '1' } });
  report.imported++;
  return fork(runId);
}

const isFile = (type: ScalarType): type is FileType => type === 'file' || type === 'artifact' || type === 'file_set';

const time = (iso: string | null): number | null => {
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
async function importSeries(one: One, runId: string, shapes: SeriesShape[], startedAt: number | null, note: Note): Promise<number | null> {
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

async function putLines({ target, report, dryRun }: One, runId: string, path: string, all: string[]): Promise<void> {
  report.files++;
  if (!dryRun) await target.putFile(runId, path, { text: lines(all) });
}

/** Stores a file of the export, or all of a folder, and returns their paths; what is not there is noted. */
async function putFile(
  { target, report, dryRun, files, run }: One,
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
