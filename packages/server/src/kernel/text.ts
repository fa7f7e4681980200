/** Whether a text has more characters than `limit`, as Python counts them: a surrogate pair is one. */
export const isLonger = (text: string, limit: number): boolean => text.length > limit && (text.length > 2 * limit || [...text].length > limit);

/** A text that not every store can keep, and where it stands. */
export interface BadText {
  path: string;
  text: string;
  why: string;
}

/** In JSON only an escape writes what a text must not hold, so that most bodies need no look at each of their texts. */
const SUSPECT = /\\u(?:0000|d[89a-f])/i;
export const mayHoldBadText = (json: string): boolean => SUSPECT.test(json);

/**
 * The first text of a parsed request, names of fields included, with U+0000, which PostgreSQL keeps in no text, or half a surrogate pair,
 * which UTF-8 cannot write. Whatever the database, the answer is the same.
 */
export function badTextOf(value: unknown): BadText | undefined {
  // A body may nest deeper than the stack.
  const open: [path: string, value: unknown][] = [['', value]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [path, item] = next;
    const why = typeof item === 'string' ? reason(item) : undefined;
    if (why !== undefined) return { path, text: item as string, why };
    if (Array.isArray(item)) for (let i = item.length - 1; i >= 0; i--) open.push([`${path}[${i}]`, item[i]]);
    else if (typeof item === 'object' && item !== null)
      for (const [name, field] of Object.entries(item).reverse()) {
        const bad = reason(name);
        if (bad !== undefined) return { path, text: name, why: bad };
        open.push([path === '' ? name : `${path}.${name}`, field]);
      }
  }
  return undefined;
}

function reason(text: string): string | undefined {
  if (text.includes('\0')) return 'a text cannot hold U+0000. Take it out.';
  return text.isWellFormed() ? undefined : 'it is not valid Unicode.';
}
