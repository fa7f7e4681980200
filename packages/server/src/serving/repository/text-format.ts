import { TextFormatError, type Token, tokensOf } from './text-tokens.ts';

/** Where something stands in a text; counted from 1. */
export interface Place {
  line: number;
  column: number;
}

/** A scalar as it was written: what it means is the field's business. */
export interface TextScalar extends Place {
  kind: 'name' | 'number' | 'string';
  text: string;
}

export interface TextMessage extends Place {
  kind: 'message';
  fields: TextField[];
}

/** One mention of a field; a list `[…]` has all its values, in brackets or not is kept for the error texts. */
export interface TextField extends Place {
  name: string;
  values: (TextScalar | TextMessage)[];
  list: boolean;
}

/** Messages in messages; no configuration is as deep. */
const MAX_DEPTH = 64;

/**
 * Reads protobuf's text format (https://protobuf.dev/reference/protobuf/textformat-spec/) without a schema: comments, messages in `{}` and `<>`, lists,
 * strings that follow each other, `,` and `;` between fields. Extensions and Any (`[name]`) are refused. Throws TextFormatError with line and column.
 */
export function parseTextFormat(text: string): TextMessage {
  const reader = new Reader(tokensOf(text));
  const fields = reader.fields('', 0);
  return { kind: 'message', fields, line: 1, column: 1 };
}

class Reader {
  readonly #tokens: Token[];
  #at = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  get #next(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #take(): Token {
    const token = this.#next;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  #skip(...marks: string[]): boolean {
    if (this.#next.kind !== 'mark' || !marks.includes(this.#next.text)) return false;
    this.#at++;
    return true;
  }

  /** Fields up to `close`, which is taken, or to the end of the text for ''. */
  fields(close: string, depth: number): TextField[] {
    const out: TextField[] = [];
    for (;;) {
      const token = this.#next;
      if (close === '' ? token.kind === 'end' : this.#skip(close)) return out;
      if (token.kind !== 'name') throw unexpected(token, close === '' ? 'a field' : `a field or '${close}'`);
      this.#take();
      out.push(this.#field(token, depth));
      this.#skip(',', ';');
    }
  }

  #field(name: Token, depth: number): TextField {
    const colon = this.#skip(':');
    const place = { name: name.text, line: name.line, column: name.column };
    if (this.#skip('[')) return { ...place, list: true, values: this.#list(depth) };
    const opens = this.#opens();
    if (!colon && !opens) throw unexpected(this.#next, `':' or '{' after '${name.text}'`);
    return { ...place, list: false, values: [this.#value(depth)] };
  }

  #list(depth: number): (TextScalar | TextMessage)[] {
    const values: (TextScalar | TextMessage)[] = [];
    if (this.#skip(']')) return values;
    do values.push(this.#value(depth));
    while (this.#skip(','));
    if (!this.#skip(']')) throw unexpected(this.#next, "',' or ']'");
    return values;
  }

  #opens(): boolean {
    return this.#next.kind === 'mark' && (this.#next.text === '{' || this.#next.text === '<');
  }

  #value(depth: number): TextScalar | TextMessage {
    const { line, column } = this.#next;
    if (this.#opens()) {
      if (depth >= MAX_DEPTH) throw new TextFormatError(`messages are nested deeper than ${MAX_DEPTH}`, { line, column });
      const close = this.#take().text === '{' ? '}' : '>';
      return { kind: 'message', fields: this.fields(close, depth + 1), line, column };
    }
    const minus = this.#skip('-') ? '-' : '';
    const token = this.#next;
    if (token.kind === 'string' && minus === '') {
      let text = '';
      while (this.#next.kind === 'string') text += this.#take().text;
      return { kind: 'string', text, line, column };
    }
    if (token.kind !== 'number' && token.kind !== 'name') throw unexpected(token, 'a value');
    this.#take();
    return { kind: minus === '' ? token.kind : 'number', text: minus + token.text, line, column };
  }
}

function unexpected(token: Token, wanted: string): TextFormatError {
  const found = token.kind === 'end' ? 'the end of the text' : token.kind === 'string' ? 'a string' : `'${token.text.slice(0, 40)}'`;
  return new TextFormatError(`expected ${wanted}, found ${found}`, token);
}
