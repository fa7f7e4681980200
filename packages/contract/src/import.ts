import { z } from 'zod';
import { LooseNumber, Timestamp } from './common.ts';
import { operation } from './operation.ts';
import { LifecycleStage, RunStatus } from './tracking.ts';

/** What an import brings: every thing under the id, the number and the times that it had elsewhere. */
export const ImportKind = z.enum(['experiment', 'run', 'logged-model', 'model', 'version']);
export type ImportKind = z.infer<typeof ImportKind>;

/** `removed`: an earlier import brought it, and it was removed (or renamed) here since; it is not brought back. */
export const ImportOutcome = z.enum(['created', 'updated', 'unchanged', 'removed']);
export type ImportOutcome = z.infer<typeof ImportOutcome>;

const Kept = z.array(z.string()).describe('Fields that were changed here since the last import, and elsewhere as well: they stay as they are here.');
const Id = z
  .string()
  .regex(/^[a-zA-Z0-9][\w-]{0,63}$/)
  .describe('At most 64 letters, digits, - and _.');
const Digest = z.string().max(64).describe('Of the thing elsewhere, to know it again; whatever the importer makes it of.');
const Pairs = z.array(z.strictObject({ key: z.string().min(1).max(500), value: z.string().max(1_048_576) })).max(20_000);
const ModelPairs = z.array(z.strictObject({ key: z.string().min(1).max(510), value: z.string().max(1_048_576) })).max(20_000);
const Time = Timestamp.min(0).max(Number.MAX_SAFE_INTEGER);
const Whole = z.number().int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);
const ModelName = z.string().min(1).max(256);
const Version = z.number().int().min(1).max(2_147_483_647);

/** Points of one series in columns, as long as each other. */
export const ImportSeries = z
  .strictObject({
    key: z.string().min(1).max(500),
    modelId: Id.nullable().default(null),
    datasetName: z.string().max(500).nullable().default(null),
    datasetDigest: z.string().max(64).nullable().default(null),
    steps: z.array(Whole).max(20_000),
    timestamps: z.array(Time).max(20_000),
    values: z.array(LooseNumber).max(20_000),
  })
  .refine(({ steps, timestamps, values }) => steps.length === timestamps.length && steps.length === values.length, {
    message: 'steps, timestamps and values must be as long as each other',
  });
export type ImportSeries = z.infer<typeof ImportSeries>;
const AllSeries = z
  .array(ImportSeries)
  .max(20_000)
  .refine((series) => series.reduce((sum, { steps }) => sum + steps.length, 0) <= 20_000, { message: 'at most 20000 points at once' });

export const ImportRun = z.strictObject({
  runId: Id,
  experimentId: z.string(),
  name: z.string().max(8000),
  user: z.string().max(256),
  status: RunStatus,
  startedAt: Time,
  endedAt: Time.nullable(),
  lifecycleStage: LifecycleStage,
  deletedAt: Time.nullable().default(null),
  artifactUri: z.string().max(2048).nullable().describe('Where its files are; null: in the place that a run of this server has.'),
  params: Pairs,
  tags: Pairs,
  datasets: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(500),
        digest: z.string().min(1).max(36),
        sourceType: z.string().max(250),
        source: z.string(),
        schema: z.string().nullable(),
        profile: z.string().nullable(),
        tags: ModelPairs,
      }),
    )
    .max(10_000),
  modelInputs: z.array(Id).max(10_000),
  modelOutputs: z.array(z.strictObject({ modelId: Id, step: Whole })).max(10_000),
  series: AllSeries.default([]),
  digest: Digest.nullable().default(null).describe('Given when the run is whole with this request.'),
});
export type ImportRun = z.infer<typeof ImportRun>;

const result = { outcome: ImportOutcome, kept: Kept };

