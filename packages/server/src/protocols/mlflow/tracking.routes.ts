import { type ArtifactService, joinArtifactPath, resolveArtifactUri } from '../../artifacts/index.ts';
import { unsupported } from '../../kernel/index.ts';
import type { TrackingService } from '../../tracking/index.ts';
import { experimentRoutes } from './experiments.routes.ts';
import { loggedModelRoutes } from './logged-models.routes.ts';
import { metricRoutes } from './metrics.routes.ts';
import { presignedRoutes } from './direct.routes.ts';
import type { MlflowRoute } from './routes.ts';
import { runRoutes } from './runs.routes.ts';

/** The tracking half of the protocol: experiments, runs, metrics, logged models, artifact listing, and what is answered with "not here". */
export function trackingRoutes({ tracking, artifacts }: { tracking: TrackingService; artifacts: ArtifactService }): MlflowRoute[] {
  return [
    ...experimentRoutes(tracking),
    ...runRoutes(tracking),
    ...metricRoutes(tracking),
    ...loggedModelRoutes(tracking),
    ...listings(tracking, artifacts),
    ...presignedRoutes({ tracking, artifacts }),
    ...absent(artifacts.direct !== undefined),
  ];
}

function listings(tracking: TrackingService, artifacts: ArtifactService): MlflowRoute[] {
  /** Children of a path below a root, named relative to the root. */
  const list = async (rootUri: string, path: string) => {
    const root = await resolveArtifactUri(rootUri, tracking);
    const entries = await artifacts.list(joinArtifactPath(root, path));
    return entries.map((entry) => ({
      path: root === '' ? entry.path : entry.path.slice(root.length + 1),
      is_dir: entry.isDirectory,
      ...(entry.size === null ? {} : { file_size: entry.size }),
    }));
  };
  return [
    {
      method: 'GET',
      path: 'artifacts/list',
      async handler(fields) {
        const run = await tracking.getRun(fields.runId(), { metrics: [], params: [], tags: [] });
        return { root_uri: run.artifactUri, files: await list(run.artifactUri, fields.string('path') ?? '') };
      },
    },
    {
      method: 'GET',
      path: 'logged-models/:model_id/artifacts/directories',
      async handler(fields) {
        const model = await tracking.getLoggedModel(fields.requiredString('model_id'));
        return { root_uri: model.artifactUri, files: await list(model.artifactUri, fields.string('artifact_directory_path') ?? '') };
      },
    },
  ];
}

/** Endpoints that clients probe and that this server has not: a plain answer keeps them from retrying. */
function absent(direct: boolean): MlflowRoute[] {
  const refuse = (method: MlflowRoute['method'], path: string, what: string, version: '2.0' | '3.0' = '2.0'): MlflowRoute => ({
    method,
    path,
    version,
    handler: async () => {
      throw unsupported('not_implemented', `${what} not implemented by this server.`);
    },
  });
  return [
    ...(['2.0', '3.0'] as const).flatMap((version) =>
      (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).flatMap((method) =>
        ['traces', 'traces/*'].map((path) => refuse(method, path, 'Traces are', version)),
      ),
    ),
    {
      method: 'GET',
      path: 'server-info',
      version: '3.0',
      handler: async () => ({
        store_type: 'SqlStore',
        workspaces_enabled: false,
        trace_archival_enabled: false,
        experimental_features_enabled: false,
        // Clients go to the bucket themselves for large files where these are true.
        multipart_uploads_enabled: direct,
        multipart_downloads_enabled: direct,
        presigned_upload_run_id_supported: true,
        presigned_upload_model_id_supported: true,
      }),
    },
  ];
}
