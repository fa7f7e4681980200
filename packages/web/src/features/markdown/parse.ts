import { Marked, type MarkedToken, type Token, type Tokens } from 'marked';

/** Markdown (CommonMark, with GitHub's tables, task lists, strikethrough and bare addresses) as `marked` reads it. Raw HTML is text: what comes out holds no markup. */
export type Block =
  | { type: 'heading'; level: number; inlines: Inline[] }
  | { type: 'paragraph'; inlines: Inline[] }
  | { type: 'code'; language: string; text: string }
  | { type: 'quote'; blocks: Block[] }
  | { type: 'list'; ordered: boolean; start: number; tight: boolean; items: { checked: boolean | null; blocks: Block[] }[] }
  | { type: 'table'; align: Align[]; head: Inline[][]; rows: Inline[][][] }
  | { type: 'rule' };
export type Inline =
  | { type: 'text' | 'code'; text: string }
  | { type: 'break' }
  | { type: 'strong' | 'em' | 'del'; children: Inline[] }
  | { type: 'link'; href: string; title: string; children: Inline[] }
  | { type: 'image'; href: string; alt: string };
type Align = 'left' | 'center' | 'right' | undefined;

const reader = new Marked({ gfm: true });

/** Undefined for a text that is nested deeper than can be read: show it as it is written. */
export function parseMarkdown(text: string): Block[] | undefined {
  try {
    return reader.lexer(text).flatMap(block);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function block(token: Token): Block[] {
  const known = token as MarkedToken;
  switch (known.type) {
    case 'heading':
      return [{ type: 'heading', level: known.depth, inlines: inlines(known.tokens) }];
    case 'paragraph':
      return [{ type: 'paragraph', inlines: inlines(known.tokens) }];
    case 'text':
      return [{ type: 'paragraph', inlines: inlines(known.tokens ?? [known]) }];
    case 'code':
      return [{ type: 'code', language: known.lang?.split(/\s/)[0] ?? '', text: known.text }];
    case 'blockquote':
      return [{ type: 'quote', blocks: known.tokens.flatMap(block) }];
    case 'list':
      return [
        {
          type: 'list',
          ordered: known.ordered,
          start: known.start === '' ? 1 : known.start,
          tight: !known.loose,
          items: known.items.map((item) => ({ checked: item.task ? item.checked === true : null, blocks: item.tokens.flatMap(block) })),
        },
      ];
    case 'table':
      return [{ type: 'table', align: known.align.map((one) => one ?? undefined), head: known.header.map(cell), rows: known.rows.map((row) => row.map(cell)) }];
    case 'hr':
      return [{ type: 'rule' }];
    case 'html':
      return [{ type: 'paragraph', inlines: [{ type: 'text', text: known.text.trim() }] }];
    default:
      // Empty lines, definitions of links, the box of a task.
      return [];
  }
}

const cell = ({ tokens }: Tokens.TableCell): Inline[] => inlines(tokens);

/** Neighbouring texts are one. */
function inlines(tokens: readonly Token[]): Inline[] {
  const all: Inline[] = [];
  for (const one of tokens.flatMap(inline)) {
    const last = all.at(-1);
    if (one.type === 'text' && last?.type === 'text') last.text += one.text;
    else all.push(one);
  }
  return all;
}

function inline(token: Token): Inline[] {
  const known = token as MarkedToken;
  switch (known.type) {
    case 'strong':
    case 'em':
    case 'del':
      return [{ type: known.type, children: inlines(known.tokens) }];
    case 'codespan':
      return [{ type: 'code', text: known.text }];
    case 'br':
      return [{ type: 'break' }];
    case 'link':
      return [{ type: 'link', href: decoded(known.href), title: decoded(known.title ?? ''), children: inlines(known.tokens) }];
    case 'image':
      return [{ type: 'image', href: decoded(known.href), alt: decoded(known.text) }];
    case 'text':
      return known.tokens === undefined ? [{ type: 'text', text: decoded(known.text) }] : inlines(known.tokens);
    case 'checkbox':
      return [];
    default:
      return [{ type: 'text', text: 'text' in known ? known.text : known.raw }];
  }
}

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', copy: '©' };
/** `marked` leaves named characters to the HTML that is made of it, and here none is. */
const decoded = (text: string): string => text.replace(/&([a-z]+);/g, (whole, name: string) => NAMED[name] ?? whole);
