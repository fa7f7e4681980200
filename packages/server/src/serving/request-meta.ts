import { invalid } from '../kernel/index.ts';

const MAX_ID = 200;
/** Earliest and latest event that is taken as meant: 1900 and 2200. */
const EARLIEST = -2_208_988_800_000;
const LATEST = 7_258_118_400_000;

/** A caller's own request id: printable ASCII, so that it can go back in a header. Undefined when there is none. */
export function parseRequestId(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalid('invalid_request_id', `The request's id must be a string, not ${typeof value}.`);
  if (value.length > MAX_ID || !/^[\x21-\x7e]+$/.test(value))
    throw invalid('invalid_request_id', `The request's id must be 1 to ${MAX_ID} printable ASCII characters without spaces.`);
  return value;
}

/** When the event happened: milliseconds since the epoch or ISO 8601 (UTC when it names no zone). Undefined when the caller does not say. */
export function parseEventTime(value: string | undefined): number | undefined {
  if (value === undefined || value.trim() === '') return undefined;
  const text = value.trim();
  let time = Number.NaN;
  if (/^-?\d+(\.\d+)?$/.test(text)) time = Math.round(Number(text));
  else if (/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/i.test(text)) {
    const iso = text.replace(' ', 'T');
    time = Date.parse(/T.*(Z|[+-]\d{2}:?\d{2})$/i.test(iso) || !iso.includes('T') ? iso : `${iso}Z`);
  }
  if (Number.isNaN(time) || time < EARLIEST || time > LATEST)
    throw invalid(
      'invalid_event_time',
      `The event time ${JSON.stringify(text.slice(0, 60))} is neither milliseconds since 1970 nor ISO 8601 (such as 2001-05-03T14:05:00Z).`,
    );
  return time;
}
