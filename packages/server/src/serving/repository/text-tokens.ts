/** A token of protobuf's text format; lines and columns count from 1. */
export interface Token {
  kind: 'name' | 'number' | 'string' | 'mark' | 'end';
  text: string;
  line: number;
  column: number;
}

/** What is wrong with a text, and where. */
export class TextFormatError extends Error {
  readonly line: number;
  readonly column: number;
  constructor(message: string, at: { line: number; column: number }) {
    super(`${at.line}:${at.column}: ${message}`);
    this.line = at.line;
    this.column = at.column;
  }
}

const SPACE = /[ \t\r\n\f\v]+|#[^\n]*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0[xX][0-9A-Fa-f]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?/y;
const MARK = /[{}<>[\]:,;-]/y;
const STRING = /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/y;

/** Splits a text into tokens; comments and white space go. Throws TextFormatError. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  let lineStart = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  // A byte-order mark is what an editor leaves.
  if (text.startsWith('\uFEFF')) at = lineStart = 1;
  while (at < text.length) {
    const space = match(SPACE);
    if (space !== undefined) {
      for (let i = 0; i < space.length; i++)
        if (space[i] === '\n') {
          line++;
          lineStart = at + i + 1;
        }
      at += space.length;
      continue;
    }
    const place = { line, column: at - lineStart + 1 };
    const name = match(NAME);
    const number = name === undefined ? match(NUMBER) : undefined;
    const quoted = name === undefined && number === undefined ? match(STRING) : undefined;
    const mark = name === undefined && number === undefined && quoted === undefined ? match(MARK) : undefined;
    const found = name ?? number ?? quoted ?? mark;
    if (found === undefined) {
      const what = text[at] as string;
      throw new TextFormatError(what === '"' || what === "'" ? 'a string has no end' : `unexpected character ${JSON.stringify(what)}`, place);
    }
    if (quoted !== undefined) tokens.push({ kind: 'string', text: unescaped(quoted.slice(1, -1), place), ...place });
    else tokens.push({ kind: name !== undefined ? 'name' : number !== undefined ? 'number' : 'mark', text: found, ...place });
    at += found.length;
    // `12abc` is no number followed by a name.
    if (number !== undefined && match(NAME) !== undefined) throw new TextFormatError(`'${number}${match(NAME)}' is no number`, place);
  }
  tokens.push({ kind: 'end', text: '', line, column: at - lineStart + 1 });
  return tokens;
}

const SIMPLE: Record<string, number> = { n: 10, r: 13, t: 9, a: 7, b: 8, f: 12, v: 11, '\\': 92, "'": 39, '"': 34, '?': 63 };
const ESCAPE = /\\(?:([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([\s\S]))/g;

/** Octal and hexadecimal escapes are bytes of UTF-8, as C has them. */
function unescaped(raw: string, at: { line: number; column: number }): string {
  if (!raw.includes('\\')) return raw;
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const match of raw.matchAll(ESCAPE)) {
    parts.push(Buffer.from(raw.slice(from, match.index)));
    from = match.index + match[0].length;
    const [, octal, hex, short, long, simple] = match;
    const byte = octal !== undefined ? Number.parseInt(octal, 8) : hex !== undefined ? Number.parseInt(hex, 16) : SIMPLE[simple ?? ''];
    const point = Number.parseInt(short ?? long ?? '', 16);
    if (byte !== undefined && byte <= 255) parts.push(Uint8Array.of(byte));
    else if (point <= 0x10ffff) parts.push(Buffer.from(String.fromCodePoint(point)));
    else throw new TextFormatError(`the string has an escape that means nothing: ${JSON.stringify(match[0])}`, at);
  }
  parts.push(Buffer.from(raw.slice(from)));
  return Buffer.concat(parts).toString();
}
