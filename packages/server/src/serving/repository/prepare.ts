import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BinnacleError, internal, invalid, messageOf, newRequestId } from '../../kernel/index.ts';
import { type RuntimeSpec, settingsOfLabels } from '../../registry/index.ts';
import { isEndpointName } from '../endpoint-name.ts';
import type { MountedModel } from '../mounts.ts';
import { completeConfig, type GraphTensors } from './autofill.ts';
import { backendOf, checkBackend } from './backend.ts';
import { endpointConfigOf } from './endpoint-config.ts';
import { completeEnsemble, ensembleSpec } from './ensemble-config.ts';
import { type FoundModel, type FoundVersion, insideModel } from './layout.ts';
import { badConfig, type ModelConfig, parseModelConfig } from './model-config.ts';
import type { MountedPackage } from './mounted-package.ts';
import { chosenVersions } from './version-policy.ts';

/** Reads an ONNX graph: the registry's port, seen from here. */
export interface GraphReader {
  inspect(file: string): Promise<GraphTensors & { labels: Record<string, string[]>; rewritten: Uint8Array | null; external: string[] }>;
}

export interface PrepareDeps {
  inspector: GraphReader;
  /** Where graphs are put that had to be changed. */
  workDir: string;
}

export interface PreparedModel extends MountedModel {
  modelConfig: ModelConfig;
  /** Names of the models that an ensemble is made of. */
  dependsOn: string[];
  /** Fields of the configuration that mean nothing here. */
  ignored: string[];
}

const MAX_LABELS_BYTES = 16 * 2 ** 20;

interface ReadGraph {
  version: FoundVersion;
  file: string | null;
  graph: GraphTensors | undefined;
  labels: Record<string, string[]>;
  problem: string | null;
}

/** A model's folder as what is to be served. `given`: a configuration to use instead of the folder's. Throws for what makes every version unusable. */
export async function prepareModel(deps: PrepareDeps, found: FoundModel, given?: ModelConfig): Promise<PreparedModel> {
  const written = given ?? (found.config === undefined ? {} : parseModelConfig(found.config, `${found.name}/config.pbtxt`));
  const config: ModelConfig = { ...written, version_policy: written.version_policy ?? { latest: { num_versions: 1 } } };
  if (config.name !== undefined && config.name !== '' && config.name !== found.name)
    throw badConfig(`the configuration of '${found.name}' has the name '${config.name}'; it must be the folder's, or be left out`);
  const wanted = chosenVersions(
    config.version_policy,
    found.versions.map(({ version }) => version),
  );
  const versions = found.versions.filter(({ version }) => wanted.includes(version));
  const newest = versions.at(-1);
  if (newest === undefined)
    throw badConfig(
      found.versions.length === 0
        ? `'${found.name}' has no version: put the model into a folder '1' within it`
        : `none of the versions ${found.versions.map(({ version }) => version).join(', ')} of '${found.name}' is chosen by its version_policy`,
    );
  const backend = await backendOf(config, newest.dir);
  checkBackend(found.name, backend);
  if (backend === 'ensemble') return prepareEnsemble(found, config, versions);
  const graphs = await Promise.all(versions.map((version) => readGraph(deps, config, version)));
  const basis = graphs.findLast(({ graph }) => graph !== undefined);
  const modelConfig = basis?.graph === undefined ? { ...config, name: found.name } : completeConfig(found.name, config, basis.graph);
  const settings = await labelsOf(found.dir, modelConfig);
  const { config: endpointConfig, ignored } = endpointConfigOf(modelConfig);
  return {
    name: found.name,
    config: endpointConfig,
    modelConfig,
    ignored,
    dependsOn: [],
    packages: graphs.map(({ version, file, graph, labels, problem }) => ({
      ...packageOf(found, modelConfig, version, { ...settingsOfLabels(labels), ...settings }),
      runtime: file === null ? null : { kind: 'onnx' },
      onnxFile: file,
      problem,
      tensors: graph ?? null,
    })),
  };
}

