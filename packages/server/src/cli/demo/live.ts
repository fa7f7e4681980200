import { setTimeout as sleep } from 'node:timers/promises';
import { BinnacleApiError } from '@binnacle/sdk';
import { count, progressBar } from '../output.ts';
import { type DemoContext, LIVE, NAME } from './context.ts';
import { encode, type LiveRequest, truth } from './flights.ts';
import { findExperiment, setExperimentTag } from './runs.ts';

/** Tag of the experiment: the figures of the replay as JSON, written once every request and every label is in. */
const REPLAY_TAG = 'binnacle.demo.replay';
/** Requests in flight at a time. */
const CONCURRENCY = 8;
const ATTEMPTS = 5;

/** What the client saw. */
export interface LiveFigures {
  requests: number;
  instances: number;
  labels: number;
  concurrency: number;
  seconds: number;
  requestsPerSecond: number;
  instancesPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Requests that an earlier start had sent before it was cut off; the other figures leave them out. */
  sentBefore: number;
}

export async function readFigures(context: DemoContext): Promise<LiveFigures | undefined> {
  const tag = (await findExperiment(context))?.tags[REPLAY_TAG];
  return tag === undefined ? undefined : (JSON.parse(tag) as LiveFigures);
}

/** Sends the requests with their own event times, then the labels, and remembers the figures. `load` is asked only when there is something to send. */
export async function replayLive(context: DemoContext, load: () => Promise<LiveRequest[]>): Promise<LiveFigures> {
  const bar = progressBar('live requests');
  const known = await readFigures(context);
  if (known !== undefined) {
    bar.end(`already there: ${count(known.requests + known.sentBefore)} requests, ${count(known.labels)} labels`);
    return known;
  }
  bar.update(0, null, 'reading the flights');
  const logged = await loggedRows(context);
  const { all, pending: requests } = resume(await load(), logged);
  const latencies = new Float64Array(requests.length);
  const instances = requests.reduce((sum, request) => sum + request.flights.length, 0);
  const started = performance.now();
  let next = 0;
  let done = 0;
  const worker = async () => {
    for (let i = next++; i < requests.length; i = next++) {
      const request = requests[i] as LiveRequest;
      latencies[i] = await send(context, request);
      bar.update(++done, requests.length, new Date(request.time).toISOString().slice(0, 10));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  const seconds = (performance.now() - started) / 1000;
  const [p50Ms, p99Ms] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
  bar.end(
    `${count(requests.length)} requests, ${count(instances)} flights, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms${logged.size === 0 ? '' : `, ${count(all.length - requests.length)} sent before`}`,
  );

  const labels = await sendTruth(context, all);
  const figures: LiveFigures = {
    requests: requests.length,
    instances,
    labels,
    concurrency: CONCURRENCY,
    seconds,
    requestsPerSecond: seconds === 0 ? 0 : requests.length / seconds,
    instancesPerSecond: seconds === 0 ? 0 : instances / seconds,
    p50Ms,
    p99Ms,
    sentBefore: all.length - requests.length,
  };
  const experiment = await findExperiment(context);
  if (experiment !== undefined) await setExperimentTag(context, experiment.id, REPLAY_TAG, JSON.stringify(figures));
  return figures;
}

/** Rows in the prediction log by request: more than none when an earlier start was cut off. */
async function loggedRows(context: DemoContext): Promise<Map<string, number>> {
  const rows = new Map<string, number>();
  const { predictions } = await context.client.call('getMonitor', { params: { endpoint: NAME } });
  if (predictions === 0) return rows;
  for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
    const page: { predictions: { predictionId: string }[]; nextPageToken?: string | undefined } = await context.client.call('listPredictions', {
      params: { endpoint: NAME },
      query: { from: LIVE.from, to: LIVE.to, limit: 1000, ...(pageToken === '' ? {} : { pageToken }) },
    });
    for (const { predictionId } of page.predictions) {
      const id = predictionId.slice(0, predictionId.lastIndexOf(':'));
      rows.set(id, (rows.get(id) ?? 0) + 1);
    }
    pageToken = page.nextPageToken === '' ? undefined : page.nextPageToken;
  }
  return rows;
}

/**
 * What is left to send, given the rows that are in the log. The log is written in order, so a request that a crash cut in two has its first
 * rows there: the others go out as a request of their own. `all` is every request under the id that its predictions have.
 */
export function resume(requests: LiveRequest[], logged: Map<string, number>): { all: LiveRequest[]; pending: LiveRequest[] } {
  const all: LiveRequest[] = [];
  const pending: LiveRequest[] = [];
  const place = (request: LiveRequest): void => {
    const rows = Math.min(logged.get(request.id) ?? 0, request.flights.length);
    if (rows === 0) pending.push(request);
    if (rows === 0 || rows === request.flights.length) return void all.push(request);
    all.push({ ...request, flights: request.flights.slice(0, rows) });
    place({ ...request, id: `${request.id}-rest`, flights: request.flights.slice(rows) });
  };
  for (const request of requests) place(request);
  return { all, pending };
}

/** One request, to its last byte; milliseconds. A server that is too busy is asked again when it says. */
async function send(context: DemoContext, request: LiveRequest): Promise<number> {
  const { path, body } = encode(request);
  const headers = { 'content-type': 'application/json', 'x-request-id': request.id, 'x-binnacle-event-time': String(request.time) };
  for (let attempt = 1; ; attempt++) {
    const started = performance.now();
    try {
      const reply = await context.client.request(path, { method: 'POST', headers, body });
      await reply.arrayBuffer();
      return performance.now() - started;
    } catch (error) {
      const busy = error instanceof BinnacleApiError && (error.status === 429 || error.status === 503);
      if (!busy || attempt === ATTEMPTS) throw error;
      await sleep((error.retryAfter ?? 1) * 1000);
    }
  }
}

/** Every label, a week a call. Sending one again replaces it, so a start that was cut off here begins anew. */
async function sendTruth(context: DemoContext, requests: LiveRequest[]): Promise<number> {
  const bar = progressBar('ground truth');
  const labels = requests.flatMap(truth);
  const size = 10_000;
  let matched = 0;
  for (let i = 0; i < labels.length; i += size) {
    const reply = await context.client.call('sendGroundTruth', { params: { endpoint: NAME }, body: { labels: labels.slice(i, i + size) } });
    matched += reply.matched;
    bar.update(i + size, labels.length);
  }
  bar.end(`${count(labels.length)} labels, sent after the fact, ${count(matched)} joined with their predictions`);
  return labels.length;
}

/** The value below which `share` of them lie (nearest rank); 0 of none. */
export function percentile(values: Float64Array, share: number): number {
  const sorted = values.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? 0;
}
