import { createHash } from 'node:crypto';
import { type ArtifactService, joinArtifactPath } from '../artifacts/index.ts';
import { BinnacleError, conflict, type Logger, messageOf, newRequestId } from '../kernel/index.ts';
import type { GraphInspector } from './graph-inspector.port.ts';
import { MAX_MLMODEL_BYTES, parseMlModel } from './mlmodel.ts';
import { type PythonMode, tensorsOfSignature, whyNoPython } from './python-package.ts';
import type { RemoteInspector } from './remote-inspector.port.ts';
import { needsSignature } from './remote-spec.ts';
import type { PackageFacts } from './registry-store.port.ts';
import { nameColumns } from './signature.ts';
import type { RemoteSpec } from './types.ts';

export interface PackageDeps {
  artifacts: ArtifactService;
  inspector: GraphInspector;
  /** Absent: nothing elsewhere is asked. */
  remotes?: RemoteInspector;
  logger: Logger;
  /** 'off' by default. */
  python?: PythonMode | undefined;
}

export const noFacts = (statusMessage: string, storagePath: string | null = null): PackageFacts => ({
  storagePath,
  flavors: [],
  signature: null,
  tensors: null,
  graphPath: null,
  graphSha256: null,
  externalFiles: [],
  derivedPath: null,
  metadata: {},
  sizeBytes: null,
  servable: false,
  statusMessage,
});

/**
 * Looks at the files of a package. Never throws for what it finds: a version may be registered whatever its files are, and `statusMessage` says why it
 * cannot be served. A graph that had to be rewired is stored beside, never over the author's file.
 */
export async function inspectPackage(deps: PackageDeps, storagePath: string): Promise<PackageFacts> {
  const { artifacts, inspector } = deps;
  const facts = noFacts('', storagePath);
  const because = (why: string): PackageFacts => ({ ...facts, servable: false, statusMessage: why });
  try {
    const text = await artifacts.readText(joinArtifactPath(storagePath, 'MLmodel'), MAX_MLMODEL_BYTES);
    if (text === undefined)
      return because(
        `There is no MLmodel file at mlflow-artifacts:/${storagePath}, so there is nothing to serve. Log the model there, or register another source.`,
      );
    const files = await artifacts.listFiles(storagePath);
    facts.sizeBytes = files.reduce((sum, { size }) => sum + (size ?? 0), 0);
    const model = parseMlModel(text);
    facts.flavors = model.flavors;
    facts.metadata = model.metadata;
    facts.signature = model.signature;
    if (model.remote !== null) return await inspectRemote(deps, facts, model.remote);
    if (model.ensemble !== null) {
      const { inputs, outputs } = model.ensemble;
      const graphPath = joinArtifactPath(storagePath, 'MLmodel');
      return { ...facts, tensors: { inputs, outputs }, graphPath, graphSha256: await digestOf(artifacts, graphPath, []), servable: true };
    }
    if (model.onnxData === null) {
      if (!model.flavors.includes('python_function'))
        return because(
          `Binnacle serves ONNX and MLflow's Python models, and this model has only the flavours ${model.flavors.join(', ')}. Log it with mlflow.onnx (skl2onnx, torch.onnx and others convert).`,
        );
      if ((deps.python ?? 'off') === 'off') return because(whyNoPython(model.flavors));
      if (facts.signature !== null)
        facts.signature = { inputs: nameColumns(facts.signature.inputs, undefined), outputs: nameColumns(facts.signature.outputs, undefined) };
      // A pickle is held to what was registered as a graph is: all the files beside the MLmodel file, but for what may be added later.
      facts.graphPath = joinArtifactPath(storagePath, 'MLmodel');
      const beside = files.map(({ path }) => path.slice(storagePath.length + 1));
      facts.externalFiles = beside.filter((path) => path !== 'MLmodel' && !path.startsWith('binnacle/'));
      facts.graphSha256 = await digestOf(artifacts, facts.graphPath, facts.externalFiles);
      return { ...facts, tensors: tensorsOfSignature(facts.signature), servable: true };
    }
    const graphPath = joinArtifactPath(storagePath, model.onnxData);
    const graph = await artifacts.stat(graphPath);
    if (graph === undefined || graph.isDirectory) return because(`The MLmodel file names ${model.onnxData}, which is not among the files.`);
    const { inputs, outputs, rewritten, external } = await inspector.inspect(await artifacts.materialize(graphPath));
    facts.graphPath = graphPath;
    facts.externalFiles = external;
    facts.graphSha256 = await digestOf(artifacts, graphPath, external);
    facts.tensors = { inputs, outputs };
    if (facts.signature !== null)
      facts.signature = { inputs: nameColumns(facts.signature.inputs, inputs), outputs: nameColumns(facts.signature.outputs, outputs) };
    if (rewritten !== null) facts.derivedPath = await artifacts.putDerived(`graphs/${newRequestId()}.onnx`, rewritten);
    return { ...facts, servable: true };
  } catch (error) {
    if (error instanceof BinnacleError && error.kind !== 'internal') return because(error.message);
    deps.logger.error({ err: error, storagePath }, "a version's package could not be inspected");
    return because(`Its files could not be inspected (${messageOf(error)}).`);
  }
}

