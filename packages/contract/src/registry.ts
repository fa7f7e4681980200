import { z } from 'zod';
import { FileEntry } from './artifacts.ts';
import { Limit, LooseNumber, PageToken, Signature, Tags, TensorSpec, Timestamp } from './common.ts';
import { operation } from './operation.ts';

export const GateName = z.enum(['signature', 'golden', 'metric', 'latency']);
export type GateName = z.infer<typeof GateName>;

/** What a version must pass before an alias in `aliases` may move to it. A gate that is absent is not run. */
export const GatePolicy = z.strictObject({
  aliases: z.array(z.string()).default(['champion']).describe('Aliases that the policy guards.'),
  signature: z.strictObject({}).optional(),
  golden: z
    .strictObject({
      tolerance: z.number().min(0).default(1e-4).describe('Largest absolute difference; the file’s own tolerance wins when it is smaller.'),
      required: z.boolean().default(true),
    })
    .optional(),
  metric: z
    .strictObject({
      key: z.string().describe('A metric of the run that made the version.'),
      direction: z.enum(['higher', 'lower']).default('higher'),
      margin: z.number().min(0).default(0).describe('How much worse than the champion is still let through.'),
      atLeast: z.number().optional().describe('An absolute bound that holds even with no champion (an upper bound when lower is better).'),
    })
    .optional(),
  latency: z
    .strictObject({ p95Ms: z.number().positive(), rows: z.number().int().min(1).max(10000).default(1), runs: z.number().int().min(5).max(1000).default(50) })
    .optional(),
});
export type GatePolicy = z.infer<typeof GatePolicy>;

export const GateResult = z.object({
  gate: GateName,
  passed: z.boolean(),
  message: z.string().describe('What was checked, the figure, the bound, and by how much it was missed.'),
  measured: LooseNumber.nullable(),
  bound: LooseNumber.nullable(),
});
export type GateResult = z.infer<typeof GateResult>;
export const GateReport = z.object({
  id: z.string(),
  model: z.string(),
  version: z.number().int(),
  alias: z.string().nullable(),
  passed: z.boolean(),
  forced: z.boolean(),
  reason: z.string().nullable(),
  createdAt: Timestamp,
  results: z.array(GateResult),
});
export type GateReport = z.infer<typeof GateReport>;

