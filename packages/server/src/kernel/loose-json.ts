/** Texts that stand for the words that JSON lacks and Python's json module, RapidJSON and others write all the same. */
export interface SpecialWords {
  nan: string;
  infinity: string;
  minusInfinity: string;
}

const QUOTE = 34;
const MINUS = 45;
const BACKSLASH = 92;
const I = 73;
const N = 78;
const WORDS = ['NaN', 'Infinity', 'Inf'];

/**
 * A JSON text with other words where bare NaN, Infinity and -Infinity stand; strings are passed over, so that theirs stay. One look at each
 * character, since the text may be anything at all; the text itself when there is nothing to replace.
 */
function replaceSpecials(text: string, { nan, infinity, minusInfinity }: SpecialWords): string {
  let out = '';
  let from = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) inString = !inString;
    else if (inString) {
      if (code === BACKSLASH) at++;
    } else if (code === N || code === I) {
      const start = at;
      const word = WORDS.find((one) => text.startsWith(one, start));
      if (word === undefined) continue;
      const negative = start > from && text.charCodeAt(start - 1) === MINUS;
      out += text.slice(from, negative ? start - 1 : start) + (word === 'NaN' ? nan : negative ? minusInfinity : infinity);
      from = start + word.length;
      at = from - 1;
    }
  }
  return from === 0 ? text : out + text.slice(from);
}

/** A whole number of so many digits may be beyond what a double keeps. */
const LONG_INTEGER = /[[,:\s]-?[0-9]{16}/;

/**
 * JSON in which NaN and infinities may stand bare (they become what `words` says) and integers beyond 2^53 stay exact, as BigInt. Throws
 * JSON.parse's own SyntaxError.
 */
export function parseLooseJson(text: string, words: SpecialWords): unknown {
  const reviver = LONG_INTEGER.test(text) ? (exact as (key: string, value: unknown) => unknown) : undefined;
  try {
    return JSON.parse(text, reviver);
  } catch (error) {
    const replaced = replaceSpecials(text, words);
    // What it says of the text as it was sent is of more use.
    if (replaced === text) throw error;
    try {
      return JSON.parse(replaced, reviver);
    } catch {
      throw error;
    }
  }
}

function exact(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return context.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}
