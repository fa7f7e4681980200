import { BinnacleError, notFound, unavailable } from '../kernel/index.ts';
import type { Trials } from './canary/trials.ts';
import { outputColumns } from './columns.ts';
import type { LiveEndpoint } from './live-endpoint.ts';
import { newTiming, type RunTiming } from './model-runtime.port.ts';
import { placeOf } from './routing-key.ts';
import { releaser } from './release.ts';
import type { PredictionSink } from './prediction-sink.port.ts';
import type { Route, Routes } from './routes.ts';
import { copyOf, type Tensor } from './tensor.ts';
import type { Column } from '../tables/index.ts';
import { pickByWeight } from './traffic.ts';
import type { InferReply, InferRequest } from './types.ts';

export interface InferDeps {
  endpoints: ReadonlyMap<string, LiveEndpoint>;
  sink: PredictionSink;
  now(): number;
  random(): number;
}

/** One request through an endpoint. Nothing is awaited between the choice of a version and the run, so that a swap cannot come between. */
export async function infer(deps: InferDeps, request: InferRequest): Promise<InferReply> {
  const endpoint = deps.endpoints.get(request.endpoint);
  if (endpoint === undefined) throw unknownEndpoint(request.endpoint);
  let route: Route | undefined;
  try {
    const { routes, policy } = endpoint;
    const overRate = policy.limits.overRate();
    if (overRate !== undefined) throw overRate;
    route = chooseRoute(endpoint, request.version, (live) =>
      live.length === 1 ? live[0] : pickByWeight(live, placeOf(request, endpoint.record.config.routing) ?? deps.random()),
    );
    const { loaded } = route;
    const inputs = typeof request.inputs === 'function' ? request.inputs(loaded) : request.inputs;
    const call = request.call ?? { timing: newTiming() };
    const timing = (call.timing ??= newTiming());
    const outputs = await loaded.run(inputs, request.outputs, call);
    const chosen = route;
    return {
      version: loaded,
      outputs,
      timing,
      finish: () => finish(deps, endpoint, routes, chosen, request, inputs, outputs, timing),
      release: releaser(inputs, outputs),
    };
  } catch (error) {
    recordRefusal(deps, request, error, route);
    if (route !== undefined && onTrial(request) && !NOT_THE_VERSIONS.has(codeOf(error))) {
      const now = deps.now();
      endpoint.trials?.of(route.version, now).stats.recordError(now);
    }
    throw error;
  }
}

/** Failures that say nothing of the version: the client's patience, and limits that the endpoint's targets share. */
const NOT_THE_VERSIONS: ReadonlySet<string> = new Set(['cancelled', 'queue_timeout', 'queue_full', 'rate_limited']);
/** Who asks for a version may ask otherwise than others do: only what the traffic's weights chose is compared. */
const onTrial = (request: Pick<InferRequest, 'version'>): boolean => request.version === undefined;

const codeOf = (error: unknown): string => (error instanceof BinnacleError ? error.code : 'internal');

/** Counts a request that got an error, wherever on its way; one for an endpoint that does not exist counts nowhere. */
export function recordRefusal(deps: InferDeps, request: Pick<InferRequest, 'endpoint' | 'receivedAt' | 'startedAt'>, error: unknown, route?: Route): void {
  const endpoint = deps.endpoints.get(request.endpoint);
  if (endpoint === undefined) return;
  const now = deps.now();
  endpoint.stats.recordError(now);
  route?.stats.recordError(now);
  const code = codeOf(error);
  endpoint.failures.set(code, (endpoint.failures.get(code) ?? 0) + 1);
  const latencyMs = performance.now() - request.startedAt;
  route?.inference.failed(code, latencyMs * 1000);
  deps.sink.recordFailure({
    endpoint: request.endpoint,
    model: endpoint.record.model,
    version: route?.version ?? null,
    at: request.receivedAt,
    latencyMs,
    code,
  });
}

/** The text is Triton's; clients test for it. */
export const unknownEndpoint = (name: string, version?: number): BinnacleError =>
  notFound('endpoint_not_found', `Request for unknown model: '${name}'${version === undefined ? '' : ` version ${version}`} is not found`, {
    details: { endpoint: name },
  });

/** By weight, or the pinned version when it is served; `pick` chooses among the live targets. Throws `not_found` or `unavailable`. */
export function chooseRoute(endpoint: LiveEndpoint, version: number | undefined, pick: (routes: readonly Route[]) => Route | undefined): Route {
  const { routes } = endpoint;
  if (routes === undefined) {
    const why = endpoint.message === '' ? 'it is being loaded' : endpoint.message;
    throw unavailable('endpoint_not_ready', `Request for unknown model: '${endpoint.record.name}' has no available versions (${why})`, {
      retryAfterSeconds: 1,
    });
  }
  const route =
    version === undefined ? pick(routes.live) : (routes.live.find((r) => r.version === version) ?? routes.shadows.find((r) => r.version === version));
  if (route === undefined) throw unknownEndpoint(endpoint.record.name, version);
  return route;
}

