import { type ArtifactService, joinArtifactPath } from '../artifacts/index.ts';
import { BinnacleError, type Logger, messageOf, newRequestId } from '../kernel/index.ts';
import type { GraphInspector } from './graph-inspector.port.ts';
import { digestOf, digestOfPackage, packageFiles } from './held-files.ts';
import { MAX_MLMODEL_BYTES, parseMlModel } from './mlmodel.ts';
import { type PythonMode, tensorsOfSignature, whyNoPython } from './python-package.ts';
import type { RemoteInspector } from './remote-inspector.port.ts';
import { needsSignature } from './remote-spec.ts';
import type { PackageFacts } from './registry-store.port.ts';
import { settingsOfLabels } from './graph-labels.ts';
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
      facts.externalFiles = (await packageFiles(artifacts, storagePath)).filter((path) => path !== 'MLmodel');
      facts.graphSha256 = await digestOfPackage(artifacts, storagePath);
      return { ...facts, tensors: tensorsOfSignature(facts.signature), servable: true };
    }
    const graphPath = joinArtifactPath(storagePath, model.onnxData);
    const graph = await artifacts.stat(graphPath);
    if (graph === undefined || graph.isDirectory) return because(`The MLmodel file names ${model.onnxData}, which is not among the files.`);
    const { inputs, outputs, labels, rewritten, external } = await inspector.inspect(await artifacts.materialize(graphPath));
    facts.graphPath = graphPath;
    facts.externalFiles = external;
    facts.graphSha256 = await digestOf(artifacts, graphPath, external);
    facts.tensors = { inputs, outputs };
    facts.metadata = { ...settingsOfLabels(labels), ...facts.metadata };
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
