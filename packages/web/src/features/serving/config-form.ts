import { EndpointConfig } from '@binnacle/contract';

/** What is wrong with the text of a configuration, or the configuration. */
export function readConfig(text: string): { config: EndpointConfig } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: `Not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const parsed = EndpointConfig.safeParse(value);
  if (parsed.success) return { config: parsed.data };
  const [issue] = parsed.error.issues;
  return { problem: `${issue?.path.join('.') || 'The configuration'}: ${issue?.message ?? 'is not valid'}` };
}

/**
 * What a number field holds while it is typed into: a number within its bounds, null when it was emptied, undefined for what must not be
 * written yet ("-", 0 on the way to 0.5 where 1 is the least). The field hands over texts, too: "0." and "1.0" spell a number.
 */
export function typedNumber(
  typed: number | string,
  { min, max = Number.POSITIVE_INFINITY }: { min: number; max?: number | undefined },
): number | null | undefined {
  if (typed === '') return null;
  const value = Number(typed);
  return value >= min && value <= max ? value : undefined;
}

/** An object without what is undefined; undefined when nothing is left. */
function compact<T extends object>(value: T): T | undefined {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as T);
}

export type Guard = NonNullable<EndpointConfig['canaryGuard']>;
export const withGuard = (config: EndpointConfig, change: { [K in keyof Guard]: Guard[K] | undefined }): EndpointConfig =>
  ({ ...config, canaryGuard: compact({ ...config.canaryGuard, ...change }) }) as EndpointConfig;

/** Divides the traffic by a header; without one by the cookie that the configuration names, or by chance. */
export function withHeader(config: EndpointConfig, header: string): EndpointConfig {
  const cookie = config.routing?.cookie;
  const routing = compact({ header: header === '' ? undefined : header, cookie });
  return { ...config, routing: routing === undefined ? undefined : { by: 'header', ...routing } } as EndpointConfig;
}