function finish(
  deps: InferDeps,
  endpoint: LiveEndpoint,
  routes: Routes | undefined,
  route: Route,
  request: InferRequest,
  inputs: Tensor[],
  outputs: Tensor[],
  timing: RunTiming,
): Promise<void> | undefined {
  const latencyMs = performance.now() - request.startedAt;
  const rows = inputs[0]?.shape[0] ?? 1;
  const now = deps.now();
  endpoint.stats.record(now, latencyMs, rows);
  route.stats.record(now, latencyMs, rows);
  route.inference.answered(now, rows, latencyMs * 1000, timing);
  if (endpoint.trials !== undefined && onTrial(request) && timing.cache !== 'hit') recordTrial(endpoint.trials, route, now, timing, rows, outputs);
  const { monitoringSample } = endpoint.policy;
  if (monitoringSample >= 1 || deps.random() < monitoringSample) {
    const weight = monitoringSample >= 1 ? 1 : weightOf(monitoringSample, deps.random());
    record(deps.sink, request, route, featuresOf(route, inputs, rows), outputs, rows, latencyMs, weight);
  } else {
    const { receivedAt: at } = request;
    deps.sink.recordCount({
      endpoint: request.endpoint,
      model: route.loaded.model,
      version: route.version,
      at,
      latencyMs,
      rows: monitoringSample <= 0 ? rows : 0,
    });
  }
  if (routes === undefined || routes.shadows.length === 0 || request.version !== undefined) return undefined;
  const shadows = routes.shadows.filter((shadow) => shadow.loaded.shared !== route.loaded.shared);
  if (shadows.length === 0) return undefined;
  const bytes = bytesOf(inputs);
  if (request.copyForShadows === true) {
    const own = inputs.map(copyOf);
    for (const shadow of shadows) void endpoint.shadows.push(() => runShadow(deps, shadow, { ...request, inputs: own }, own), bytes);
    return undefined;
  }
  return Promise.all(shadows.map((shadow) => endpoint.shadows.push(() => runShadow(deps, shadow, request, inputs), bytes))).then(() => undefined);
}

/** By the time that the version took: how slowly a client sends its body is not its doing, nor what another's answer in the cache saved. */
function recordTrial(trials: Trials, route: Route, now: number, { queue, input, infer: run, output }: RunTiming, rows: number, outputs: Tensor[]): void {
  const trial = trials.of(route.version, now);
  trial.stats.record(now, (queue + input + run + output) / 1000, rows);
  if (trials.guard.driftDistance !== undefined) trial.outputs.add(now, outputColumns(outputs, rows));
}

/** Requests that one of a sample stands for: whole, because they are counts, and right on average. `random` is uniform in [0,1). */
const weightOf = (sample: number, random: number): number => Math.floor(1 / sample + random);

function record(
  sink: PredictionSink,
  request: InferRequest,
  route: Route,
  features: Column[],
  outputs: Tensor[],
  rows: number,
  latencyMs: number,
  weight: number,
): void {
  sink.record({
    endpoint: request.endpoint,
    model: route.loaded.model,
    version: route.version,
    source: 'live',
    shadow: route.shadow,
    requestId: request.requestId,
    receivedAt: request.receivedAt,
    eventTime: request.eventTime ?? request.receivedAt,
    latencyMs,
    rows,
    features,
    outputs: outputColumns(outputs, rows),
    ...(weight === 1 ? {} : { weight }),
  });
}

/** The inputs as columns that own their memory: a body's buffer is used again for the next request. */
function featuresOf(route: Route, inputs: Tensor[], rows: number): Column[] {
  const out: Column[] = [];
  for (const column of route.loaded.plan.toColumns(inputs)) {
    if (column.values.length !== rows) continue;
    const { values } = column;
    if (Array.isArray(values) || values.buffer.byteLength === values.byteLength) out.push(column);
    else out.push({ name: column.name, values: rows === 1 ? [values[0] as number] : values.slice() });
  }
  return out;
}

const bytesOf = (inputs: readonly Tensor[]): number =>
  inputs.reduce((sum, { data }) => sum + (Array.isArray(data) ? data.reduce((length, text) => length + text.length, 0) : data.byteLength), 0);

/** A shadow's answer is measured and logged, never sent; its failure is the shadow's own. */
async function runShadow(deps: InferDeps, route: Route, request: InferRequest, inputs: Tensor[]): Promise<void> {
  const startedAt = performance.now();
  try {
    // Another version may be fed differently: let it make its own tensors where it can.
    const own = typeof request.inputs === 'function' ? request.inputs(route.loaded) : inputs;
    const timing = newTiming();
    const outputs = await route.loaded.run(own, undefined, { timing });
    const latencyMs = performance.now() - startedAt;
    const rows = own[0]?.shape[0] ?? 1;
    const now = deps.now();
    route.stats.record(now, latencyMs, rows);
    route.inference.answered(now, rows, latencyMs * 1000, timing);
    record(deps.sink, request, route, featuresOf(route, own, rows), outputs, rows, latencyMs, 1);
  } catch (error) {
    const code = codeOf(error);
    // Released while the copy waited for its turn: no fault of the version's.
    if (code === 'model_closed') return;
    route.stats.recordError(deps.now());
    route.inference.failed(code, (performance.now() - startedAt) * 1000);
  }
}
