import { setTimeout as sleep } from 'node:timers/promises';
import type { EndpointDetail, MonitorConfig } from '@binnacle/contract';
import { BinnacleApiError } from '@binnacle/sdk';
import { progressBar } from '../output.ts';
import { ALIAS, type DemoContext, NAME, WEEK_MS } from './context.ts';

export const MONITOR: Partial<MonitorConfig> = {
  // A day drifts by its weekday alone (JS 0.83 of the weekday); whole weeks are alike.
  windowSeconds: WEEK_MS / 1000,
  // Calendar features move with the calendar, not with the data.
  excludedFeatures: ['dep_hour', 'day_of_week'],
  // A weekly window is long, so the first one that drifts raises the alarm; the default of two would take a fortnight.
  consecutiveWindows: 1,
  positiveLabel: 1,
  labelOutput: 'label',
  scoreOutput: 'probabilities[1]',
};

/** Deploys the endpoint that follows `champion` and configures its monitor; an endpoint that is there keeps what it has. */
export async function deploy(context: DemoContext): Promise<EndpointDetail> {
  const { client } = context;
  const bar = progressBar('endpoint');
  let endpoint = await findEndpoint(context);
  const fresh = endpoint === undefined;
  endpoint ??= await client.call('deployEndpoint', {
    params: { endpoint: NAME },
    body: { model: NAME, traffic: [{ alias: ALIAS }], description: 'Follows champion: a promotion swaps the version without a failed request.' },
  });
  // After a start the models load beside the open port.
  for (let i = 0; endpoint.state === 'loading' && i < 600; i++) {
    await sleep(100);
    endpoint = await client.call('getEndpoint', { params: { endpoint: NAME } });
  }
  const { config } = await client.call('getMonitor', { params: { endpoint: NAME } });
  // A start that was cut off between the two calls left the default window of a day; a person's own choice is kept.
  if (fresh || config.windowSeconds === 86_400) await client.call('setMonitorConfig', { params: { endpoint: NAME }, body: MONITOR });
  const [served] = endpoint.versions;
  const state = endpoint.state === 'ready' ? '' : ` is ${endpoint.state}: ${endpoint.message}`;
  bar.end(
    `${fresh ? '' : 'already there: '}${NAME}@${ALIAS}${served === undefined ? '' : ` = version ${served.version}, ${served.tier ?? 'not loaded'}${served.runMicros === null ? '' : `, ${Math.round(served.runMicros)} µs a run`}`}${state}`,
  );
  return endpoint;
}

export async function findEndpoint(context: DemoContext): Promise<EndpointDetail | undefined> {
  try {
    return await context.client.call('getEndpoint', { params: { endpoint: NAME } });
  } catch (error) {
    if (error instanceof BinnacleApiError && error.status === 404) return undefined;
    throw error;
  }
}
