import type { Client } from './client.ts';
import type { Entry } from './entries.ts';

export const statusOf = (error: unknown): number => (error as { status?: number }).status ?? 0;
const isTransient = (status: number): boolean => [401, 403, 408, 425, 429].includes(status);
/**
 * The server will not take the same again; a wrong token is no fault of the data and may be set right. Nor is a refusal that Binnacle did not write:
 * a proxy before it that lost its way finds it again. What is too large for a proxy stays so.
 */
export function isFinal(error: unknown): boolean {
  const status = statusOf(error);
  if (status < 400 || status >= 500 || isTransient(status)) return false;
  return status === 413 || (error as { code?: unknown }).code !== 'http_error';
}
/** The run is gone: no part of what was sent can be saved. */
const isGone = (status: number): boolean => status === 404 || status === 410;

/** What the server takes or refuses as one: the entries of a series, a param, or a tag. */
function unitsOf(entries: readonly Entry[]): Entry[][] {
  const units = new Map<string, Entry[]>();
  for (const entry of entries) {
    const name = `${entry.kind} ${entry.key}`;
    const unit = units.get(name);
    if (unit === undefined) units.set(name, [entry]);
    else unit.push(entry);
  }
  return [...units.values()];
}

const isSeries = (unit: Entry[]): boolean => unit[0]?.kind !== 'param' && unit[0]?.kind !== 'tag';
/** Of a metric it is the name that is wrong; of the others it may be one value among many. */
const isDivisible = (unit: Entry[]): boolean => unit.length > 1 && unit[0]?.kind !== 'metric';
const halves = <T>(list: T[], cut = Math.ceil(list.length / 2)): [T[], T[]] => [list.slice(0, cut), list.slice(cut)];

/**
 * Sends entries in one request. When the server refuses it, halves it until only what it refuses is left: that is handed to `refused`, and the
 * rest is logged. Resolves to what was not sent because there was no answer, and why.
 */
export async function deliver(
  send: (entries: Entry[]) => Promise<void>,
  entries: readonly Entry[],
  refused: (unit: Entry[], error: unknown) => void,
): Promise<{ unsent: Entry[]; error?: unknown }> {
  const units = unitsOf(entries);
  // Params and tags apart from the series when it comes to halves: a changed param is the most common reason.
  const left = [[...units.filter(isSeries), ...units.filter((unit) => !isSeries(unit))]];
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    try {
      await send(part.flat());
    } catch (error) {
      if (!isFinal(error)) return { unsent: [...part, ...left.reverse().flat()].flat(), error };
      const status = statusOf(error);
      const [first] = part as [Entry[]];
      if (part.length === 1 && (isDivisible(first) || (status === 413 && first.length > 1)) && !isGone(status)) {
        const [front, back] = halves(first);
        left.push([back], [front]);
      } else if (part.length === 1 || isGone(status)) {
        for (const unit of part) refused(unit, error);
      } else {
        const series = part.filter(isSeries).length;
        const [front, back] = series > 0 && series < part.length ? halves(part, series) : halves(part);
        left.push(back, front);
      }
    }
  }
  return { unsent: [] };
}

const LISTS = { metric: 'metrics', string: 'strings', histogram: 'histograms', file: 'files' } as const;

/** One request of a run's entries. The server takes it whole or not at all. */
export async function logEntries(client: Client, runId: string, entries: readonly Entry[], signal: AbortSignal): Promise<void> {
  const body: Record<string, unknown[]> = { metrics: [] };
  const texts: Record<'params' | 'tags', Record<string, string>> = { params: {}, tags: {} };
  for (const entry of entries) {
    if (entry.kind === 'param' || entry.kind === 'tag') texts[`${entry.kind}s`][entry.key] = entry.value;
    else {
      const { kind, ...rest } = entry;
      (body[LISTS[kind]] ??= []).push(rest);
    }
  }
  await client.call('logBatch', { params: { runId }, body: { ...body, ...texts }, signal });
}

/** Where the artifacts of a run lie behind the server's artifact proxy. */
export const artifactRootOf = (artifactUri: string): string => artifactUri.replace(/^mlflow-artifacts:(\/\/[^/]*)?\/*/, '').replace(/\/+$/, '');

/** Time that is granted for so many bytes: a quarter of a megabyte a second. */
export const transferMs = (bytes: number): number => Math.ceil(bytes / 262);

/** fetch reads a whole Blob before it sends it, and a browser can do nothing else over HTTP/1.1. */
const STREAM_ABOVE = 8 * 1024 * 1024;
const canStream = (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined;

/** Stores an artifact of a run; one that is there is replaced. `sha256` (base64) makes the server refuse other bytes. */
export async function uploadArtifact(
  client: Client,
  root: string,
  path: string,
  content: Blob,
  options: { signal: AbortSignal; sha256?: string },
): Promise<void> {
  const segments = path.split('/').filter((segment) => segment !== '');
  // A URL with a dot segment, escaped or not, asks for another path.
  if (segments.length === 0 || segments.some((segment) => segment === '.' || segment === '..'))
    throw Object.assign(new Error(`"${path}" cannot be the path of an artifact`), { status: 400 });
  const target = [...root.split('/'), ...segments].map(encodeURIComponent).join('/');
  const headers: Record<string, string> = { 'content-type': 'application/octet-stream' };
  if (options.sha256 !== undefined) headers['content-digest'] = `sha-256=:${options.sha256}:`;
  const streamed = canStream && content.size > STREAM_ABOVE;
  if (streamed) headers['content-length'] = String(content.size);
  await client.request(`/api/2.0/mlflow-artifacts/artifacts/${target}`, {
    method: 'PUT',
    body: streamed ? content.stream() : content,
    headers,
    signal: options.signal,
    // Node's fetch keeps a copy of a stream to send again, unless it may neither follow a redirect nor ask anyone for a password.
    ...(streamed ? { duplex: 'half', redirect: 'error', window: null } : {}),
  } as RequestInit);
}

/** A local file that changed or vanished while it was read: trying again does not help. */
export function isUnreadable(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) if (one.name === 'NotReadableError') return true;
  return false;
}