async function prepareEnsemble(found: FoundModel, given: ModelConfig, versions: FoundVersion[]): Promise<PreparedModel> {
  const modelConfig = completeEnsemble(found.name, given);
  const runtime: RuntimeSpec = ensembleSpec(modelConfig);
  const settings = await labelsOf(found.dir, modelConfig);
  const { config, ignored } = endpointConfigOf(modelConfig);
  return {
    name: found.name,
    config,
    modelConfig,
    ignored,
    dependsOn: [...new Set((modelConfig.ensemble_scheduling?.step ?? []).map(({ model_name: name = '' }) => name))],
    // Each time another: it is checked anew against what its steps are now.
    packages: versions.map((version) => ({ ...packageOf(found, modelConfig, version, settings), id: newRequestId(), runtime })),
  };
}

const packageOf = (found: FoundModel, config: ModelConfig, { version, fingerprint, dir }: FoundVersion, settings: Record<string, string>): MountedPackage => ({
  // The configuration is part of it: a version is loaded anew when it is to be served in another way.
  id: `${found.dir}@${version}:${fingerprint}:${JSON.stringify(config)}`,
  model: found.name,
  version,
  runId: null,
  dir,
  flavors: ['onnx'],
  signature: null,
  runtime: null,
  onnxFile: null,
  problem: null,
  tensors: null,
  goldenFile: null,
  profileFile: null,
  trainingDataFile: null,
  settings,
  mounted: { config, dir: found.dir },
});

/** A version whose graph is not usable must not keep the others from serving. */
async function readGraph(deps: PrepareDeps, config: ModelConfig, version: FoundVersion): Promise<ReadGraph> {
  try {
    const file = await modelFile(version.dir, config.default_model_filename || 'model.onnx');
    const { inputs, outputs, labels, rewritten } = await deps.inspector.inspect(file);
    return { version, file: rewritten === null ? file : await keep(deps.workDir, rewritten), graph: { inputs, outputs }, labels, problem: null };
  } catch (error) {
    if (!(error instanceof BinnacleError)) throw error;
    return { version, file: null, graph: undefined, labels: {}, problem: messageOf(error) };
  }
}

/** The graph, which may be a folder that holds it beside its weights. */
async function modelFile(dir: string, name: string): Promise<string> {
  const path = insideModel(dir, name, 'default_model_filename');
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory() === true) return join(path, 'model.onnx');
  if (info === undefined) throw badConfig(`there is no file ${path}`);
  return path;
}

async function keep(workDir: string, bytes: Uint8Array): Promise<string> {
  await mkdir(workDir, { recursive: true });
  // The same graph has the same file, so that a version that did not change is not loaded anew.
  const file = join(workDir, `${createHash('sha256').update(bytes).digest('hex')}.onnx`);
  if ((await stat(file).catch(() => undefined)) !== undefined) return file;
  const whole = join(workDir, `${newRequestId()}.part`);
  await writeFile(whole, bytes);
  await rename(whole, file);
  return file;
}

/** Files named by `label_filename`, as the settings that classification reads. */
async function labelsOf(dir: string, { output = [] }: ModelConfig): Promise<Record<string, string>> {
  const settings: Record<string, string> = {};
  for (const { name = '', label_filename: file } of output) {
    if (file === undefined || file === '') continue;
    const path = insideModel(dir, file, 'label_filename');
    const info = await stat(path).catch(() => undefined);
    if (info === undefined || !info.isFile()) throw badConfig(`the label_filename '${file}' of the output '${name}' names no file in the model's folder`);
    if (info.size > MAX_LABELS_BYTES) throw badConfig(`the label_filename '${file}' is larger than ${MAX_LABELS_BYTES} bytes`);
    settings[`labels.${name}`] = (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  }
  return settings;
}

/** Puts the files of a load into a folder of their own, laid out as a model's: `1/model.onnx`. Throws `invalid` for a name or paths that leave it. */
export async function writeOverride(workDir: string, name: string, files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  // The caller has checked it for its own words; a name that is a path must never come to `join`.
  if (!isEndpointName(name)) throw invalid('invalid_endpoint_name', `failed to load '${name.slice(0, 140)}': it cannot name a folder`);
  const root = join(workDir, newRequestId());
  const dir = join(root, name);
  try {
    for (const [path, bytes] of files) {
      const file = insideModel(dir, path, 'file');
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes);
    }
  } catch (error) {
    await rm(root, { recursive: true, force: true });
    if (error instanceof BinnacleError) throw error;
    // Such as a name that the file system does not take.
    throw internal(
      'override_not_written',
      `failed to load '${name}', failed to poll from model repository: a file of the load cannot be written (${messageOf(error)})`,
      {
        cause: error,
      },
    );
  }
  return root;
}
