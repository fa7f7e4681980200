import type { Lineage, LineageNode } from '@binnacle/contract';
import { notFound } from '../kernel/index.ts';
import type { EndpointDirectory } from './endpoint-directory.port.ts';
import type { RegistryService } from './registry.service.ts';
import type { VersionRecord } from './registry-store.port.ts';
import type { RunDirectory, RunSummary } from './run-directory.port.ts';

/** Versions that a graph shows at most; more would not be read. */
const MAX_VERSIONS = 60;
const url = encodeURIComponent;

export interface LineageViews {
  /** Datasets → runs → versions → endpoints of a model; the newest versions, and those with an alias or an endpoint. */
  lineage(model: string): Promise<Lineage>;
  /** The same of one run: what it was made of, the versions of any model that were made of it, and where they serve. `not_found` for an unknown run. */
  runLineage(runId: string): Promise<Lineage>;
}

export function createLineage(deps: { registry: RegistryService; runs: RunDirectory; endpoints: EndpointDirectory }): LineageViews {
  const { registry, runs } = deps;

  async function addVersion(graph: Graph, version: VersionRecord, endpoints: Awaited<ReturnType<EndpointDirectory['endpointsOf']>>): Promise<void> {
    const id = graph.version(version);
    const run = version.runId === null ? undefined : await runs.run(version.runId);
    if (run !== undefined) graph.edge(graph.run(run), id, 'made');
    for (const { endpoint, versions } of endpoints) if (versions.includes(version.version)) graph.edge(id, graph.endpoint(endpoint), 'serves');
  }

  return {
    async lineage(name) {
      await registry.getModel(name);
      const endpoints = await deps.endpoints.endpointsOf(name);
      const served = new Set(endpoints.flatMap((endpoint) => endpoint.versions));
      const items = await registry.versionsOf(name);
      const shown = items.filter((version, i) => i < MAX_VERSIONS || version.aliases.length > 0 || served.has(version.version));
      const graph = new Graph();
      for (const version of shown) await addVersion(graph, version, endpoints);
      return graph;
    },
    async runLineage(runId) {
      const run = await runs.run(runId);
      if (run === undefined) throw notFound('run_not_found', `There is no run ${JSON.stringify(runId)}.`);
      const graph = new Graph();
      graph.run(run);
      const versions = await registry.versionsOfRun(runId, MAX_VERSIONS);
      for (const model of new Set(versions.map((version) => version.model))) {
        const endpoints = await deps.endpoints.endpointsOf(model);
        for (const version of versions) if (version.model === model) await addVersion(graph, version, endpoints);
      }
      return graph;
    },
  };
}

/** A graph that holds each node and each edge once. */
class Graph implements Lineage {
  readonly nodes: LineageNode[] = [];
  readonly edges: Lineage['edges'] = [];
  readonly #seen = new Set<string>();

  run(run: RunSummary): string {
    const id = this.#node(`run:${run.runId}`, 'run', run.name, run.runId, `/runs/${url(run.runId)}`);
    for (const dataset of run.datasets)
      this.edge(this.#node(`dataset:${dataset.name}:${dataset.digest}`, 'dataset', dataset.name, dataset.digest, null), id, dataset.context ?? 'used by');
    return id;
  }

  version({ model, version, aliases }: VersionRecord): string {
    return this.#node(`version:${model}/${version}`, 'version', `${model} v${version}`, aliases.join(', '), `/models/${url(model)}/versions/${version}`);
  }

  endpoint(name: string): string {
    return this.#node(`endpoint:${name}`, 'endpoint', name, '', `/endpoints/${url(name)}`);
  }

  edge(from: string, to: string, label: string): void {
    if (!this.#seen.has(`${from}→${to}`)) this.edges.push({ from, to, label });
    this.#seen.add(`${from}→${to}`);
  }

  #node(id: string, kind: LineageNode['kind'], label: string, detail: string, href: string | null): string {
    if (!this.#seen.has(id)) this.nodes.push({ id, kind, label, detail, href });
    this.#seen.add(id);
    return id;
  }
}
