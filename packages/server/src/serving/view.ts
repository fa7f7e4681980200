import type { Endpoint, EndpointDetail, ServedVersion } from '@binnacle/contract';
import { heaviest } from './infer.ts';
import type { LiveEndpoint } from './live-endpoint.ts';
import { allRoutes } from './routes.ts';
import { sampleRequests } from './sample.ts';

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
      error: loaded.loaded.problem ?? null,
      weight,
      shadow,
      aliases: aliasesOf(version),
      canary: shadow ? null : verdictOf(version),
      tier: loaded.tier,
      memoryBytes: loaded.memoryBytes ?? null,
      runMicros: Number.isFinite(loaded.runMicros) ? Math.round(loaded.runMicros * 10) / 10 : null,
      loadedAt,
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
    }),
  );
  return [...ready, ...moving];
}

/** What its record wants may be loaded, and its server have died since. */
function stateOf(endpoint: LiveEndpoint): Pick<Endpoint, 'state' | 'message'> {
  const problem = allRoutes(endpoint.routes).find(({ loaded }) => loaded.loaded.problem !== undefined)?.loaded.loaded.problem;
  if (problem === undefined || endpoint.state !== 'ready') return { state: endpoint.state, message: endpoint.message };
  return { state: 'degraded', message: problem };
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
    source: 'registry',
    versions: servedVersions(endpoint),
    stats: endpoint.stats.recent(now, RECENT_SECONDS),
  };
}

export function endpointDetail(endpoint: LiveEndpoint, now: number): EndpointDetail {
  const main = endpoint.routes === undefined ? undefined : heaviest(endpoint.routes.live)?.loaded;
  return {
    ...endpointView(endpoint, now),
    signature: main?.pkg.signature ?? null,
    tensors: main === undefined ? null : { inputs: main.inputs, outputs: main.outputs },
    sample: main === undefined ? null : sampleRequests(main, main.sample),
  };
}
