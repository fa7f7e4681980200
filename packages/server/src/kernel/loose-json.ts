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
export function replaceSpecials(text: string, { nan, infinity, minusInfinity }: SpecialWords): string {
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
