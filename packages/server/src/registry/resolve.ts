import { stat } from 'node:fs/promises';
import { joinArtifactPath, proxiedPath } from '../artifacts/index.ts';
import { invalid } from '../kernel/index.ts';
import { ENSEMBLE_FLAVOR } from './ensemble-spec.ts';
import { heldFiles, verifyHeld } from './held-files.ts';
import type { Lookups } from './lookups.ts';
import { MAX_MLMODEL_BYTES, parseMlModel } from './mlmodel.ts';
import { inspectPackage, type PackageDeps } from './package.ts';
import { pythonRuntimeOf, whyNoPython } from './python-package.ts';
import type { RegistryStore, VersionRecord } from './registry-store.port.ts';
import type { RunDirectory } from './run-directory.port.ts';
import { REMOTE_FLAVOR } from './remote-spec.ts';
import type { ModelPackage, RuntimeSpec, VersionRef } from './types.ts';

/** Brings a version's files to the local disk. */
export function createResolver(deps: PackageDeps & { store: RegistryStore; runs: RunDirectory }, { lookup }: Lookups) {
  const { store, artifacts, runs } = deps;
  const verified = new Map<string, string>();

  /** Reading a large graph takes seconds, and endpoints ask again and again: a file that has not been touched since is not read again. */
  async function verify(version: VersionRecord, graphPath: string): Promise<void> {
    const held = { ...version, graphPath };
    const marks = (await heldFiles(artifacts, held)).map(async (path) => {
      const { size, mtimeMs, ctimeMs, ino } = await stat(await artifacts.materialize(path));
      return `${path}:${size}:${mtimeMs}:${ctimeMs}:${ino}`;
    });
    const seen = [version.graphSha256, ...(await Promise.all(marks))].join(' ');
    if (verified.get(graphPath) === seen) return;
    await verifyHeld(artifacts, held);
    if (verified.size >= 1000) verified.clear();
    verified.set(graphPath, seen);
  }

  /** Looks again at files that were not there (or not whole) at registration. */
  async function refreshed(version: VersionRecord): Promise<VersionRecord> {
    if (version.servable || version.storagePath === null) return version;
    const facts = await inspectPackage(deps, version.storagePath);
    if (!facts.servable && facts.statusMessage === version.statusMessage) return version;
    return store.updateVersion(version.model, version.version, { facts });
  }

  /** The first file of a package's `binnacle/` folder that exists: in the model's folder, else among its run's artifacts. */
  async function findCompanion(version: VersionRecord, ...names: string[]): Promise<string | null> {
    const runUri = version.runId === null ? undefined : (await runs.run(version.runId))?.artifactUri;
    const runPath = runUri === undefined ? undefined : proxiedPath(runUri);
    for (const folder of [version.storagePath, runPath]) {
      if (folder === null || folder === undefined) continue;
      for (const name of names) {
        const path = joinArtifactPath(folder, 'binnacle', name);
        if ((await artifacts.stat(path))?.isDirectory === false) return path;
      }
    }
    return null;
  }

  /** What the files are is kept with the version; whether Python may be started is the server's setting of today. */
  async function runtimeOf(version: VersionRecord, settings: Record<string, string>): Promise<RuntimeSpec | null> {
    if (!version.servable) return null;
    if (version.flavors.includes(REMOTE_FLAVOR) || version.flavors.includes(ENSEMBLE_FLAVOR)) {
      const text = await artifacts.readText(version.graphPath ?? '', MAX_MLMODEL_BYTES);
      const model = text === undefined ? undefined : parseMlModel(text);
      return model?.remote ?? model?.ensemble ?? null;
    }
    if (version.flavors.includes('onnx')) return { kind: 'onnx' };
    return (deps.python ?? 'off') === 'off' ? null : pythonRuntimeOf(settings);
  }

  /**
   * A version's package on the local disk. `problem` says why it has no `onnxFile`. Throws `not_found` for the version, `invalid` (code `version_has_no_files`)
   * when there is nothing on disk, `conflict` (code `version_files_changed`) when the graph is not the registered one.
   */
  async function resolve(model: string, ref: VersionRef): Promise<ModelPackage> {
    const version = await refreshed(await lookup(model, ref));
    if (version.storagePath === null || (await artifacts.stat(version.storagePath)) === undefined)
      throw invalid(
        'version_has_no_files',
        `${model} version ${version.version} cannot be loaded. ${version.statusMessage || `Its files at ${version.storageUri} are gone.`}`,
      );
    const settings = { ...version.metadata, ...version.tags };
    const local = async (path: string | null) => (path === null ? null : artifacts.materialize(path));
    const checkFiles = async () => (version.graphPath === null ? undefined : verify(version, version.graphPath));
    await checkFiles();
    const runtime = await runtimeOf(version, settings);
    return {
      id: version.id,
      model,
      version: version.version,
      runId: version.runId,
      dir: await artifacts.materialize(version.storagePath),
      flavors: version.flavors,
      signature: version.signature,
      runtime,
      onnxFile: runtime?.kind === 'onnx' ? await local(version.derivedPath ?? version.graphPath) : null,
      problem: runtime !== null ? null : version.servable ? whyNoPython(version.flavors) : version.statusMessage,
      tensors: version.tensors,
      goldenFile: await local(await findCompanion(version, 'golden.json')),
      profileFile: await local(await findCompanion(version, 'profile.json')),
      trainingDataFile: await local(await findCompanion(version, 'training.parquet', 'training.csv')),
      settings,
      ...(runtime?.kind === 'python' ? { checkFiles } : {}),
    };
  }

  return { resolve, findCompanion };
}
