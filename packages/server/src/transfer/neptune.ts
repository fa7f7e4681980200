import { lstat, readdir } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { messageOf } from '../kernel/index.ts';
import type { ImportTarget, TargetPoint } from './import-target.port.ts';
import { artifactName, trackerKey } from './names.ts';
import type { ExportedRun, FileType, NeptuneExport, Scalar, ScalarType, SeriesRow, SeriesShape, SeriesType } from './neptune-export.port.ts';

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

const ID = 'neptune.id';
const DONE = 'neptune.imported';
const FORK_PARENT = 'neptune.fork.parent';
const FORK_STEP = 'neptune.fork.step';
const PARENT = 'mlflow.parentRunId';
const MAX_PARAM = 6000;
const MAX_TAG = 8000;
const BATCH = 1000;
const SERIES: SeriesType[] = ['string_series', 'histogram_series', 'file_series'];

/** What an import remembers of a run until all are there: a fork may come before its parent. */
interface Known {
  runId: string;
  project: string;
  run: string;
  parent: string | null;
  hasParent: boolean;
}

/**
 * Brings the output of neptune-exporter into a Binnacle. A project becomes an experiment, a run a run; single values become params (those of `sys/` tags), series of
 * floats metrics, everything else files under `neptune/`. Done again, it goes on where it stopped: a finished run is known by a tag.
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
    files: 0,
    forks: 0,
    notes: [],
    registryFiles,
  };
  const there = new Map<string, Awaited<ReturnType<ImportTarget['runsByTag']>>>();
  const known = new Map<string, Known>();
  for (const [i, run] of runs.entries()) {
    progress?.(i, runs.length, `${run.project}/${run.name}`);
    if (!run.complete) {
      report.incomplete.push({ project: run.project, run: run.name });
      continue;
    }
    report.runs++;
    try {
      await importRun({ source, target, files, dryRun, run, there, known, report });
    } catch (error) {
      report.failed.push({ project: run.project, run: run.name, message: messageOf(error) });
    }
  }
  for (const fork of new Set(known.values())) {
    if (fork.parent === null) continue;
    report.forks++;
    const parent = known.get(`${fork.project}\n${fork.parent}`);
    if (parent === undefined)
      report.notes.push({ project: fork.project, run: fork.run, attribute: 'sys/forking/parent', what: `The parent ${fork.parent} is not in the export.` });
    else if (!dryRun && !fork.hasParent) await target.log(fork.runId, { tags: { [PARENT]: parent.runId } });
  }
  return report;
}

interface One extends NeptuneImport {
  run: ExportedRun;
  there: Map<string, Awaited<ReturnType<ImportTarget['runsByTag']>>>;
  known: Map<string, Known>;
  report: NeptuneReport;
}

async function importRun(one: One): Promise<void> {
  const { source, target, run, there, known, report, dryRun } = one;
  const { projectId, runId: neptuneId, unknown } = await source.identity(run);
  const scalars = await source.scalars(run);
  const sys = (name: string) => scalars.find(({ path }) => path === `sys/${name}`)?.value ?? null;
  const custom = sys('custom_run_id');
  const parent = sys('forking/parent');

  let experiment = there.get(projectId);
  if (experiment === undefined) there.set(projectId, (experiment = await target.runsByTag(projectId, ID)));
  const found = experiment.get(neptuneId);
  const remember = (runId: string, hasParent: boolean) => {
    const entry: Known = { runId, project: projectId, run: run.name, parent, hasParent };
    for (const id of [neptuneId, custom, sys('id')]) if (id !== null && !known.has(`${projectId}\n${id}`)) known.set(`${projectId}\n${id}`, entry);
  };
  if (found?.tags[DONE] !== undefined) {
    report.unchanged++;
    return remember(found.runId, found.tags[PARENT] !== undefined);
  }

  const note = (attribute: string, what: string) => report.notes.push({ project: projectId, run: custom ?? neptuneId, attribute, what });
  for (const { type, rows } of unknown) note('', `${rows} rows of the type ${JSON.stringify(type)} were not carried over: it is not known here.`);
  const startedAt = time(sys('creation_time'));
  const mapped = mapScalars(scalars, note);
  const shapes = await source.shapes(run);
  const tags: Record<string, string> = {
    ...mapped.tags,
    [ID]: neptuneId,
    'neptune.project': projectId,
    ...(parent === null ? {} : { [FORK_PARENT]: parent }),
    ...(sys('forking/step') === null ? {} : { [FORK_STEP]: sys('forking/step') as string }),
  };
  const name = (custom ?? sys('name') ?? neptuneId).slice(0, 500);
  const runId = dryRun
    ? ''
    : (found?.runId ?? (await target.createRun({ experiment: projectId, name, startedAt, user: sys('owner') ?? '', tags: { [ID]: neptuneId } })));
  // A run begins with the tag that it is found by: what breaks off after that is gone on with, not begun anew.
  if (!dryRun) for (const some of pieces(Object.entries(tags), 100)) await target.log(runId, { tags: Object.fromEntries(some) });
  remember(runId, found?.tags[PARENT] !== undefined);
  if (!dryRun) for (const some of pieces(Object.entries(mapped.params), 100)) await target.log(runId, { params: Object.fromEntries(some) });
  report.params += Object.keys(mapped.params).length;
  if (mapped.long.length > 0) await putLines(one, runId, 'neptune/attributes.jsonl', mapped.long);

  const last = await importMetrics(one, runId, shapes, startedAt, note);
  for (const type of SERIES) await importSeries(one, runId, type, shapes, note);
  for (const { path, type, value } of scalars) if (isFile(type)) await putFile(one, runId, path, value, `neptune/files/${artifactName(path)}`, note);

  const endedAt = time(sys('modification_time')) ?? last ?? startedAt ?? 0;
  if (!dryRun)
    await target.finish(runId, { status: sys('failed') === 'true' ? 'FAILED' : 'FINISHED', endedAt, note: sys('description'), tags: { [DONE]: '1' } });
  report.imported++;
}

const isFile = (type: ScalarType): type is FileType => type === 'file' || type === 'artifact' || type === 'file_set';

const time = (iso: string | null): number | null => {
  const at = iso === null ? Number.NaN : Date.parse(iso);
  return Number.isFinite(at) && at >= 0 ? at : null;
};

function* pieces<T>(items: T[], size: number): Iterable<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

type Note = (attribute: string, what: string) => unknown;

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

/** Series of floats as metrics. Returns the time of the last point. */
async function importMetrics(
  { source, target, run, report, dryRun }: One,
  runId: string,
  shapes: SeriesShape[],
  startedAt: number | null,
  note: Note,
): Promise<number | null> {
  const scales = new Map<string, number>();
  for (const { path, type, points, decimals } of shapes) {
    if (type !== 'float_series') continue;
    report.points += points;
    const key = trackerKey(path);
    if (key !== path) note(path, `It is called ${key} here.`);
    if (decimals === 0) continue;
    scales.set(path, 10 ** decimals);
    note(
      path,
      `Its steps have fractions and metrics have whole steps: step × ${10 ** decimals} is the step here (tag neptune.step_scale, neptune/steps.json).`,
    );
  }
  let last: number | null = null;
  if (dryRun) return last;
  if (scales.size > 0) {
    const text = JSON.stringify(Object.fromEntries([...scales].map(([path, scale]) => [trackerKey(path), scale])));
    await target.putFile(runId, 'neptune/steps.json', { text: lines([text]) });
    if (text.length <= MAX_TAG) await target.log(runId, { tags: { 'neptune.step_scale': text } });
  }
  let waiting: TargetPoint[] = [];
  const without = new Map<string, number>();
  const large = new Map<string, number>();
  for await (const rows of source.series(run, 'float_series')) {
    for (const { path, step, timestamp, number } of rows) {
      const scaled = wholeStep(step, scales.get(path) ?? 1);
      if (number === null) without.set(path, (without.get(path) ?? 0) + 1);
      else if (scaled === undefined) large.set(path, (large.get(path) ?? 0) + 1);
      else {
        const at = Math.max(0, Math.round(timestamp ?? startedAt ?? 0));
        last = Math.max(last ?? 0, at);
        waiting.push({ key: trackerKey(path), value: number, step: scaled, timestamp: at });
      }
    }
    for (; waiting.length >= BATCH; waiting = waiting.slice(BATCH)) await target.log(runId, { metrics: waiting.slice(0, BATCH) });
  }
  if (waiting.length > 0) await target.log(runId, { metrics: waiting });
  for (const [path, count] of without) note(path, `${count} points without a value were not carried over.`);
  for (const [path, count] of large) note(path, `${count} points whose step is too large were not carried over.`);
  return last;
}

