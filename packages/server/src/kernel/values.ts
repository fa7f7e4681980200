/** A plain JSON object: neither null nor an array. */
export const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Levels of a value that an error's text shows. */
const SHOWN_DEPTH = 6;

/** A value as JSON for an error's text, cut after `max` characters. Takes whatever a client may send: nested without end, endless, BigInt. */
export function shown(value: unknown, max = 100): string {
  const text = excerpt(value, max, 0);
  return text.length > max ? `${text.slice(0, max).toWellFormed()}…` : text;
}

/** A little more than `max` characters at most. */
function excerpt(value: unknown, max: number, depth: number): string {
  const quoted = (text: string): string => JSON.stringify(text.slice(0, max + 1));
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) {
    let text = '';
    for (let i = 0; i < value.length && text.length <= max; i++)
      text += `${i === 0 ? '' : ','}${depth < SHOWN_DEPTH ? excerpt(value[i], max, depth + 1) : '…'}`;
    return `[${text}]`;
  }
  if (isObject(value)) {
    let text = '';
    for (const key in value) {
      if (text.length > max) break;
      text += `${text === '' ? '' : ','}${quoted(key)}:${depth < SHOWN_DEPTH ? excerpt(value[key], max, depth + 1) : '…'}`;
    }
    return `{${text}}`;
  }
  return String(value);
}

/** What any thrown value has to say. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A number as our JSON carries it (the contract's `LooseNumber`): what JSON cannot write goes as its name. */
export type LooseNumber = number | 'NaN' | 'Infinity' | '-Infinity';
export const looseNumber = (value: number): LooseNumber => (Number.isFinite(value) ? value : (String(value) as LooseNumber));

/** The same for every number of a structure: a replacer for JSON.stringify, which alone would write null. */
export const looseNumbers = (_key: string, value: unknown): unknown => (typeof value === 'number' ? looseNumber(value) : value);
