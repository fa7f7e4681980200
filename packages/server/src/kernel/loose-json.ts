const WORDS = /-?\b(?:Infinity|Inf)\b|-?\bNaN\b/g;

/** Texts that stand for the words that JSON lacks and Python's json module, RapidJSON and others write all the same. */
export interface SpecialWords {
  nan: string;
  infinity: string;
  minusInfinity: string;
}

/**
 * A JSON text with other words where bare NaN, Infinity and -Infinity stand; strings are passed over whole, so that theirs stay. One pass,
 * since the text may be anything at all.
 */
function replaceSpecials(text: string, { nan, infinity, minusInfinity }: SpecialWords): string {
  const wordOf = (word: string): string => (word.endsWith('NaN') ? nan : word.startsWith('-') ? minusInfinity : infinity);
  let out = '';
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    out += text.slice(at, quote < 0 ? text.length : quote).replace(WORDS, wordOf);
    if (quote < 0) break;
    at = endOfString(text, quote);
    out += text.slice(quote, at);
  }
  return out;
}

function endOfString(text: string, quote: number): number {
  for (let at = quote + 1; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\') at++;
    else if (char === '"') return at + 1;
  }
  return text.length;
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
    try {
      return JSON.parse(replaceSpecials(text, words), reviver);
    } catch {
      // What it says of the text as it was sent is of more use.
      throw error;
    }
  }
}

function exact(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return context.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}
