import { invalid } from '../errors.ts';

/**
 * `name`: a key, dotted, its parts bare or quoted by backticks or double quotes. `word`: anything else that is neither a number nor an
 * operator, such as `a-b`, which the grammar refuses as a key.
 */
export type TokenKind = 'name' | 'word' | 'string' | 'number' | 'operator' | 'list' | 'keyword';
export interface Token {
  kind: TokenKind;
  text: string;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const PART = String.raw`(?:[\p{L}_$#][\p{L}\p{N}_$#]*|\x60(?:\x60\x60|[^\x60])*\x60|"(?:""|\\"|[^"])*")`;
/** Only behind a dot: elsewhere it is a value. */
const QUOTED = String.raw`'(?:''|\\'|[^'])*'`;
// No text matches two of the alternatives for long: a long name that fails in the end would be tried in every combination.
const NAME = new RegExp(String.raw`^${PART}(?:\.(?:${PART}|${QUOTED}|\p{N}[\p{L}\p{N}_$#]*))*$`, 'u');
const KEYWORDS = /^(AND|OR|NOT|IN|IS|NULL|LIKE|ILIKE|RLIKE|BETWEEN)$/i;
const DELIMITER = /[\s=<>!~'(),;]/;

/** Splits a filter or order_by clause into tokens. Throws `invalid` on an unterminated quote or list. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (/\s/.test(char)) {
      at++;
      continue;
    }
    let end: number;
    let kind: TokenKind;
    if (char === "'") {
      end = endOfQuote(text, at);
      kind = 'string';
    } else if (char === '(') {
      end = endOfList(text, at);
      kind = 'list';
    } else if (/[=<>!~]/.test(char)) {
      end = at + 1;
      while (end < text.length && /[=<>!~]/.test(text.charAt(end))) end++;
      kind = 'operator';
    } else if (/[),;]/.test(char)) {
      end = at + 1;
      kind = 'word';
    } else {
      end = endOfWord(text, at);
      const word = text.slice(at, end);
      kind = NUMBER.test(word) ? 'number' : KEYWORDS.test(word) ? 'keyword' : NAME.test(word) ? 'name' : 'word';
    }
    tokens.push({ kind, text: text.slice(at, end) });
    at = end;
  }
  return tokens;
}

function endOfWord(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '`' || char === '"' || (char === "'" && text.charAt(at - 1) === '.' && at > start)) at = endOfQuote(text, at);
    else if (DELIMITER.test(char)) break;
    else at++;
  }
  return at;
}

/** The index after the closing quote; a doubled quote, and a backslash before a single one, do not close unless nothing else does. */
function endOfQuote(text: string, start: number): number {
  const quote = text.charAt(start);
  let last = 0;
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\' && quote !== '`' && text.charAt(at + 1) === quote) {
      at++;
      last = at + 1;
    } else if (char === quote) {
      if (text.charAt(at + 1) !== quote) return at + 1;
      last = at + 1;
      at++;
    }
  }
  if (last > 0) return last;
  throw invalid('invalid_filter', `Invalid clause(s) in filter string: ${text.slice(start)} has no closing ${quote}.`);
}

function endOfList(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "'" || char === '"') at = endOfQuote(text, at) - 1;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return at + 1;
  }
  throw invalid('invalid_filter', `Invalid clause(s) in filter string: '${text.slice(start)}' has no closing parenthesis.`);
}

const isQuoted = (text: string, quote: string): boolean => text.length >= 2 && text.startsWith(quote) && text.endsWith(quote);
/** Removes one pair of backticks. */
export const trimBackticks = (text: string): string => (isQuoted(text, '`') ? text.slice(1, -1) : text);
/** The text between single or double quotes, or undefined when it is not quoted. */
export const unquote = (text: string): string | undefined => (isQuoted(text, "'") || isQuoted(text, '"') ? text.slice(1, -1) : undefined);

/** The strings of a parenthesised list. */
export function parseList(text: string): string[] {
  const fail = (found: string) => invalid('invalid_filter', `While parsing a list in the query, expected a non-empty list of string values, but got ${found}`);
  const items: string[] = [];
  const inner = text.slice(1, -1);
  let at = 0;
  let expectComma = false;
  while (at < inner.length) {
    const char = inner.charAt(at);
    if (/\s/.test(char)) at++;
    else if (char === ',') {
      if (!expectComma) throw fail('ill-formed list.');
      expectComma = false;
      at++;
    } else if (char === "'" || char === '"') {
      if (expectComma) throw fail('ill-formed list.');
      const end = endOfQuote(inner, at);
      items.push(inner.slice(at + 1, end - 1));
      expectComma = true;
      at = end;
    } else if (/[\d.+-]/.test(char)) {
      throw invalid(
        'invalid_filter',
        `While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ${text}`,
      );
    } else throw fail('ill-formed list.');
  }
  if (items.length === 0) throw fail('empty list');
  return items;
}
