import { type ConnectFlags, connect } from '../connect.ts';
import { bold, count, dim, formatTable, green, print, printJson } from '../output.ts';

type Flags = ConnectFlags & { json?: true | undefined };
const ms = (value: number | null): string => (value === null ? '' : value < 10 ? value.toFixed(2) : value.toFixed(0));

export async function list(options: Flags): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const { endpoints } = await client.call('listEndpoints');
    if (options.json) return printJson(endpoints);
    if (endpoints.length === 0) return print(dim('No endpoints. Deploy one: npx binnacle deploy my-model@champion --endpoint my-model'));
    print(
      formatTable(endpoints, [
        { title: 'ENDPOINT', value: (e) => e.name },
        { title: 'MODEL', value: (e) => e.model },
        { title: 'STATE', value: (e) => e.state },
        {
          title: 'TRAFFIC',
          value: (e) =>
            e.versions
              .filter((v) => !v.shadow)
              .map((v) => `v${v.version} ${v.weight} %`)
              .join(', '),
        },
        { title: 'REQUESTS', align: 'right', value: (e) => count(e.stats.requests) },
        { title: 'P50 MS', align: 'right', value: (e) => ms(e.stats.p50Ms) },
        { title: 'P99 MS', align: 'right', value: (e) => ms(e.stats.p99Ms) },
        { title: 'ERRORS', align: 'right', value: (e) => count(e.stats.errors) },
      ]),
    );
  } finally {
    await close();
  }
}

export async function show(name: string, options: Flags): Promise<void> {
  const { client, url, close } = await connect(options);
  try {
    const endpoint = await client.call('getEndpoint', { params: { endpoint: name } });
    if (options.json) return printJson(endpoint);
    print(`${bold(endpoint.name)} serves ${endpoint.model}, ${endpoint.state}${endpoint.message === '' ? '' : `: ${endpoint.message}`}`);
    for (const v of endpoint.versions)
      print(
        `  version ${v.version}  ${[
          v.state,
          v.shadow ? 'shadow' : `${v.weight} %`,
          v.aliases.join(' '),
          v.tier ?? '',
          v.runMicros === null ? '' : `${Math.round(v.runMicros)} µs a run`,
          v.memoryBytes === null ? '' : `${Math.round(v.memoryBytes / 2 ** 20)} MiB`,
          v.queue === null ? '' : `${v.queue.waiting} waiting`,
          v.canary === null ? '' : `canary ${v.canary.state}: ${v.canary.text}`,
          v.error ?? '',
        ]
          .filter((part) => part !== '')
          .join('  ')}`,
      );
    for (const tensor of endpoint.tensors?.inputs ?? []) print(`  in   ${tensor.name.padEnd(20)} ${tensor.datatype} [${tensor.shape.join(', ')}]`);
    for (const tensor of endpoint.tensors?.outputs ?? []) print(`  out  ${tensor.name.padEnd(20)} ${tensor.datatype} [${tensor.shape.join(', ')}]`);
    if (endpoint.sample !== null)
      print(
        dim(
          `  curl ${url}/endpoints/${encodeURIComponent(name)}/invocations -H 'Content-Type: application/json' -d '${JSON.stringify(endpoint.sample.invocations)}'`,
        ),
      );
  } finally {
    await close();
  }
}

export async function remove(name: string, options: ConnectFlags): Promise<void> {
  const { client, close } = await connect(options);
  try {
    await client.call('deleteEndpoint', { params: { endpoint: name } });
    print(`${green('✓')} endpoint ${name} is gone`);
  } finally {
    await close();
  }
}
