import { type ArtifactService, joinArtifactPath, parseArtifactUri } from '../artifacts/index.ts';
import { BinnacleError, invalid } from '../kernel/index.ts';
import type { RegistryStore, VersionRecord } from './registry-store.port.ts';
import type { RunDirectory } from './run-directory.port.ts';

export interface ResolvedSource {
  source: string;
  /** Where a client downloads the files. */
  storageUri: string;
  /** The folder in the artifact store; null when the files are elsewhere, then `why` says so. */
  storagePath: string | null;
  why: string;
  runId: string | null;
  loggedModelId: string | null;
}

interface SourceDeps {
  artifacts: ArtifactService;
  runs: RunDirectory;
  store: RegistryStore;
}

const bad = (message: string, cause?: unknown) => invalid('invalid_source', message, { cause });

/**
 * Where a version's files are. Takes `models:/m-…`, `models:/name/version`, `models:/name@alias`, `runs:/run/path`, `mlflow-artifacts:/…`; files elsewhere (s3://…) are
 * registered and not served. Throws `invalid` (code `invalid_source`) for local paths, for paths that climb, and for a run or model that does not exist or is not the one named beside.
 */
export async function resolveSource(deps: SourceDeps, source: string, named: { runId: string | null; loggedModelId: string | null }): Promise<ResolvedSource> {
  if (climbs(source))
    throw bad(
      `Invalid model version source: '${source}'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path.`,
    );
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(source)?.[1]?.toLowerCase();
  if (scheme === undefined || scheme === 'file')
    throw bad(
      `Invalid model version source: '${source}'. A path on a local disk cannot be a source: log the model to this server (mlflow.onnx.log_model) or upload its ONNX file.`,
    );
  try {
    if (scheme === 'models') return await fromModels(deps, source, named);
    if (scheme === 'runs') return await fromRun(deps, source, named);
    if (scheme === 'mlflow-artifacts') {
      const parsed = parseArtifactUri(source);
      if (parsed.path === '') throw bad(`Invalid model version source: '${source}'. It names the whole artifact store; name the model's folder.`);
      return { source, storageUri: source, storagePath: parsed.path, why: '', ...named };
    }
  } catch (error) {
    if (error instanceof BinnacleError && error.code === 'artifact_path_invalid')
      throw bad(`Invalid model version source: '${source}'. ${error.message}`, error);
    throw error;
  }
  return {
    source,
    storageUri: source,
    storagePath: null,
    why: `Its files are at ${source}, which this server does not store, so it cannot serve them.`,
    ...named,
  };
}

async function fromModels(deps: SourceDeps, source: string, named: { runId: string | null; loggedModelId: string | null }): Promise<ResolvedSource> {
  const ofVersion = /^models:\/+([^/@]+)(?:\/(\d+)|@([^/@]+))$/.exec(source);
  if (ofVersion !== null) {
    const [, encoded = '', number, alias = ''] = ofVersion;
    const version = await findVersion(deps.store, decode(encoded), number === undefined ? alias : Number(number));
    if (version === undefined) throw bad(`Unable to fetch model from model URI source artifact location '${source}': no such version.`);
    return {
      source: `models:/${version.model}/${version.version}`,
      storageUri: version.storageUri,
      storagePath: version.storagePath,
      why: version.statusMessage,
      runId: named.runId ?? version.runId,
      loggedModelId: named.loggedModelId ?? version.loggedModelId,
    };
  }
  const parsed = parseArtifactUri(source);
  const model = parsed.kind === 'logged-model' ? await deps.runs.loggedModel(parsed.modelId) : undefined;
  if (model === undefined || parsed.kind !== 'logged-model')
    throw bad(`Unable to fetch model from model URI source artifact location '${source}': no such logged model.`);
  if (named.loggedModelId !== null && named.loggedModelId !== model.modelId)
    throw bad(`Invalid model version source: '${source}'. The model_id request parameter must identify the resource that contains the source.`);
  return { source, ...located(model.artifactUri, parsed.path), runId: named.runId ?? model.sourceRunId, loggedModelId: model.modelId };
}

async function fromRun(deps: SourceDeps, source: string, named: { runId: string | null; loggedModelId: string | null }): Promise<ResolvedSource> {
  const parsed = parseArtifactUri(source);
  if (parsed.kind !== 'run') throw bad(`Invalid model version source: '${source}'.`);
  if (named.runId !== null && named.runId !== parsed.runId)
    throw bad(`Invalid model version source: '${source}'. The run_id request parameter must identify the resource that contains the source.`);
  const run = await deps.runs.run(parsed.runId);
  if (run === undefined) throw bad(`Invalid model version source: '${source}'. No run ${parsed.runId}.`);
  const inRun = { source, ...located(run.artifactUri, parsed.path), runId: run.runId, loggedModelId: named.loggedModelId };
  if (inRun.storagePath !== null && (await deps.artifacts.stat(joinArtifactPath(inRun.storagePath, 'MLmodel'))) !== undefined) return inRun;
  // Since MLflow 3 a model logged in a run lies beside the run's artifacts, and the run only points at it.
  const model = parsed.path === '' ? undefined : await deps.runs.loggedModelOfRun(run.runId, parsed.path);
  return model === undefined ? inRun : { source, ...located(model.artifactUri, ''), runId: run.runId, loggedModelId: model.modelId };
}

function located(base: string, path: string): Pick<ResolvedSource, 'storageUri' | 'storagePath' | 'why'> {
  const storageUri = path === '' ? base : `${base.replace(/\/$/, '')}/${path}`;
  if (!base.startsWith('mlflow-artifacts:'))
    return { storageUri, storagePath: null, why: `Its files are at ${storageUri}, which this server does not store, so it cannot serve them.` };
  return { storageUri, storagePath: parseArtifactUri(storageUri).path, why: '' };
}

async function findVersion(store: RegistryStore, name: string, ref: number | string): Promise<VersionRecord | undefined> {
  const aliases = typeof ref === 'number' ? {} : ((await store.findModel(name))?.aliases ?? {});
  const version = typeof ref === 'number' ? ref : Object.hasOwn(aliases, ref) ? aliases[ref] : undefined;
  return version === undefined ? undefined : store.findVersion(name, version);
}

/** '..' as a path segment, in any layer of escaping. */
function climbs(source: string): boolean {
  let layer = source;
  for (let i = 0; i < 10; i++) {
    if (layer.includes('\0') || layer.split(/[/\\]/).includes('..')) return true;
    const next = decode(layer);
    if (next === layer) return false;
    layer = next;
  }
  return true;
}

function decode(text: string): string {
  return text.replace(/(%[0-9a-fA-F]{2})+/g, (escaped) => {
    try {
      return decodeURIComponent(escaped);
    } catch {
      return escaped;
    }
  });
}