export const ModelVersion = z.object({
  model: z.string(),
  version: z.number().int(),
  status: z.enum(['PENDING_REGISTRATION', 'FAILED_REGISTRATION', 'READY']),
  statusMessage: z.string(),
  description: z.string(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  runId: z.string().nullable(),
  runName: z.string().nullable(),
  source: z.string(),
  aliases: z.array(z.string()),
  tags: Tags,
  stage: z.string(),
  flavors: z.array(z.string()),
  servable: z.boolean(),
  sizeBytes: z.number().int().nullable(),
  lastGateReport: GateReport.nullable(),
});
export type ModelVersion = z.infer<typeof ModelVersion>;

export const ModelVersionDetail = ModelVersion.extend({
  signature: Signature.nullable(),
  tensors: z
    .object({ inputs: z.array(TensorSpec), outputs: z.array(TensorSpec) })
    .nullable()
    .describe("The ONNX graph's own inputs and outputs."),
  hasProfile: z.boolean(),
  goldenExamples: z.number().int(),
  metrics: z.record(z.string(), LooseNumber).describe('Latest metrics of the run that made it.'),
  files: z.array(FileEntry),
});
export type ModelVersionDetail = z.infer<typeof ModelVersionDetail>;

export const RegisteredModel = z.object({
  name: z.string(),
  description: z.string(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  tags: Tags,
  aliases: z.record(z.string(), z.number().int()),
  latestVersion: z.number().int().nullable(),
  versionCount: z.number().int(),
  endpoints: z.array(z.string()),
  gatePolicy: GatePolicy.nullable(),
});
export type RegisteredModel = z.infer<typeof RegisteredModel>;

export const RemoteProtocol = z.enum(['open-inference', 'open-inference-grpc', 'tensorflow-serving', 'tensorflow-serving-grpc', 'mlflow', 'lambda']);
export type RemoteProtocol = z.infer<typeof RemoteProtocol>;

export const LineageNode = z.object({
  id: z.string(),
  kind: z.enum(['dataset', 'run', 'version', 'endpoint', 'batch']),
  label: z.string(),
  detail: z.string(),
  href: z.string().nullable(),
});
export type LineageNode = z.infer<typeof LineageNode>;
export const Lineage = z.object({ nodes: z.array(LineageNode), edges: z.array(z.object({ from: z.string(), to: z.string(), label: z.string() })) });
export type Lineage = z.infer<typeof Lineage>;

const model = z.object({ model: z.string() });
const version = z.object({ model: z.string(), version: z.coerce.number().int().min(1) });

export const registryOperations = {
  listModels: operation({
    method: 'GET',
    path: '/models',
    tag: 'registry',
    summary: 'Registered models by name.',
    query: z.object({ q: z.string().optional(), limit: Limit(200, 1000), pageToken: PageToken.optional() }),
    response: z.object({ models: z.array(RegisteredModel), nextPageToken: PageToken.optional() }),
  }),
  createModel: operation({
    method: 'POST',
    path: '/models',
    tag: 'registry',
    summary: 'Create a registered model.',
    body: z.strictObject({ name: z.string().min(1).max(256), description: z.string().max(100000).default(''), tags: Tags.default({}) }),
    response: RegisteredModel,
  }),
  getModel: operation({
    method: 'GET',
    path: '/models/{model}',
    tag: 'registry',
    summary: 'A registered model with its versions, newest first.',
    params: model,
    response: RegisteredModel.extend({ versions: z.array(ModelVersion) }),
  }),
  updateModel: operation({
    method: 'PATCH',
    path: '/models/{model}',
    tag: 'registry',
    summary: 'Describe a model or set tags.',
    params: model,
    body: z.strictObject({ description: z.string().max(100000).optional(), tags: Tags.optional() }),
    response: RegisteredModel,
  }),
  deleteModel: operation({
    method: 'DELETE',
    path: '/models/{model}',
    tag: 'registry',
    summary: 'Delete a model and its versions; refused while an endpoint serves it.',
    params: model,
    response: z.object({}),
  }),
  uploadVersion: operation({
    method: 'POST',
    path: '/models/{model}/versions',
    tag: 'registry',
    summary: 'Push an ONNX file (raw body) as a new version; the model is created when it does not exist.',
    params: model,
    rawBody: true,
    query: z.object({ filename: z.string().max(250).default('model.onnx'), description: z.string().max(5000).optional(), runId: z.string().optional() }),
    response: ModelVersionDetail,
  }),
  registerRemote: operation({
    method: 'POST',
    path: '/models/{model}/versions/remote',
    tag: 'registry',
    summary: 'Register a model that another server executes as a new version; the model is created when it does not exist.',
    params: model,
    body: z.strictObject({
      protocol: RemoteProtocol.default('open-inference'),
      url: z.string().max(2048).describe('http(s)://host:port, grpc(s)://host:port, lambda://region.'),
      remoteModel: z.string().max(2048).optional().describe('What that server calls it; the model’s own name by default.'),
      remoteVersion: z.string().max(2048).optional().describe('A version there; what the server picks by default.'),
      token: z
        .string()
        .max(2048)
        .optional()
        .describe('A reference, never the secret: env:BINNACLE_REMOTE_TOKEN…, file:/path in the folder of --remote-secrets.'),
      timeoutMs: z.number().int().min(1).max(86_400_000).optional().describe('Longest time that an answer may take; 60000 by default.'),
      payload: z.enum(['open-inference', 'mlflow']).optional().describe('What a Lambda function is sent.'),
      signature: z.string().max(1_048_576).optional().describe('The text of an MLmodel file whose signature this version has; needed for mlflow and lambda.'),
      description: z.string().max(5000).optional(),
      runId: z.string().optional(),
    }),
    response: ModelVersionDetail,
  }),
  createVersion: operation({
    method: 'POST',
    path: '/models/{model}/versions/from-source',
    tag: 'registry',
    summary: 'Register a logged model or a run’s model folder as a new version.',
    params: model,
    body: z.strictObject({
      source: z.string().describe('models:/m-…, runs:/id/path or an artifact URI.'),
      runId: z.string().optional(),
      description: z.string().max(5000).optional(),
      tags: Tags.default({}),
    }),
    response: ModelVersionDetail,
  }),
  getVersion: operation({
    method: 'GET',
    path: '/models/{model}/versions/{version}',
    tag: 'registry',
    summary: 'One version, whole.',
    params: version,
    response: ModelVersionDetail,
  }),
  updateVersion: operation({
    method: 'PATCH',
    path: '/models/{model}/versions/{version}',
    tag: 'registry',
    summary: 'Describe a version or set tags.',
    params: version,
    body: z.strictObject({ description: z.string().max(100000).optional(), tags: Tags.optional() }),
    response: ModelVersionDetail,
  }),
  deleteVersion: operation({
    method: 'DELETE',
    path: '/models/{model}/versions/{version}',
    tag: 'registry',
    summary: 'Delete a version; refused while an endpoint serves it.',
    params: version,
    response: z.object({}),
  }),
  setAlias: operation({
    method: 'PUT',
    path: '/models/{model}/aliases/{alias}',
    tag: 'registry',
    summary: 'Move an alias; a guarded alias runs the gates first.',
    params: z.object({ model: z.string(), alias: z.string().min(1).max(255) }),
    body: z.strictObject({
      version: z.number().int().min(1),
      force: z.boolean().default(false),
      reason: z.string().max(2000).optional().describe('Required with force; recorded.'),
    }),
    response: z.object({ alias: z.string(), version: z.number().int(), report: GateReport.nullable() }),
  }),
  deleteAlias: operation({
    method: 'DELETE',
    path: '/models/{model}/aliases/{alias}',
    tag: 'registry',
    summary: 'Remove an alias.',
    params: z.object({ model: z.string(), alias: z.string() }),
    response: z.object({}),
  }),
  getGatePolicy: operation({
    method: 'GET',
    path: '/models/{model}/gate-policy',
    tag: 'gates',
    summary: "A model's gate policy, or null.",
    params: model,
    response: z.object({ policy: GatePolicy.nullable() }),
  }),
  setGatePolicy: operation({
    method: 'PUT',
    path: '/models/{model}/gate-policy',
    tag: 'gates',
    summary: 'Set or (with null) remove the gate policy.',
    params: model,
    body: z.strictObject({ policy: GatePolicy.nullable() }),
    response: z.object({ policy: GatePolicy.nullable() }),
  }),
  runGates: operation({
    method: 'POST',
    path: '/models/{model}/versions/{version}/gates',
    tag: 'gates',
    summary: 'Run the gates without moving an alias.',
    params: version,
    body: z.strictObject({ alias: z.string().optional() }),
    response: GateReport,
  }),
  listGateReports: operation({
    method: 'GET',
    path: '/models/{model}/versions/{version}/gates',
    tag: 'gates',
    summary: 'Gate reports of a version, newest first.',
    params: version,
    response: z.object({ reports: z.array(GateReport) }),
  }),
  getLineage: operation({
    method: 'GET',
    path: '/models/{model}/lineage',
    tag: 'registry',
    summary: 'From dataset to endpoint: what made each version and what uses it.',
    params: model,
    response: Lineage,
  }),
  getRunLineage: operation({
    method: 'GET',
    path: '/runs/{runId}/lineage',
    tag: 'registry',
    summary: 'From dataset to endpoint: what a run was made of, the model versions that were made of it, and what serves them.',
    params: z.object({ runId: z.string() }),
    response: Lineage,
  }),
};