export const importOperations = {
  listImported: operation({
    method: 'POST',
    path: '/import/known',
    tag: 'import',
    summary: 'Which of some things were imported before, and what they were like then.',
    body: z.strictObject({ kind: ImportKind, ids: z.array(z.string().max(300)).max(1000) }),
    response: z.object({ known: z.array(z.object({ id: z.string(), target: z.string().nullable(), digest: z.string().nullable() })) }),
  }),
  finishImport: operation({
    method: 'POST',
    path: '/import/finished',
    tag: 'import',
    summary: 'Note that things were imported whole.',
    body: z.strictObject({ kind: ImportKind, done: z.array(z.strictObject({ id: z.string().max(300), digest: Digest })).max(1000) }),
    response: z.object({}),
  }),
  importExperiment: operation({
    method: 'POST',
    path: '/import/experiments',
    tag: 'import',
    summary: 'Bring an experiment in: under its id when that is free, into the experiment of its name when there is one, else under a new id.',
    body: z.strictObject({
      source: z.string().min(1).max(100).describe('What it is known by elsewhere, such as its id and its creation time: a later import finds it by this.'),
      id: z.string().max(64).describe('The id that it had.'),
      name: z.string().min(1).max(500),
      createdAt: Time,
      updatedAt: Time,
      lifecycleStage: LifecycleStage,
      artifactLocation: z.string().max(2048).nullable().describe('null: in the place that an experiment of this server has.'),
      tags: Pairs,
    }),
    response: z.object({ ...result, experimentId: z.string().nullable().describe('null when it was removed here.') }),
  }),
  importRuns: operation({
    method: 'POST',
    path: '/import/runs',
    tag: 'import',
    summary: 'Bring runs in, each whole or not at all; of one that is here already only what is new, and what was not changed here.',
    maxBody: 64 * 1024 * 1024,
    body: z.strictObject({ runs: z.array(ImportRun).min(1).max(500) }),
    response: z.object({
      results: z.array(
        z.object({
          runId: z.string(),
          outcome: ImportOutcome.or(z.literal('failed')),
          kept: Kept,
          artifactUri: z.string().nullable(),
          points: z.number().int().describe('Points that were not here yet.'),
          problem: z.string().nullable(),
        }),
      ),
    }),
  }),
  importPoints: operation({
    method: 'POST',
    path: '/import/runs/{runId}/points',
    tag: 'import',
    summary: 'Add points to an imported run, a deleted one too; a point that is here already is not added again.',
    params: z.object({ runId: Id }),
    maxBody: 32 * 1024 * 1024,
    body: z.strictObject({ series: AllSeries }),
    response: z.object({ points: z.number().int().describe('Points that were not here yet.') }),
  }),
  importLoggedModel: operation({
    method: 'POST',
    path: '/import/logged-models',
    tag: 'import',
    summary: 'Bring a logged model in.',
    maxBody: 32 * 1024 * 1024,
    body: z.strictObject({
      modelId: Id,
      experimentId: z.string(),
      name: z.string().min(1).max(500),
      modelType: z.string().max(500),
      sourceRunId: z.string().max(256),
      status: z.enum(['LOGGED_MODEL_STATUS_UNSPECIFIED', 'LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED']),
      statusMessage: z.string().max(10_000).nullable(),
      createdAt: Time,
      updatedAt: Time,
      lifecycleStage: LifecycleStage,
      artifactUri: z.string().max(2048).nullable(),
      params: ModelPairs,
      tags: ModelPairs,
    }),
    response: z.object({ ...result, artifactUri: z.string().nullable() }),
  }),
  importModel: operation({
    method: 'POST',
    path: '/import/models',
    tag: 'import',
    summary: 'Bring a registered model in, without its versions.',
    body: z.strictObject({
      name: ModelName,
      description: z.string().max(100_000),
      createdAt: Time,
      updatedAt: Time,
      lastVersion: z.number().int().min(0).max(2_147_483_647).describe('The highest number that a version ever had; none is used twice.'),
      tags: Pairs,
    }),
    response: z.object(result),
  }),
  importVersion: operation({
    method: 'POST',
    path: '/import/versions',
    tag: 'import',
    summary: 'Bring a version in under its number. No gate has looked at it.',
    body: z.strictObject({
      model: ModelName,
      version: Version,
      description: z.string().max(100_000),
      stage: z.enum(['None', 'Staging', 'Production', 'Archived']),
      source: z.string().max(4096),
      runId: z.string().max(255).nullable(),
      runLink: z.string().max(4096).nullable(),
      loggedModelId: Id.nullable(),
      createdAt: Time,
      updatedAt: Time,
      tags: Pairs,
    }),
    response: z.object({ ...result, problem: z.string().nullable().describe('Why its source was not found here; the version is here all the same.') }),
  }),
  importAliases: operation({
    method: 'POST',
    path: '/import/aliases',
    tag: 'import',
    summary: 'Set the aliases of an imported model as they were, without gates. One that a gate policy of this server guards, or that was moved here, stays.',
    body: z.strictObject({
      model: ModelName,
      aliases: z.array(z.strictObject({ alias: z.string().min(1).max(255), version: Version })).max(10_000),
    }),
    response: z.object({ set: z.array(z.string()), removed: z.array(z.string()), kept: Kept, guarded: z.array(z.string()) }),
  }),
};
