import { type ArtifactService, checkArtifactPath } from '../artifacts/index.ts';
import { invalid, newRequestId } from '../kernel/index.ts';
import type { GraphInspector } from './graph-inspector.port.ts';
import { mlModelOfGraph } from './mlmodel.ts';

/** Folders that pushes made; nobody else's files are in them. */
export const isUploadFolder = (path: string): boolean => /^registry\/[0-9a-f]{32}$/.test(path);

/**
 * Stores an ONNX body as an MLflow model directory under `registry/` and returns its path. The graph is inspected before anything is registered: a body that breaks off,
 * is too long or is not a servable graph leaves nothing behind, and its error comes through.
 */
export async function uploadPackage(
  deps: { artifacts: ArtifactService; inspector: GraphInspector },
  upload: { filename: string; body: AsyncIterable<Uint8Array>; runId?: string | undefined },
): Promise<string> {
  const { artifacts } = deps;
  const name = checkArtifactPath(upload.filename);
  if (name.includes('/')) throw invalid('invalid_filename', `The filename ${JSON.stringify(upload.filename)} must be a name, not a path.`);
  if (!name.endsWith('.onnx'))
    throw invalid('invalid_filename', `The filename ${JSON.stringify(upload.filename)} must end in .onnx. Other formats are logged with the mlflow client.`);
  // Begins with the time, by which garbage collection tells a push that goes on from one that broke off.
  const folder = `registry/${newRequestId().replaceAll('-', '')}`;
  try {
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
