/** Hardware series by their names, as MLflow writes them (`system/gpu_0_utilization_percentage`). Pure; tested in system.test.ts. */
export interface SystemMetric {
  key: string;
  /** CPU, Memory, GPU 0 …, Disk, Network, Other; with the node in front where a run has several. */
  group: string;
  title: string;
  unit: Unit;
}
export type Unit = '%' | 'MB' | 'GB' | 'W' | '°C' | 'MB/s' | '';

export const SYSTEM = 'system/';
export const isSystem = (key: string): boolean => key.startsWith(SYSTEM);

const UNITS: [ending: RegExp, unit: Unit][] = [
  [/_(percentage|percent)$/, '%'],
  [/_megabytes_per_second$/, 'MB/s'],
  [/_megabytes$/, 'MB'],
  [/_gigabytes$/, 'GB'],
  [/_watts$/, 'W'],
  [/_celsius$/, '°C'],
];
const GROUPS: [name: RegExp, group: string][] = [
  [/^gpu_?(\d+)_/, 'GPU'],
  [/^gpu_/, 'GPU'],
  [/^cpu_/, 'CPU'],
  [/^(system_)?memory_|^process_memory_|^swap_/, 'Memory'],
  [/^disk_/, 'Disk'],
  [/^network_/, 'Network'],
];
const ORDER = ['CPU', 'Memory', 'GPU', 'Disk', 'Network', 'Other'];

export function systemMetric(key: string): SystemMetric {
  const [name = '', ...nodes] = key.slice(SYSTEM.length).split('/').reverse();
  const found = GROUPS.find(([pattern]) => pattern.test(name));
  const gpu = /^gpu_?(\d+)_/.exec(name)?.[1];
  const kind = gpu === undefined ? (found?.[1] ?? 'Other') : `GPU ${gpu}`;
  const unit = UNITS.find(([pattern]) => pattern.test(name));
  const words = name
    .replace(found?.[1] === 'Memory' ? /^$/ : (found?.[0] ?? /^$/), '')
    .replace(unit?.[0] ?? /^$/, '')
    .replaceAll('_', ' ');
  return {
    key,
    group: nodes.length === 0 ? kind : `${nodes.reverse().join('/')} · ${kind}`,
    title: words === '' ? name : `${words[0]?.toUpperCase()}${words.slice(1)}`,
    unit: unit?.[1] ?? '',
  };
}

const rank = (group: string): number => {
  const kind = group.slice(group.lastIndexOf('· ') + 1).trim();
  return ORDER.findIndex((one) => kind === one || kind.startsWith(`${one} `));
};
const node = (group: string): string => (group.includes(' · ') ? group.slice(0, group.lastIndexOf(' · ')) : '');
const natural = new Intl.Collator('en', { numeric: true });

/** Groups in the order in which one looks for a bottleneck, node by node. */
export function systemGroups(keys: readonly string[]): { group: string; metrics: SystemMetric[] }[] {
  const groups = new Map<string, SystemMetric[]>();
  for (const metric of keys.map(systemMetric)) groups.set(metric.group, [...(groups.get(metric.group) ?? []), metric]);
  return [...groups]
    .map(([group, metrics]) => ({ group, metrics }))
    .sort((a, b) => natural.compare(node(a.group), node(b.group)) || rank(a.group) - rank(b.group) || natural.compare(a.group, b.group));
}
