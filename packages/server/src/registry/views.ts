import { looseNumber } from '../kernel/index.ts';
import type { ArtifactService } from '../artifacts/index.ts';
import type { EndpointDirectory } from './endpoint-directory.port.ts';
import { MAX_GOLDEN_BYTES, parseGoldenExamples } from './golden.ts';
import { createLineage, type LineageViews } from './lineage.ts';
import type { RegistryService } from './registry.service.ts';
import type { ModelRecord, VersionRecord } from './registry-store.port.ts';
import type { RunDirectory } from './run-directory.port.ts';
import type { ModelVersion, ModelVersionDetail, RegisteredModel } from './types.ts';

export interface RegistryViews extends LineageViews {
  model(record: ModelRecord): Promise<RegisteredModel>;
  /** Versions of one model, in the order given. */
  versions(records: VersionRecord[]): Promise<ModelVersion[]>;
  detail(record: VersionRecord): Promise<ModelVersionDetail>;
}

/** The registry's records as the native API shows them, joined with runs, endpoints and gate reports. */
export function createRegistryViews(deps: {
  registry: RegistryService;
  runs: RunDirectory;
  endpoints: EndpointDirectory;
  artifacts: ArtifactService;
}): RegistryViews {
  const { registry, runs } = deps;

  async function versions(records: VersionRecord[]): Promise<ModelVersion[]> {
    const [first] = records;
    if (first === undefined) return [];
    const reports = await registry.lastGateReports(
      first.model,
      records.map(({ version }) => version),
    );
    const names = new Map<string, string | null>();
    for (const runId of new Set(records.map((record) => record.runId))) if (runId !== null) names.set(runId, (await runs.run(runId))?.name ?? null);
    return records.map((record) => ({
      model: record.model,
      version: record.version,
      status: 'READY',
      statusMessage: record.statusMessage,
      description: record.description,
      createdAt: record.createdAt,
      updatedAt: record.updatedAt,
      runId: record.runId,
      runName: record.runId === null ? null : (names.get(record.runId) ?? null),
      source: record.source,
      aliases: record.aliases,
      tags: record.tags,
      stage: record.stage,
      flavors: record.flavors,
      servable: record.servable,
      sizeBytes: record.sizeBytes,
      lastGateReport: reports[record.version] ?? null,
    }));
  }

  async function goldenCount(record: VersionRecord): Promise<number> {
    const path = await registry.findCompanion(record, 'golden.json');
    if (path === null) return 0;
    try {
      return parseGoldenExamples((await deps.artifacts.readText(path, MAX_GOLDEN_BYTES)) ?? '').examples.length;
    } catch {
      // A broken file is the gate's to report; a page that lists versions must not fail for it.
      return 0;
    }
  }

  return {
    versions,
    async model(record) {
      const endpoints = await deps.endpoints.endpointsOf(record.name);
      return {
        name: record.name,
        description: record.description,
        createdAt: record.createdAt,
        updatedAt: record.updatedAt,
        tags: record.tags,
        aliases: record.aliases,
        latestVersion: record.latestVersion,
        versionCount: record.versionCount,
        endpoints: endpoints.map(({ endpoint }) => endpoint),
        gatePolicy: record.gatePolicy,
      };
    },
    async detail(record) {
      const [version] = await versions([record]);
      const metrics = record.runId === null ? {} : await runs.metrics(record.runId);
      const folder = record.storagePath;
      const files = folder === null ? [] : await deps.artifacts.listFiles(folder, 1000);
      return {
        ...(version as ModelVersion),
        signature: record.signature,
        tensors: record.tensors,
        hasProfile: (await registry.findCompanion(record, 'profile.json', 'training.parquet', 'training.csv')) !== null,
        goldenExamples: await goldenCount(record),
        metrics: Object.fromEntries(Object.entries(metrics).map(([key, value]) => [key, looseNumber(value)])),
        files: files.map(({ path, isDirectory, size }) => ({ path: path.slice((folder?.length ?? 0) + 1), isDirectory, size })),
      };
    },
    ...createLineage(deps),
  };
}
