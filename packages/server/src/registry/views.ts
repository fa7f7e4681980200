import type { Lineage } from '@binnacle/contract';
import { looseNumber } from '../kernel/index.ts';
import type { ArtifactService } from '../artifacts/index.ts';
import type { EndpointDirectory } from './endpoint-directory.port.ts';
import { MAX_GOLDEN_BYTES, parseGoldenExamples } from './golden.ts';
import type { RegistryService } from './registry.service.ts';
import type { ModelRecord, VersionRecord } from './registry-store.port.ts';
import type { RunDirectory } from './run-directory.port.ts';
import type { ModelVersion, ModelVersionDetail, RegisteredModel } from './types.ts';

/** Versions that a lineage graph shows at most; more would not be read. */
const MAX_LINEAGE = 60;

export interface RegistryViews {
  model(record: ModelRecord): Promise<RegisteredModel>;
  /** Versions of one model, in the order given. */
  versions(records: VersionRecord[]): Promise<ModelVersion[]>;
  detail(record: VersionRecord): Promise<ModelVersionDetail>;
  /** Datasets → runs → versions → endpoints; the newest versions, and those with an alias or an endpoint. */
  lineage(model: string): Promise<Lineage>;
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
    async lineage(name) {
      await registry.getModel(name);
      const endpoints = await deps.endpoints.endpointsOf(name);
      const served = new Set(endpoints.flatMap((endpoint) => endpoint.versions));
      const items = await registry.versionsOf(name);
      const shown = items.filter((version, i) => i < MAX_LINEAGE || version.aliases.length > 0 || served.has(version.version));
      const graph: Lineage = { nodes: [], edges: [] };
      const seen = new Set<string>();
      const node = (id: string, kind: Lineage['nodes'][number]['kind'], label: string, detail: string, href: string | null) => {
        if (!seen.has(id)) graph.nodes.push({ id, kind, label, detail, href });
        seen.add(id);
        return id;
      };
      const edge = (from: string, to: string, label: string) => {
        if (!seen.has(`${from}→${to}`)) graph.edges.push({ from, to, label });
        seen.add(`${from}→${to}`);
      };
      const url = encodeURIComponent;
      for (const version of shown) {
        const id = node(
          `version:${version.version}`,
          'version',
          `${name} v${version.version}`,
          version.aliases.join(', '),
          `/models/${url(name)}/versions/${version.version}`,
        );
        const run = version.runId === null ? undefined : await runs.run(version.runId);
        if (run !== undefined) {
          const runNode = node(`run:${run.runId}`, 'run', run.name, run.runId, `/runs/${url(run.runId)}`);
          edge(runNode, id, 'made');
          for (const dataset of run.datasets)
            edge(node(`dataset:${dataset.name}:${dataset.digest}`, 'dataset', dataset.name, dataset.digest, null), runNode, dataset.context ?? 'used by');
        }
        for (const { endpoint, versions: serving } of endpoints) {
          if (serving.includes(version.version)) edge(id, node(`endpoint:${endpoint}`, 'endpoint', endpoint, '', `/endpoints/${url(endpoint)}`), 'serves');
        }
      }
      return graph;
    },
  };
}
