import type { EndpointChange, TrafficTarget } from '@binnacle/contract';
import { type ConnectFlags, connect } from '../connect.ts';
import { type ConfigFlags, configFrom, hasConfig } from '../config-flags.ts';
import { bold, dim, formatTable, green, print, printJson, yellow } from '../output.ts';

type Flags = ConnectFlags & { json?: true | undefined };

const share = ({ alias, version, weight, shadow }: TrafficTarget): string =>
  `${alias === undefined ? `v${version}` : `@${alias}`} ${shadow ? 'shadow' : `${weight} %`}`;
const KINDS: Record<EndpointChange['kind'], string> = { deployed: 'deployed', rolled_back: 'rolled back', loaded: 'loaded', unloaded: 'unloaded' };

export async function history(name: string, options: Flags): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const { changes } = await client.call('listEndpointChanges', { params: { endpoint: name }, query: { limit: 50 } });
    if (options.json) return printJson(changes);
    print(
      formatTable(changes, [
        { title: 'REVISION', align: 'right', value: ({ revision }) => String(revision) },
        { title: 'WHEN', value: ({ at }) => new Date(at).toISOString().replace('T', ' ').slice(0, 19) },
        { title: 'WHAT', value: ({ kind }) => KINDS[kind] },
        { title: 'TRAFFIC', value: ({ traffic }) => traffic.map(share).join(', ') },
        { title: 'WHY', value: ({ reason }) => reason },
      ]),
    );
  } finally {
    await close();
  }
}

export async function rollBack(name: string, options: Flags & { revision?: number | undefined; reason?: string | undefined }): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const endpoint = await client.call('rollBackEndpoint', { params: { endpoint: name }, body: { revision: options.revision, reason: options.reason } });
    if (options.json) return printJson(endpoint);
    print(`${green('✓')} endpoint ${bold(name)} serves ${endpoint.traffic.map(share).join(', ')} again`);
  } finally {
    await close();
  }
}

export const load = (name: string, options: Flags): Promise<void> => switchTo('loadEndpoint', name, options);
export const unload = (name: string, options: Flags): Promise<void> => switchTo('unloadEndpoint', name, options);

async function switchTo(operation: 'loadEndpoint' | 'unloadEndpoint', name: string, options: Flags): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const endpoint = await client.call(operation, { params: { endpoint: name } });
    if (options.json) return printJson(endpoint);
    const good = endpoint.state === (operation === 'loadEndpoint' ? 'ready' : 'unloaded');
    print(`${good ? green('✓') : yellow('!')} endpoint ${bold(name)} is ${endpoint.state}${good || endpoint.message === '' ? '' : `: ${endpoint.message}`}`);
  } finally {
    await close();
  }
}

/** Shows the configuration, or changes it and leaves the traffic as it is. */
export async function config(name: string, options: Flags & ConfigFlags): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const before = await client.call('getEndpoint', { params: { endpoint: name } });
    let { config: shown } = before;
    if (hasConfig(options)) {
      const body = { model: before.model, traffic: before.traffic, config: await configFrom(options, before.config) };
      const after = await client.call('deployEndpoint', { params: { endpoint: name }, body });
      ({ config: shown } = after);
      if (!options.json)
        print(
          `${after.state === 'ready' ? green('✓') : yellow('!')} endpoint ${bold(name)} is ${after.state}${after.message === '' ? '' : `: ${after.message}`}`,
        );
    }
    if (options.json) return printJson(shown);
    if (Object.keys(shown).length === 0) print(dim('All defaults. Set one: npx binnacle endpoints config NAME --set batching.maxQueueDelayMicros=500'));
    else print(JSON.stringify(shown, null, 2));
  } finally {
    await close();
  }
}
