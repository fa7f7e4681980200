import type { TrafficTarget } from '@binnacle/contract';
import { BinnacleApiError } from '@binnacle/sdk';
import { type ConnectFlags, connect } from '../connect.ts';
import { type ConfigFlags, configFrom, hasConfig } from '../config-flags.ts';
import { UsageError } from '../usage.ts';
import { bold, dim, green, print, printJson, yellow } from '../output.ts';
import { parseModelRef } from '../refs.ts';

interface DeployOptions extends ConnectFlags, ConfigFlags {
  endpoint?: string | undefined;
  canary?: number | undefined;
  shadow?: true | undefined;
  json?: true | undefined;
}

export async function deploy(ref: string, options: DeployOptions): Promise<void> {
  if (options.canary !== undefined && (options.canary <= 0 || options.canary >= 100))
    throw new UsageError('--canary takes a percentage between 0 and 100, such as 10%.');
  if (options.canary !== undefined && options.shadow) throw new UsageError('Give either --canary or --shadow.');
  const { model, ...target } = parseModelRef(ref);
  const name = options.endpoint ?? model;
  const { client, url, close } = await connect(options);
  try {
    let traffic: TrafficTarget[] = [{ ...target, weight: 100, shadow: false }];
    const aside = options.canary !== undefined || options.shadow === true;
    const configured = hasConfig(options);
    const current =
      aside || configured
        ? await client.call('getEndpoint', { params: { endpoint: name } }).catch((error: unknown) => {
            if (!(error instanceof BinnacleApiError) || error.status !== 404) throw error;
            if (aside) throw new UsageError(`Endpoint ${name} serves nothing yet; deploy a version without --canary or --shadow first.`);
            return undefined;
          })
        : undefined;
    if (aside && current !== undefined) traffic = beside(current.traffic, target, options.canary);
    const config = configured ? await configFrom(options, current?.config ?? {}) : undefined;
    const endpoint = await client.call('deployEndpoint', { params: { endpoint: name }, body: { model, traffic, ...(config === undefined ? {} : { config }) } });
    if (options.json) return printJson(endpoint);
    print(
      `${endpoint.state === 'ready' ? green('✓') : yellow('!')} endpoint ${bold(endpoint.name)} is ${endpoint.state}${endpoint.message === '' ? '' : `: ${endpoint.message}`}`,
    );
    for (const v of endpoint.versions)
      print(
        `  version ${v.version}  ${v.state}  ${v.shadow ? 'shadow' : `${v.weight} %`}  ${v.tier ?? ''}${v.runMicros === null ? '' : `  ${Math.round(v.runMicros)} µs a run`}${v.error === null ? '' : `  ${v.error}`}`,
      );
    print(
      dim(
        `  POST ${url}/endpoints/${encodeURIComponent(name)}/invocations   POST ${url}/v2/models/${encodeURIComponent(name)}/infer   ${url}/ui/endpoints/${encodeURIComponent(name)}`,
      ),
    );
  } finally {
    await close();
  }
}

/** The new target beside what is served now: a canary takes its share from the others in proportion, a shadow takes none. */
export function beside(current: TrafficTarget[], target: { alias?: string; version?: number }, canary: number | undefined): TrafficTarget[] {
  const same = (t: TrafficTarget) => t.alias === target.alias && t.version === target.version;
  const others = current.filter((t) => !same(t));
  if (canary === undefined) return [...others, { ...target, weight: 0, shadow: true }];
  const total = others.filter((t) => !t.shadow).reduce((sum, t) => sum + t.weight, 0);
  return [
    ...others.map((t) => (t.shadow || total === 0 ? t : { ...t, weight: (t.weight / total) * (100 - canary) })),
    { ...target, weight: canary, shadow: false },
  ];
}
