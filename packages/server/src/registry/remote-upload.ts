import { type ArtifactService } from '../artifacts/index.ts';
import { invalid, messageOf, newRequestId } from '../kernel/index.ts';
import { signatureText } from './mlmodel.ts';
import { inspectPackage, type PackageDeps } from './package.ts';
import { mlModelOfRemote, parseRemoteFlavor } from './remote-spec.ts';
import type { RemoteProtocol } from './types.ts';

export interface RemoteRequest {
  model: string;
  protocol: RemoteProtocol;
  url: string;
  /** What that server calls it; the model's own name by default. */
  remoteModel?: string | undefined;
  remoteVersion?: string | undefined;
  /** A reference, never the secret. */
  token?: string | undefined;
  timeoutMs?: number | undefined;
  payload?: 'open-inference' | 'mlflow' | undefined;
  /** The text of an MLmodel file whose signature this version has. */
  signature?: string | undefined;
  description?: string | undefined;
  runId?: string | undefined;
}

/**
 * Writes the package of a model that runs elsewhere under `registry/` and returns its path. Throws `invalid` for what could not be served: an address of
 * another protocol's, a host that may not be called, a missing signature. A server that is away is no reason.
 */
export async function writeRemotePackage(deps: PackageDeps & { artifacts: ArtifactService }, request: RemoteRequest): Promise<string> {
  const { protocol, url, token, payload } = request;
  const flavor = Object.fromEntries(
    Object.entries({
      protocol,
      url,
      model: request.remoteModel ?? request.model,
      version: request.remoteVersion,
      token,
      timeout_ms: request.timeoutMs,
      payload,
    }).filter(([, value]) => value !== undefined),
  );
  try {
    parseRemoteFlavor(flavor);
  } catch (error) {
    throw invalid('invalid_remote', `The remote model is refused: ${messageOf(error)}.`, { cause: error });
  }
  const signature = request.signature === undefined ? undefined : signatureText(request.signature);
  if (request.signature !== undefined && signature === undefined)
    throw invalid('invalid_remote', 'The file given for the signature has none. Give the MLmodel file of the model as MLflow logged it.');
  const folder = `registry/${newRequestId().replaceAll('-', '')}`;
  try {
    await deps.artifacts.put(`${folder}/MLmodel`, Buffer.from(mlModelOfRemote(flavor, signature, { runId: request.runId ?? null, createdAt: Date.now() })));
    const { servable, statusMessage } = await inspectPackage(deps, folder);
    if (!servable) throw invalid('invalid_remote', statusMessage);
    return folder;
  } catch (error) {
    await deps.artifacts.delete(folder).catch(() => {});
    throw error;
  }
}
