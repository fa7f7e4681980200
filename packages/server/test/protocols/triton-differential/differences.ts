import type { Seen } from './ask.ts';

/** What cannot be the same on two servers: our own request id, the bodies of health, names of the software, times. */
export function normal({ status, body }: Seen, call: string): Seen {
  if (/\/(live|ready)$/.test(call) && status === 200) return { status, body: '' };
  return { status, body: clean(body) };
}

function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value === 'string') return value.replace(/^\[request id: <id_unknown>\] /, '');
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, item]) => !(key === 'id' && typeof item === 'string' && /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(item)));
  return Object.fromEntries(
    entries
      .filter(([key]) => key !== 'platform' && key !== 'backend')
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, clean(item)]),
  );
}
