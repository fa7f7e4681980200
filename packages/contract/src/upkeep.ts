import { z } from 'zod';
import { Timestamp } from './common.ts';
import { operation } from './operation.ts';

export const GarbageReport = z.object({
  dryRun: z.boolean(),
  before: Timestamp.describe('Deleted at this time or earlier.'),
  runs: z.number().int(),
  loggedModels: z.number().int(),
  experiments: z.number().int(),
  points: z.number().int().nullable().describe('Points of metrics; null for a dry run.'),
  files: z.number().int(),
  bytes: z.number().int(),
  derivedFiles: z.number().int(),
  uploads: z.number().int().describe('Pushes of a version that broke off, whose files no version has.'),
  names: z.number().int().nullable().describe('Names of metrics, params, tags and series that no run uses any more; null for a dry run.'),
  foreign: z.number().int().describe('Things whose files are in another store, which is not touched.'),
  kept: z.array(z.object({ kind: z.enum(['run', 'logged model', 'experiment']), id: z.string(), name: z.string(), reason: z.string() })),
  more: z.boolean().describe('Ask again: a call ends after a while.'),
});
export type GarbageReport = z.infer<typeof GarbageReport>;

export const upkeepOperations = {
  collectGarbage: operation({
    method: 'POST',
    path: '/gc',
    tag: 'upkeep',
    summary: 'Remove for good what was deleted: runs, experiments, their metrics and files, and logged models that no version uses.',
    body: z.object({
      olderThanSeconds: z
        .number()
        .min(0)
        .max(1e10)
        .default(30 * 86_400),
      dryRun: z.boolean().default(true),
    }),
    response: GarbageReport,
  }),
  createBackup: operation({
    method: 'POST',
    path: '/backup',
    tag: 'upkeep',
    summary:
      'A consistent backup of metadata, artifacts and prediction log as a tar archive; its last file, manifest.json, lists the others with their SHA-256.',
    rawResponse: true,
    response: z.unknown(),
  }),
};