/** `step × scale`, exactly: digits are moved, nothing is multiplied. Undefined when a double does not hold it. */
export function wholeStep(step: string | null, scale: number): number | undefined {
  if (step === null) return 0;
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(step) ?? [];
  const digits = Math.round(Math.log10(scale));
  const value = Number(`${sign}${whole}${fraction.padEnd(digits, '0').slice(0, digits)}`);
  return Number.isSafeInteger(value) ? value + 0 : undefined;
}

/** Series that the tracker has no kind for: JSON Lines, with steps as they were. */
async function importSeries(one: One, runId: string, type: SeriesType, shapes: SeriesShape[], note: Note): Promise<void> {
  const wanted = shapes.filter((shape) => shape.type === type);
  if (wanted.length === 0) return;
  for (const { path, points } of wanted)
    note(path, `Its ${points} points are in neptune/${type}/${artifactName(path)}.jsonl: a ${type.replace('_', ' ')} is a file here.`);
  if (one.dryRun) {
    one.report.files += wanted.length;
    return;
  }
  // The rows come series by series.
  let path: string | undefined;
  let text: string[] = [];
  const flush = async () => {
    if (path !== undefined) await putLines(one, runId, `neptune/${type}/${artifactName(path)}.jsonl`, text);
    text = [];
  };
  for await (const rows of one.source.series(one.run, type)) {
    for (const row of rows) {
      if (row.path !== path) {
        await flush();
        path = row.path;
      }
      if (type === 'file_series')
        await putFile(one, runId, row.path, row.text, `neptune/file_series/${artifactName(row.path)}/${shortStep(row.step ?? '0')}`, note);
      text.push(lineOf(row, type));
    }
  }
  await flush();
}

