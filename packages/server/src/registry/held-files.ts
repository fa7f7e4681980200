import { createHash, type Hash } from 'node:crypto';
import { type ArtifactService, joinArtifactPath } from '../artifacts/index.ts';
import { conflict, invalid, releaseBuffer } from '../kernel/index.ts';
import { ENSEMBLE_FLAVOR } from './ensemble-spec.ts';
import type { VersionRecord } from './registry-store.port.ts';
import { REMOTE_FLAVOR } from './remote-spec.ts';

/** The files that a version is held to: what passed the gates is what is served. */
export type Held = Pick<VersionRecord, 'model' | 'version' | 'flavors' | 'graphSha256' | 'externalFiles'> & { graphPath: string };

/** Each is looked at whenever the version is resolved. */
const MAX_PACKAGE_FILES = 10_000;

/** Of a Python model all is held, and nothing may be added: any file may be code, or name packages to install. */
const isPython = ({ graphPath, flavors }: Held): boolean =>
  graphPath.endsWith('/MLmodel') && !flavors.includes(REMOTE_FLAVOR) && !flavors.includes(ENSEMBLE_FLAVOR);

/** Paths of what is held. */
export const heldFiles = async (artifacts: ArtifactService, held: Held): Promise<string[]> =>
  isPython(held)
    ? (await packageFiles(artifacts, folderOf(held.graphPath))).map((path) => joinArtifactPath(folderOf(held.graphPath), path))
    : [held.graphPath, ...besideGraph(held.graphPath, held.externalFiles)];

/** Throws `conflict` (code `version_files_changed`) when what is held is not what was registered. */
export async function verifyHeld(artifacts: ArtifactService, held: Held): Promise<void> {
  const { model, version, graphPath, graphSha256, externalFiles } = held;
  if (graphSha256 === null) return;
  const digest = isPython(held) ? await digestOfPackage(artifacts, folderOf(graphPath)) : await digestOf(artifacts, graphPath, externalFiles);
  if (digest === graphSha256) return;
  const what = isPython(held) ? 'package' : graphPath.endsWith('/MLmodel') ? 'MLmodel file' : 'ONNX model';
  throw conflict(
    'version_files_changed',
    `The ${what} of ${model} version ${version} was changed after it was registered (${graphPath}). Register the changed files as a new version.`,
  );
}

/** Names of a package's files in order, but for what may be added later: examples and profiles, in `binnacle/`. */
export async function packageFiles(artifacts: ArtifactService, folder: string): Promise<string[]> {
  const files = await artifacts.listFiles(folder, MAX_PACKAGE_FILES + 1);
  if (files.length > MAX_PACKAGE_FILES)
    throw invalid(
      'package_too_many_files',
      `There are more than ${MAX_PACKAGE_FILES} files at mlflow-artifacts:/${folder}, more than are checked for changes. Put them into archives, and log the model again.`,
    );
  return files.map(({ path }) => path.slice(folder.length + 1)).filter((path) => !path.startsWith('binnacle/'));
}

/** SHA-256 of a package's files, each with its name and length before it: none can be added, renamed, or moved into another. Hex. */
export async function digestOfPackage(artifacts: ArtifactService, folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of await packageFiles(artifacts, folder)) await addFile(hash, artifacts, joinArtifactPath(folder, path), path);
  return hash.digest('hex');
}

/** SHA-256 of the graph, and of its weights where they are in files of their own. Hex. */
export async function digestOf(artifacts: ArtifactService, graphPath: string, external: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  if (external.length > 0) {
    for (const path of [graphPath, ...besideGraph(graphPath, external)]) await addFile(hash, artifacts, path);
    return hash.digest('hex');
  }
  const { stream, sha256 } = await artifacts.open(graphPath, undefined, { verify: true });
  // The store computes it while it is read, and breaks off when it is another: once is enough.
  await drain(stream, sha256 === null ? hash : undefined);
  return sha256 ?? hash.digest('hex');
}

async function addFile(hash: Hash, artifacts: ArtifactService, path: string, name?: string): Promise<void> {
  const { stream, size } = await artifacts.open(path, undefined, { verify: true });
  if (name !== undefined) hash.update(`${name}\0${size}\0`);
  await drain(stream, hash);
}

async function drain(stream: AsyncIterable<Uint8Array>, hash: Hash | undefined): Promise<void> {
  for await (const chunk of stream) {
    hash?.update(chunk);
    // Read for this alone. Left to the garbage collector, a large model would make it look through all there is, and requests wait.
    releaseBuffer(chunk);
  }
}

const folderOf = (graphPath: string): string => graphPath.split('/').slice(0, -1).join('/');

/** Where the files that hold a graph's weights are. */
const besideGraph = (graphPath: string, external: readonly string[]): string[] =>
  external.map((location) => joinArtifactPath(folderOf(graphPath), ...location.split('/').filter((part) => part !== '.' && part !== '')));
