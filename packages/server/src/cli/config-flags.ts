import { readFile } from 'node:fs/promises';
import { EndpointConfig } from '@binnacle/contract';
import { UsageError } from './usage.ts';

export interface ConfigFlags {
  config?: string | undefined;
  set?: string[] | undefined;
  guard?: string[] | undefined;
  splitBy?: string | undefined;
}

export const hasConfig = ({ config, set, guard, splitBy }: ConfigFlags): boolean =>
  config !== undefined || set !== undefined || guard !== undefined || splitBy !== undefined;

/** An endpoint's configuration: what it has, or a file instead of it, with single values set (`batching.maxRows=64`; `null` takes one out). */
export async function configFrom(flags: ConfigFlags, current: EndpointConfig): Promise<EndpointConfig> {
  const config = flags.config === undefined ? structuredClone(current) : await readConfig(flags.config);
  for (const text of flags.set ?? []) setValue(config as Record<string, unknown>, text);
  if (flags.guard !== undefined) config.canaryGuard = { ...config.canaryGuard, ...guardFrom(flags.guard) };
  if (flags.splitBy !== undefined) config.routing = routingFrom(flags.splitBy);
  const parsed = EndpointConfig.safeParse(config);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`The configuration is not valid: ${issue?.path.join('.') || 'it'}: ${issue?.message ?? ''}`);
}

async function readConfig(file: string): Promise<EndpointConfig> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as EndpointConfig;
  } catch (error) {
    throw new UsageError(`${file} holds no configuration: ${(error as Error).message}`);
  }
}

function setValue(config: Record<string, unknown>, text: string): void {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--set takes key=value, such as batching.maxQueueDelayMicros=500, not ${text}`);
  const path = text.slice(0, at).split('.');
  const last = path.pop() as string;
  let into = config;
  for (const part of path) {
    const found = Object.hasOwn(into, part) ? into[part] : undefined;
    const next: Record<string, unknown> = typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {};
    Object.defineProperty(into, part, { value: next, enumerable: true, configurable: true, writable: true });
    into = next;
  }
  const value = valueOf(text.slice(at + 1));
  if (value === null) delete into[last];
  else Object.defineProperty(into, last, { value, enumerable: true, configurable: true, writable: true });
}

/** JSON where it is, else the text itself. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const GUARDS: Record<string, [key: 'errorRate' | 'latencyP99' | 'driftDistance' | 'minRequests' | 'windowSeconds', unit: string]> = {
  errors: ['errorRate', '%'],
  latency: ['latencyP99', 'x'],
  drift: ['driftDistance', ''],
  requests: ['minRequests', ''],
  window: ['windowSeconds', 's'],
};

function guardFrom(flags: string[]): NonNullable<EndpointConfig['canaryGuard']> {
  const guard: NonNullable<EndpointConfig['canaryGuard']> = {};
  for (const flag of flags.flatMap((text) => text.split(','))) {
    const [name = '', text = ''] = flag.split('=');
    const found = GUARDS[name.trim()];
    if (found === undefined) throw new UsageError(`--guard knows errors, latency, drift, requests and window, such as errors=5%,latency=2x; not ${flag}`);
    const [key, unit] = found;
    const percent = unit === '%' && text.trim().endsWith('%');
    const value = Number(text.trim().replace(/[%xs]$/, ''));
    if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`--guard ${flag}: ${text} is not a number.`);
    guard[key] = percent ? value / 100 : value;
  }
  return guard;
}

function routingFrom(text: string): NonNullable<EndpointConfig['routing']> {
  if (text === 'weight') return { by: 'weight' };
  const [kind, name] = text.split(':');
  if ((kind !== 'header' && kind !== 'cookie') || name === undefined || name === '')
    throw new UsageError(`--split-by takes header:NAME, cookie:NAME or weight, not ${text}`);
  return { by: 'header', [kind]: name };
}