/** A model elsewhere: its MLmodel file is the package, and is held to what was registered as a graph is. */
async function inspectRemote({ artifacts, remotes }: PackageDeps, facts: PackageFacts, spec: RemoteSpec): Promise<PackageFacts> {
  const graphPath = joinArtifactPath(facts.storagePath ?? '', 'MLmodel');
  const named = (tensors: PackageFacts['tensors']): PackageFacts['signature'] =>
    facts.signature === null
      ? null
      : { inputs: nameColumns(facts.signature.inputs, tensors?.inputs), outputs: nameColumns(facts.signature.outputs, tensors?.outputs) };
  const own = needsSignature(spec) ? tensorsOfSignature(named(null)) : null;
  if (needsSignature(spec) && own === null)
    return {
      ...facts,
      statusMessage: `A server that speaks ${spec.protocol} does not say what its models take: put a signature into the MLmodel file.`,
    };
  const tensors = (await remotes?.inspect(spec, named(null))) ?? own;
  const signature = named(tensors);
  return { ...facts, signature, tensors, graphPath, graphSha256: await digestOf(artifacts, graphPath, []), servable: true };
}

/** Throws `conflict` (code `version_files_changed`) when graph or weights are not those that were registered: what passed the gates is what is served. */
export async function verifyGraph(
  artifacts: ArtifactService,
  version: { model: string; version: number; graphPath: string; graphSha256: string | null; externalFiles: string[] },
): Promise<void> {
  if (version.graphSha256 === null || (await digestOf(artifacts, version.graphPath, version.externalFiles)) === version.graphSha256) return;
  throw conflict(
    'version_files_changed',
    `The ${whatIsHeld(version)} of ${version.model} version ${version.version} was changed after it was registered (${version.graphPath}). Register the changed files as a new version.`,
  );
}

const whatIsHeld = ({ graphPath, externalFiles }: { graphPath: string; externalFiles: string[] }): string =>
  !graphPath.endsWith('/MLmodel') ? 'ONNX model' : externalFiles.length === 0 ? 'MLmodel file' : 'package';

/** Where the files that hold a graph's weights are. */
export const besideGraph = (graphPath: string, external: readonly string[]): string[] =>
  external.map((location) => joinArtifactPath(...graphPath.split('/').slice(0, -1), ...location.split('/').filter((part) => part !== '.' && part !== '')));

/** SHA-256 of the graph, and of its weights where they are in files of their own. Hex. */
async function digestOf(artifacts: ArtifactService, graphPath: string, external: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of [graphPath, ...besideGraph(graphPath, external)]) {
    const { stream } = await artifacts.open(path, undefined, { verify: true });
    for await (const chunk of stream as AsyncIterable<Uint8Array>) hash.update(chunk);
  }
  return hash.digest('hex');
}
