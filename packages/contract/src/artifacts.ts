import { z } from 'zod';
import { Limit } from './common.ts';
import { operation } from './operation.ts';

export const FileEntry = z.object({ path: z.string(), isDirectory: z.boolean(), size: z.number().int().nullable() });
export type FileEntry = z.infer<typeof FileEntry>;

/** Some rows of a table in a file, as text to look at. */
export const ArtifactRows = z.object({
  format: z.enum(['csv', 'parquet']),
  columns: z.array(z.object({ name: z.string(), type: z.string().describe('In SQL, such as BIGINT. Of CSV it is what the first rows look like.') })),
  columnsLeftOut: z.number().int().describe('Columns beyond those that are shown.'),
  rows: z.array(z.array(z.string().nullable())).describe('A long value is cut, and ends in "…" then. null where there is none.'),
  offset: z.number().int(),
  more: z.boolean().describe('Whether rows follow.'),
  total: z.number().int().nullable().describe('Rows of the file, where they need not be counted (Parquet); null otherwise.'),
});
export type ArtifactRows = z.infer<typeof ArtifactRows>;

const runId = z.object({ runId: z.string() });
const modelId = z.string().optional().describe('A logged model that the run made: paths are of its files then, not of the run’s.');

export const artifactOperations = {
  listRunArtifacts: operation({
    method: 'GET',
    path: '/runs/{runId}/artifacts',
    tag: 'tracking',
    summary: "Files and folders directly under a path of a run's artifacts.",
    params: runId,
    query: z.object({ path: z.string().default(''), modelId }),
    response: z.object({ files: z.array(FileEntry) }),
  }),
  getRunArtifact: operation({
    method: 'GET',
    path: '/runs/{runId}/artifacts/content',
    tag: 'tracking',
    summary:
      'The bytes of an artifact, or one range of them (Range). HTML is answered with a policy that runs no script; with frame=true, scripts run in a sandbox that is nobody’s origin.',
    params: runId,
    query: z.object({ path: z.string().min(1), modelId, frame: z.enum(['true', 'false']).default('false') }),
    rawResponse: true,
    response: z.unknown(),
  }),
  readRunArtifactRows: operation({
    method: 'GET',
    path: '/runs/{runId}/artifacts/rows',
    tag: 'tracking',
    summary: 'Rows of a table among the artifacts: Parquet, CSV or TSV (compressed too) of up to 512 MiB.',
    params: runId,
    query: z.object({
      path: z.string().min(1),
      modelId,
      offset: z.coerce.number().int().min(0).max(1_000_000_000).default(0),
      limit: Limit(100, 1000),
    }),
    response: ArtifactRows,
  }),
};
