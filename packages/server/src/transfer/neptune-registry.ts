import { messageOf } from '../kernel/index.ts';
import type { ImportTarget } from './import-target.port.ts';
import { artifactName } from './names.ts';
import type { ExportedRun, Scalar } from './neptune-export.port.ts';
import { findFiles } from './neptune-files.ts';
import { fileFolder, importRun, isFile, type RunImport, timeOf } from './neptune-run.ts';

const PROJECT = 'neptune.project';
const STAGES: Record<string, 'None' | 'Staging' | 'Production' | 'Archived'> = {
  none: 'None',
  staging: 'Staging',
  production: 'Production',
  archived: 'Archived',
};
/** Of a tag of a registered model or version; whole, the value is a param or tag of its run. */
const MAX_TAG = 5000;

interface RegistryImport extends Omit<RunImport, 'run' | 'linker' | 'experimentOf'> {
  models: ExportedRun[];
  versions: ExportedRun[];
}

/** What the export says of a model or a version, beside what becomes its run. */
interface Entity {
  /** The folder of the export that it is in. */
  folder: string;
  projectId: string;
  id: string;
  runId: string;
  scalars: Scalar[];
  sys(name: string): string | null;
}

/**
 * Neptune's model registry: a model becomes a registered model of its id, a version a version under its number. All that they hold (attributes, series, files) is
 * in a run each, in the experiment `<project>/models`; their single values are tags, too.
 */
export async function importRegistry(one: RegistryImport): Promise<void> {
  const { models, versions, report, target, dryRun } = one;
  const read = new Map<string, Entity[]>([
    ['model', []],
    ['version', []],
  ]);
  for (const [kind, runs] of [
    ['model', models],
    ['version', versions],
  ] as const)
    for (const run of runs) {
      if (!run.complete) {
        report.incomplete.push({ project: run.project, run: run.name });
        continue;
      }
      report.runs++;
      if (kind === 'model') report.models++;
      else report.versions++;
      try {
        read.get(kind)?.push(await importEntity(one, run));
      } catch (error) {
        report.failed.push({ project: run.project, run: run.name, message: messageOf(error) });
      }
    }
  if (dryRun) return;
  const byModel = Map.groupBy(read.get('version') ?? [], (version) => modelOf(version));
  const names = new Map((read.get('model') ?? []).map((model) => [keyOf(model.projectId, model.id), model]));
  for (const [id, of] of byModel) if (!names.has(id)) names.set(id, { ...(of[0] as Entity), id: id.slice(id.indexOf('\n') + 1), scalars: [], sys: () => null });
  for (const [key, model] of names) {
    const of = byModel.get(key) ?? [];
    try {
      await registerModel(target, model, of);
      for (const version of of) await registerVersion(one, model, version);
    } catch (error) {
      report.failed.push({ project: model.projectId, run: model.id, message: messageOf(error) });
    }
  }
}

const keyOf = (project: string, id: string): string => `${project}\n${id}`;
/** A version's id is that of its model and its number. */
const parts = (id: string): { model: string; version: number } => {
  const [, model = id, number = '0'] = /^(.+)-(\d{1,9})$/.exec(id) ?? [];
  return { model, version: Number(number) };
};
const modelOf = ({ projectId, id, sys }: Entity): string => keyOf(projectId, sys('model_id') ?? parts(id).model);

async function importEntity(one: RegistryImport, run: ExportedRun): Promise<Entity> {
  const { projectId, runId: id } = await one.source.identity(run);
  const { runId } = await importRun({ ...one, run, linker: undefined, experimentOf: (project) => `${project}/models` });
  const scalars = await one.source.scalars(run);
  return { folder: run.project, projectId, id, runId, scalars, sys: (name) => scalars.find(({ path }) => path === `sys/${name}`)?.value ?? null };
}

function tagsOf({ projectId, id, scalars }: Entity): Record<string, string> {
  const values = scalars.filter(({ type, value }) => !isFile(type) && value !== null && value.length <= MAX_TAG);
  return { [PROJECT]: projectId, 'neptune.id': id, ...Object.fromEntries(values.map(({ path, value }) => [path.slice(0, 250), value as string])) };
}

const times = ({ sys }: Entity) => {
  const createdAt = timeOf(sys('creation_time')) ?? 0;
  return { createdAt, updatedAt: timeOf(sys('modification_time')) ?? createdAt };
};

async function registerModel(target: ImportTarget, model: Entity, versions: readonly Entity[]): Promise<void> {
  const owner = await target.modelTag(model.id, PROJECT);
  if (owner !== undefined && owner !== model.projectId)
    throw new Error(`A registered model ${model.id} is here already, and not from this project. Its versions are not registered; their runs are here.`);
  await target.registerModel({
    name: model.id,
    description: model.sys('description') ?? '',
    ...times(model),
    lastVersion: Math.max(0, ...versions.map(({ id }) => parts(id).version)),
    tags: tagsOf(model),
  });
}

async function registerVersion(one: RegistryImport, model: Entity, version: Entity): Promise<void> {
  const number = parts(version.id).version;
  const note = (what: string) => one.report.notes.push({ project: version.projectId, run: version.id, attribute: '', what });
  if (number < 1) return void note('It was not registered, since its id does not end in a number.');
  const stage = STAGES[version.sys('stage') ?? 'none'];
  if (stage === undefined) note(`Its stage ${JSON.stringify(version.sys('stage'))} is not known here; it has none.`);
  const folder = await packageOf(one, version);
  const { outcome, problem } = await one.target.registerVersion({
    model: model.id,
    version: number,
    description: version.sys('description') ?? '',
    stage: stage ?? 'None',
    source: `runs:/${version.runId}/${folder ?? 'neptune/files'}`,
    runId: version.runId,
    ...times(version),
    tags: tagsOf(version),
  });
  if (outcome === 'removed') note('It was removed from the registry here since, and is not brought back.');
  else if (folder === undefined) note('It has no files in the export; what it was registered with is in its run.');
  else if (problem !== null) note(problem);
}

/** The folder of a version's files among its run's artifacts: that of its MLmodel, if it has one. */
async function packageOf({ files }: RegistryImport, { folder, scalars }: Entity): Promise<string | undefined> {
  if (files === null) return undefined;
  let any = false;
  for (const { path, type, value } of scalars) {
    if (!isFile(type) || value === null) continue;
    const found = (await findFiles(files, folder, value)) ?? [];
    if (found.length > 0) any = true;
    const model = found.find(({ name }) => /(^|\/)MLmodel$/.test(name));
    if (model !== undefined) return `${fileFolder(path)}/${artifactName(model.name)}`.replace(/\/MLmodel$/, '');
  }
  return any ? 'neptune/files' : undefined;
}
