import type { artifactOperations } from '@binnacle/contract';
import { type ArtifactService, joinArtifactPath, resolveArtifactUri } from '../../artifacts/index.ts';
import { exhausted, notFound, unsupported } from '../../kernel/index.ts';
import type { TablesService } from '../../tables/index.ts';
import type { TrackingService } from '../../tracking/index.ts';
import { contentHeaders } from '../content.ts';
import { type Handlers, RawReply } from '../handlers.ts';
import { parseRange } from '../ranges.ts';

/** A larger table is read by whoever downloads it: of a bucket's file a copy is made here first. */
const MOST_TABLE_BYTES = 512 * 1024 * 1024;

/** The files of runs in the native API. */
export function artifactHandlers(deps: { tracking: TrackingService; artifacts: ArtifactService; tables: TablesService }): Handlers<typeof artifactOperations> {
  const { tracking, artifacts, tables } = deps;
  const rootOf = async (runId: string, modelId: string | undefined): Promise<string> => {
    const run = await tracking.getRun(runId, { metrics: [], params: [], tags: [] });
    if (modelId === undefined) return resolveArtifactUri(run.artifactUri, tracking);
    const [model] = await tracking.getLoggedModels([modelId]);
    if (model === undefined || (model.sourceRunId !== runId && !run.modelOutputs.some((output) => output.modelId === modelId)))
      throw notFound('logged_model_not_found', `The run ${runId} has made no logged model ${JSON.stringify(modelId)}.`);
    return resolveArtifactUri(model.artifactUri, tracking);
  };
  const fileOf = async (runId: string, { path, modelId }: { path: string; modelId?: string | undefined }): Promise<{ path: string; size: number }> => {
    const full = joinArtifactPath(await rootOf(runId, modelId), path);
    const entry = await artifacts.stat(full);
    if (entry === undefined || entry.isDirectory)
      throw notFound('artifact_not_found', `The ${modelId === undefined ? `run ${runId}` : `logged model ${modelId}`} has no file ${JSON.stringify(path)}.`);
    return { path: full, size: entry.size ?? 0 };
  };

  return {
    async listRunArtifacts({ params, query }) {
      const root = await rootOf(params.runId, query.modelId);
      const entries = await artifacts.list(joinArtifactPath(root, query.path));
      return { files: entries.map(({ path, isDirectory, size }) => ({ path: root === '' ? path : path.slice(root.length + 1), isDirectory, size })) };
    },

    async getRunArtifact({ params, query }, { request }) {
      const file = await fileOf(params.runId, query);
      const destination = request.headers['sec-fetch-dest'];
      const headers = {
        ...contentHeaders(query.path, { frame: query.frame === 'true', destination: typeof destination === 'string' ? destination : undefined }),
        'accept-ranges': 'bytes',
      };
      const range = request.headers.range === undefined ? undefined : parseRange(request.headers.range, file.size);
      if (range === 'unsatisfiable') return new RawReply('', { ...headers, 'content-range': `bytes */${file.size}` }, 416);
      const part = range === undefined ? undefined : await artifacts.open(file.path, range);
      const ifRange = request.headers['if-range'];
      if (range !== undefined && part !== undefined && (ifRange === undefined || ifRange === tagOf(part.sha256))) {
        const end = Math.min(range.end, part.size - 1);
        const about = { 'content-range': `bytes ${range.start}-${end}/${part.size}`, 'content-length': String(end - range.start + 1) };
        return new RawReply(part.stream, { ...headers, ...etag(part.sha256), ...about }, 206);
      }
      // The range is of what the file was before: the whole of what it is now.
      part?.stream.destroy();
      const { stream, size, sha256 } = await artifacts.open(file.path, undefined, { verify: true });
      if (sha256 !== null && request.headers['if-none-match'] === tagOf(sha256)) {
        stream.destroy();
        return new RawReply('', { ...headers, ...etag(sha256) }, 304);
      }
      return new RawReply(stream, { ...headers, ...etag(sha256), 'content-length': String(size) });
    },

    async readRunArtifactRows({ params, query }) {
      const format = tables.formatOf(query.path);
      if (format !== 'csv' && format !== 'parquet')
        throw unsupported(
          'artifact_no_table',
          `${JSON.stringify(query.path)} is no table by its name: rows are read of .parquet, .csv and .tsv, the latter two also with .gz or .zst.`,
        );
      const { path, size } = await fileOf(params.runId, query);
      if (size > MOST_TABLE_BYTES)
        throw exhausted(
          'artifact_too_large',
          `${JSON.stringify(query.path)} has ${size} bytes; rows are read of files of up to ${MOST_TABLE_BYTES}. Download it instead.`,
          {
            details: { size, limit: MOST_TABLE_BYTES },
          },
        );
      return { format, ...(await tables.readRows(await artifacts.materialize(path), format, query)) };
    },
  };
}

const tagOf = (sha256: string | null): string | undefined => (sha256 === null ? undefined : `"${sha256}"`);
const etag = (sha256: string | null): Record<string, string> => (sha256 === null ? {} : { etag: `"${sha256}"` });