/** Without trailing zeros: 1.5, not 1.500000. As text, since 18 digits may be more than a double holds. */
const shortStep = (step: string): string => (step.includes('.') ? step.replace(/\.?0+$/, '') : step);

function lineOf({ step, timestamp, text }: SeriesRow, type: SeriesType): string {
  const at = step === null ? 'null' : shortStep(step);
  const value = type === 'histogram_series' ? (text ?? 'null') : JSON.stringify(text);
  return `{"step":${at},"timestamp":${timestamp ?? 'null'},"value":${value}}`;
}

async function* lines(all: string[]): AsyncIterable<string> {
  for (const line of all) yield `${line}\n`;
}

async function putLines({ target, report, dryRun }: One, runId: string, path: string, all: string[]): Promise<void> {
  report.files++;
  if (!dryRun) await target.putFile(runId, path, { text: lines(all) });
}

/** A file of the export, or all of a folder; what is not there is noted. */
async function putFile(
  { target, report, dryRun, files, run }: One,
  runId: string,
  attribute: string,
  path: string | null,
  to: string,
  note: Note,
): Promise<void> {
  if (path === null) return;
  const found = files === null ? undefined : await findFiles(files, run.project, path);
  if (found === undefined) return void note(attribute, `The file ${path} was not carried over: it is not among the exported files.`);
  for (const { file, name } of found) {
    report.files++;
    if (!dryRun) await target.putFile(runId, `${to}/${artifactName(name)}`, { file });
  }
}

/** Never outside of the folder of the files, whatever an export says; links are not followed. */
async function findFiles(files: string, project: string, path: string): Promise<{ file: string; name: string }[] | undefined> {
  const root = resolve(files);
  for (const candidate of [resolve(root, project, path), resolve(root, path)]) {
    if (!candidate.startsWith(root + sep)) continue;
    const entry = await lstat(candidate).catch(() => undefined);
    if (entry?.isFile()) return [{ file: candidate, name: basename(candidate) }];
    if (!entry?.isDirectory()) continue;
    const inside = await readdir(candidate, { withFileTypes: true, recursive: true });
    return inside
      .filter((item) => item.isFile())
      .map((item) => join(item.parentPath, item.name))
      .sort()
      .map((file) => ({ file, name: relative(candidate, file).split(sep).join('/') }));
  }
  return undefined;
}
