import { type ArtifactService, checkArtifactPath } from '../artifacts/index.ts';
import { invalid, newRequestId } from '../kernel/index.ts';
import type { GraphInspector } from './graph-inspector.port.ts';
import { MAX_MLMODEL_BYTES, mlModelOfGraph, parseMlModel } from './mlmodel.ts';

/** Folders that pushes made; nobody else's files are in them. */
export const isUploadFolder = (path: string): boolean => /^registry\/[0-9a-f]{32}$/.test(path);

/**
 * Stores an ONNX body (or an MLmodel file that is all there is of a model) as an MLflow model directory under `registry/` and returns its path. The graph is inspected before anything is registered: a body that breaks off,
 * is too long or is not a servable graph leaves nothing behind, and its error comes through.
 */
export async function uploadPackage(
  deps: { artifacts: ArtifactService; inspector: GraphInspector },
  upload: { filename: string; body: AsyncIterable<Uint8Array>; runId?: string | undefined },
): Promise<string> {
  const { artifacts } = deps;
  const name = checkArtifactPath(upload.filename);
  if (name.includes('/')) throw invalid('invalid_filename', `The filename ${JSON.stringify(upload.filename)} must be a name, not a path.`);
  const isWhole = name === 'MLmodel';
  if (!isWhole && !name.endsWith('.onnx'))
    throw invalid(
      'invalid_filename',
      `The filename ${JSON.stringify(upload.filename)} must end in .onnx, or be MLmodel for an ensemble or a remote model. Other formats are logged with the mlflow client.`,
    );
  // Begins with the time, by which garbage collection tells a push that goes on from one that broke off.
  const folder = `registry/${newRequestId().replaceAll('-', '')}`;
  try {
    if (isWhole) {
      await artifacts.put(`${folder}/${name}`, await selfContained(upload.body));
      return folder;
    }
    const { size } = await artifacts.put(`${folder}/${name}`, upload.body);
    if (size === 0) throw invalid('onnx_invalid', 'The upload is empty: send the ONNX file as the body of the request.');
    const { inputs, outputs } = await deps.inspector.inspect(await artifacts.materialize(`${folder}/${name}`));
    await artifacts.put(
      `${folder}/MLmodel`,
      Buffer.from(mlModelOfGraph(name, { inputs, outputs }, { runId: upload.runId ?? null, sizeBytes: size, createdAt: Date.now() })),
    );
    return folder;
  } catch (error) {
    await artifacts.delete(folder).catch(() => {});
    throw error;
  }
}

/** An MLmodel file that needs no other: of an ensemble, or of a model elsewhere. */
async function selfContained(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_MLMODEL_BYTES) throw invalid('mlmodel_invalid', `The MLmodel file is longer than ${MAX_MLMODEL_BYTES} bytes.`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const { ensemble, remote, flavors } = parseMlModel(bytes.toString());
  if (ensemble === null && remote === null)
    throw invalid(
      'mlmodel_invalid',
      `An MLmodel file alone must have the flavour binnacle.ensemble or binnacle.remote; this one has ${flavors.join(', ')}, which come with other files: log it with the mlflow client.`,
    );
  return bytes;
}
