import type { Endpoint, EndpointDetail, ServedVersion } from '@binnacle/contract';
import { classLabels } from './class-labels.ts';
import type { InferenceStatistics } from './inference-statistics.ts';
import { loggedVersions } from './endpoint-logs.ts';
import type { LiveEndpoint } from './live-endpoint.ts';
import type { LoadedVersion, Runtimes } from './version.ts';
import { allRoutes, heaviest } from './routes.ts';
import { sampleRequests } from './sample.ts';
import type { LatencyStats } from './types.ts';
import type { StatsBucket } from './stats.ts';

/** Seconds that an endpoint's headline figures look back. */
const RECENT_SECONDS = 60;

function servedVersions(endpoint: LiveEndpoint): ServedVersion[] {
  const aliasesOf = (version: number): string[] =>
    Object.entries(endpoint.aliases)
      .filter(([, v]) => v === version)
      .map(([alias]) => alias)
      .sort();
  const verdictOf = (version: number): ServedVersion['canary'] => {
    const verdict = endpoint.verdicts.get(version);
    if (verdict === undefined) return null;
    if (verdict.state === 'waiting') return { state: 'waiting', text: `${verdict.requests} of ${verdict.needed} requests that a judgement needs` };
    return { state: verdict.state, text: verdict.state === 'bad' ? verdict.reasons.join('; ') : 'no worse than the others' };
  };
  const ready = allRoutes(endpoint.routes).map(
    ({ version, weight, shadow, loaded, loadedAt }): ServedVersion => ({
      version,
      state: loaded.loaded.problem === undefined ? 'ready' : 'failed',
      error: loaded.loaded.problem ?? loaded.loaded.shortage ?? null,
      weight,
      shadow,
      aliases: aliasesOf(version),
      canary: shadow ? null : verdictOf(version),
      tier: loaded.tier,
      memoryBytes: loaded.memoryBytes ?? null,
      runMicros: Number.isFinite(loaded.runMicros) ? Math.round(loaded.runMicros * 10) / 10 : null,
      loadedAt,
      queue: { waiting: loaded.queue.waiting, running: loaded.queue.running, ...loaded.queue.merging },
    }),
  );
  const moving = [...endpoint.transitions].map(
    ([version, { state, error, weight, shadow }]): ServedVersion => ({
      version,
      state,
      error,
      weight,
      shadow,
      aliases: aliasesOf(version),
      canary: null,
      tier: null,
      memoryBytes: null,
      runMicros: null,
      loadedAt: null,
      queue: null,
    }),
  );
  return [...ready, ...moving];
}

/** What its record wants may be loaded, and its server have died since; one that lacks a part of what it should have is ready, and says so. */
function stateOf(endpoint: LiveEndpoint): Pick<Endpoint, 'state' | 'message'> {
  const models = allRoutes(endpoint.routes).map(({ loaded }) => loaded.loaded);
  if (endpoint.state !== 'ready') return { state: endpoint.state, message: endpoint.message };
  const problem = models.find((model) => model.problem !== undefined)?.problem;
  if (problem !== undefined) return { state: 'degraded', message: problem };
  return { state: 'ready', message: models.find((model) => model.shortage !== undefined)?.shortage ?? endpoint.message };
}

/** An endpoint as the native API shows it. */
export function endpointView(endpoint: LiveEndpoint, now: number): Endpoint {
  const { name, model, description, createdAt, updatedAt, revision, traffic } = endpoint.record;
  const { state, message } = stateOf(endpoint);
  return {
    name,
    model,
    description,
    createdAt,
    updatedAt,
    revision,
    state,
    message,
    traffic,
    config: endpoint.record.config,
    source: endpoint.mounted ? 'repository' : 'registry',
    versions: servedVersions(endpoint),
    stats: endpoint.stats.recent(now, RECENT_SECONDS),
  };
}

export function endpointDetail(endpoint: LiveEndpoint, runtimes: Runtimes, now: number): EndpointDetail {
  const main = endpoint.routes === undefined ? undefined : heaviest(endpoint.routes.live)?.loaded;
  return {
    ...endpointView(endpoint, now),
    signature: main?.pkg.signature ?? null,
    tensors: main === undefined ? null : { inputs: main.inputs, outputs: main.outputs },
    labels: main === undefined ? {} : shownLabels(main),
    sample: main === undefined ? null : sampleRequests(main, main.sample),
    logged: loggedVersions(endpoint, runtimes),
  };
}

/** More than these are of use to nobody who looks at a page. */
const MAX_SHOWN_LABELS = 1000;

const shownLabels = ({ pkg, outputs }: LoadedVersion): Record<string, string[]> =>
  Object.fromEntries(
    outputs.flatMap(({ name }) => {
      const labels = classLabels(pkg, name);
      return labels === undefined || labels.length > MAX_SHOWN_LABELS ? [] : [[name, labels]];
    }),
  );

export interface EndpointStats {
  total: LatencyStats;
  buckets: StatsBucket[];
  failures: Record<string, number>;
  shadowsDropped: number;
  cache: { entries: number; bytes: number } | null;
  byVersion: VersionStats[];
}
interface VersionStats {
  version: number;
  shadow: boolean;
  stats: LatencyStats;
  failures: Record<string, number>;
  cacheHits: number;
  cacheMisses: number;
  queueMicros: number | null;
  batches: { rows: number; runs: number; meanMicros: number }[];
}

/** What the endpoint's page shows live. */
export function endpointStats(endpoint: LiveEndpoint, now: number): EndpointStats {
  const { cache } = endpoint.policy;
  return {
    total: endpoint.stats.total(now),
    buckets: endpoint.stats.buckets(now),
    failures: Object.fromEntries(endpoint.failures),
    shadowsDropped: endpoint.shadows.dropped,
    cache: cache === undefined ? null : { entries: cache.entries, bytes: cache.bytes },
    byVersion: endpoint.statsByVersion().map(({ version, shadow, stats, inference }) => ({ version, shadow, stats: stats.total(now), ...countsOf(inference) })),
  };
}

function countsOf(inference: InferenceStatistics): Omit<VersionStats, 'version' | 'shadow' | 'stats'> {
  const queued = inference.success - inference.cacheHits;
  return {
    failures: Object.fromEntries(inference.failures),
    cacheHits: inference.cacheHits,
    cacheMisses: inference.cacheMisses,
    queueMicros: queued === 0 ? null : Math.round(inference.queueMicros / queued),
    batches: [...inference.batches]
      .map(([rows, { runs, inferMicros }]) => ({ rows, runs, meanMicros: Math.round(inferMicros / runs) }))
      .sort((a, b) => a.rows - b.rows),
  };
}
