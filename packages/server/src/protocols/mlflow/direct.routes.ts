import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { type ArtifactService, type DirectTransfers, joinArtifactPath, resolveArtifactUri } from '../../artifacts/index.ts';
import { disposition } from '../../http/index.ts';
import { invalid, notFound, unsupported } from '../../kernel/index.ts';
import { invalidValue, type TrackingService } from '../../tracking/index.ts';
import { Fields } from './fields.ts';
import { parseBody } from './http.ts';
import type { MlflowRoute } from './routes.ts';

const DOWNLOAD_SECONDS = 300;
const UPLOAD_SECONDS = 900;
/** What S3 and its like take for a link. */
const MAX_SECONDS = 7 * 24 * 3600;

/** Multipart uploads and presigned downloads of the artifact proxy, below `…/2.0/mlflow-artifacts`, where the store hands out links. */
export function directRoutes(artifacts: ArtifactService, maxUploadBytes: number): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: 8 * 1024 * 1024 }, (_request, body, done) => done(null, body));

    const multipart = (): DirectTransfers => {
      if (artifacts.direct !== undefined) return artifacts.direct;
      throw unsupported(
        'multipart_unsupported',
        'Multipart upload is not supported for the current artifact repository: send the file in one PUT, of any size up to the upload limit.',
      );
    };
    /** The file that a request is about: its folder is in the URL, its name the last part of what the client calls it on its own disk. */
    const target = (request: FastifyRequest, fields: Fields): string => {
      const name = fields.requiredString('path').split(/[/\\]/).at(-1) ?? '';
      if (name === '') throw invalidValue('path', fields.string('path'), 'It must end in the name of a file.');
      return joinArtifactPath(wildcard(request), name);
    };

    app.post('/mpu/create/*', async (request) => {
      const direct = multipart();
      const fields = new Fields(parseBody(request.body));
      const { uploadId, links } = await direct.createMultipart(target(request, fields), fields.int('num_parts') ?? 1);
      return { upload_id: uploadId, credentials: links.map(({ url, headers }, i) => ({ url, part_number: i + 1, headers })) };
    });
    app.post('/mpu/complete/*', async (request) => {
      const direct = multipart();
      const fields = new Fields(parseBody(request.body));
      const parts = fields.messages('parts').map((part) => ({ number: part.requiredInt('part_number'), etag: part.requiredString('etag') }));
      if (parts.length === 0) throw invalid('invalid_parameter', "Missing value for required parameter 'parts'.");
      await direct.completeMultipart(target(request, fields), fields.requiredString('upload_id'), parts, { maxBytes: maxUploadBytes });
      return {};
    });
    app.post('/mpu/abort/*', async (request) => {
      const direct = multipart();
      const fields = new Fields(parseBody(request.body));
      await direct.abortMultipart(target(request, fields), fields.requiredString('upload_id'));
      return {};
    });
    app.get('/presigned/*', async (request) => {
      if (artifacts.direct === undefined)
        throw unsupported(
          'presigned_unsupported',
          'Presigned download is not supported for the current artifact repository: download the file through artifacts/<path>.',
        );
      const path = wildcard(request);
      const { url, headers, size } = await artifacts.direct.presignDownload(path, { expiresSeconds: DOWNLOAD_SECONDS, disposition: disposition(path) });
      return { url, headers, file_size: size };
    });
  };
}

/** `artifacts/presigned-{upload,download}-url` of runs and logged models. */
export function presignedRoutes({ tracking, artifacts }: { tracking: TrackingService; artifacts: ArtifactService }): MlflowRoute[] {
  /** MLflow's own answer where its artifacts are behind the server: an invalid parameter. */
  const direct = (what: string): DirectTransfers => {
    if (artifacts.direct !== undefined) return artifacts.direct;
    throw invalid(
      'presigned_unsupported',
      `${what} is not supported for proxied artifact storage (artifact URI scheme: mlflow-artifacts). Send and fetch the file through the artifact proxy.`,
    );
  };
  const pathOf = async (owner: string, path: string): Promise<string> => joinArtifactPath(await resolveArtifactUri(owner, tracking), path);
  const seconds = (fields: Fields, otherwise: number): number => {
    const value = fields.int('expiration') ?? otherwise;
    if (value < 1 || value > MAX_SECONDS) throw invalid('invalid_parameter', `expiration must be between 1 and ${MAX_SECONDS} seconds (got ${value}).`);
    return value;
  };
  return [
    {
      method: 'POST',
      path: 'artifacts/presigned-upload-url',
      async handler(fields) {
        const [runId, modelId] = [fields.string('run_id') ?? '', fields.string('model_id') ?? ''];
        const path = fields.requiredString('path');
        if ((runId === '') === (modelId === '')) throw invalid('invalid_parameter', 'Exactly one of run_id and model_id must be provided.');
        const expiresSeconds = seconds(fields, UPLOAD_SECONDS);
        const target = await pathOf(runId === '' ? `models:/${modelId}` : `runs:/${runId}`, path);
        const { url, headers } = await direct('Presigned upload').presignUpload(target, { expiresSeconds });
        return { presigned_url: url, headers };
      },
    },
    {
      method: 'POST',
      path: 'artifacts/presigned-download-url',
      async handler(fields) {
        const runId = fields.requiredString('run_id');
        const target = await pathOf(`runs:/${runId}`, fields.requiredString('path'));
        const expiresSeconds = seconds(fields, DOWNLOAD_SECONDS);
        const { url, headers, size } = await direct('Presigned download').presignDownload(target, { expiresSeconds, disposition: disposition(target) });
        return { presigned_url: url, headers, file_size: size };
      },
    },
  ];
}

function wildcard(request: FastifyRequest): string {
  const path = (request.params as { '*'?: string })['*'];
  if (path === undefined) throw notFound('no_such_route', 'The path of the artifact is missing.');
  return path;
}
