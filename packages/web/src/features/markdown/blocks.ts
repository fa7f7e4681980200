import { type Inline, parseInline, type Reference, type References, referenceKey, unescaped } from './inline.ts';

/** Markdown as blocks (CommonMark, with GitHub's tables and task lists), without raw HTML. Pure; tested in markdown.test.ts. */
export type Block =
  | { type: 'heading'; level: number; inlines: Inline[] }
  | { type: 'paragraph'; inlines: Inline[] }
  | { type: 'code'; language: string; text: string }
  | { type: 'quote'; blocks: Block[] }
  | { type: 'list'; ordered: boolean; start: number; tight: boolean; items: { checked: boolean | null; blocks: Block[] }[] }
  | { type: 'table'; align: Align[]; head: Inline[][]; rows: Inline[][][] }
  | { type: 'rule' };
type Align = 'left' | 'center' | 'right' | undefined;

const DEEPEST = 12;

export function parseMarkdown(text: string): Block[] {
  const lines = text.replace(/\r\n?/g, '\n').split('\n').map(untabbed);
  const references = new Map<string, Reference>();
  return parseLines(withoutReferences(lines, references), references, 0);
}

const FENCE = /^( {0,3})(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ ]+(.*))?$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?: (.*)|)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const DEFINITION = /^ {0,3}\[([^[\]]{1,999})\]: *<?([^\s<>]+)>? *(?:["'(](.{0,999})["')])? *$/;

const blank = (line: string | undefined): boolean => line === undefined || line.trim() === '';
const isRule = (line: string): boolean => /^ {0,3}[-*_]/.test(line) && /^([-*_])\1{2,}$/.test(line.replaceAll(' ', ''));
/** Tabs at the beginning are as wide as four spaces. */
const untabbed = (line: string): string =>
  line.replace(/^[ \t]+/, (space) => [...space].reduce((out, c) => (c === '\t' ? out + ' '.repeat(4 - (out.length % 4)) : `${out} `), ''));

/** Takes the definitions of links (`[name]: address`) out, wherever they stand outside of code. */
function withoutReferences(lines: string[], references: Map<string, Reference>): string[] {
  let fence: string | undefined;
  return lines.filter((line) => {
    const mark = FENCE.exec(line)?.[2];
    if (fence === undefined) fence = mark;
    else if (closes(line, fence)) fence = undefined;
    const found = fence === undefined ? DEFINITION.exec(line) : null;
    if (found === null) return true;
    const key = referenceKey(found[1] ?? '');
    if (!references.has(key)) references.set(key, { href: unescaped(found[2] ?? ''), title: found[3] ?? '' });
    return false;
  });
}
const closes = (line: string, fence: string): boolean => new RegExp(`^ {0,3}\\${fence[0]}{${fence.length},} *$`).test(line);

function parseLines(lines: string[], references: References, depth: number): Block[] {
  const inline = (text: string): Inline[] => parseInline(text.trim(), references);
  const inner = (from: string[]): Block[] =>
    depth >= DEEPEST ? [{ type: 'paragraph', inlines: [{ type: 'text', text: from.join('\n').trim() }] }] : parseLines(from, references, depth + 1);
  const blocks: Block[] = [];
  for (let i = 0; i < lines.length; ) {
    const line = lines[i] as string;
    if (blank(line)) i += 1;
    else i = fenced(i) ?? heading(i) ?? rule(i) ?? quote(i) ?? list(i) ?? indented(i) ?? table(i) ?? paragraph(i);
  }
  return blocks;

  function fenced(at: number): number | undefined {
    const [, indent = '', fence, language = ''] = FENCE.exec(lines[at] as string) ?? [];
    if (fence === undefined) return undefined;
    let end = at + 1;
    while (end < lines.length && !closes(lines[end] as string, fence)) end += 1;
    const strip = new RegExp(`^ {0,${indent.length}}`);
    blocks.push({
      type: 'code',
      language: language.trim().split(' ')[0] ?? '',
      text: lines
        .slice(at + 1, end)
        .map((l) => l.replace(strip, ''))
        .join('\n'),
    });
    return end + 1;
  }

  function heading(at: number): number | undefined {
    const found = HEADING.exec(lines[at] as string);
    if (found === null) return undefined;
    blocks.push({ type: 'heading', level: found[1]?.length ?? 1, inlines: inline((found[2] ?? '').trimEnd().replace(/(^|[ ])#+$/, '')) });
    return at + 1;
  }

  function rule(at: number): number | undefined {
    if (!isRule(lines[at] as string)) return undefined;
    blocks.push({ type: 'rule' });
    return at + 1;
  }

  function quote(at: number): number | undefined {
    if (!QUOTE.test(lines[at] as string)) return undefined;
    const inside: string[] = [];
    let end = at;
    for (; end < lines.length; end += 1) {
      const line = lines[end] as string;
      const found = QUOTE.exec(line);
      if (found !== null) inside.push(found[1] ?? '');
      else if (!blank(line) && !blank(inside[inside.length - 1]) && !interrupts(line)) inside.push(line);
      else break;
    }
    blocks.push({ type: 'quote', blocks: inner(inside) });
    return end;
  }

  function list(at: number): number | undefined {
    const first = ITEM.exec(lines[at] as string);
    if (first === null) return undefined;
    const sign = (mark: string): string => mark[mark.length - 1] as string;
    const items: { checked: boolean | null; blocks: Block[] }[] = [];
    let tight = true;
    let end = at;
    while (end < lines.length) {
      const found = ITEM.exec(lines[end] as string);
      if (found === null || sign(found[2] as string) !== sign(first[2] as string) || isRule(lines[end] as string)) break;
      const [, before = '', mark = '', text = ''] = found;
      const extra = /^ {0,3}(?=\S)/.exec(text)?.[0].length ?? 0;
      const width = before.length + mark.length + 1 + extra;
      const inside = [text.slice(extra)];
      let next = end + 1;
      for (; next < lines.length; next += 1) {
        const line = lines[next] as string;
        if (blank(line)) inside.push('');
        else if (line.startsWith(' '.repeat(width))) inside.push(line.slice(width));
        else if (!blank(lines[next - 1]) && !interrupts(line) && !ITEM.test(line)) inside.push(line.trimStart());
        else break;
      }
      let ends = inside.length;
      while (ends > 1 && blank(inside[ends - 1])) ends -= 1;
      const another = ITEM.exec(lines[next] ?? '');
      const followed = another !== null && sign(another[2] as string) === sign(mark);
      if (inside.slice(0, ends).some(blank) || (ends < inside.length && followed)) tight = false;
      const task = /^\[([ xX])\] +(?=\S)/.exec(inside[0] ?? '');
      if (task !== null) inside[0] = (inside[0] as string).slice(task[0].length);
      items.push({ checked: task === null ? null : task[1] !== ' ', blocks: inner(inside.slice(0, ends)) });
      end = next;
    }
    const ordered = /\d/.test(first[2] as string);
    blocks.push({ type: 'list', ordered, start: ordered ? Number.parseInt(first[2] as string, 10) : 1, tight, items });
    return end;
  }

  function indented(at: number): number | undefined {
    if (!(lines[at] as string).startsWith('    ')) return undefined;
    let end = at;
    while (end < lines.length && (blank(lines[end]) || (lines[end] as string).startsWith('    '))) end += 1;
    while (blank(lines[end - 1])) end -= 1;
    blocks.push({
      type: 'code',
      language: '',
      text: lines
        .slice(at, end)
        .map((l) => l.slice(4))
        .join('\n'),
    });
    return end;
  }

  function table(at: number): number | undefined {
    const head = cells(lines[at] as string);
    const marks = cells(lines[at + 1] ?? '');
    if (!(lines[at] as string).includes('|') || head.length !== marks.length || !marks.every((m) => /^:?-+:?$/.test(m))) return undefined;
    let end = at + 2;
    while (end < lines.length && !blank(lines[end]) && !interrupts(lines[end] as string)) end += 1;
    blocks.push({
      type: 'table',
      align: marks.map((m) => (m.endsWith(':') ? (m.startsWith(':') ? 'center' : 'right') : m.startsWith(':') ? 'left' : undefined)),
      head: head.map(inline),
      rows: lines.slice(at + 2, end).map((line) => {
        const row = cells(line);
        return head.map((_, c) => inline(row[c] ?? ''));
      }),
    });
    return end;
  }

  function paragraph(at: number): number {
    let end = at + 1;
    let level = 0;
    for (; end < lines.length && !blank(lines[end]); end += 1) {
      const line = lines[end] as string;
      level = /^ {0,3}=+ *$/.test(line) ? 1 : /^ {0,3}-+ *$/.test(line) ? 2 : 0;
      if (level > 0 || interrupts(line) || /^ {0,3}(?:[-*+]|1[.)]) +\S/.test(line)) break;
    }
    const inlines = inline(
      lines
        .slice(at, end)
        .map((l, i) => (i === 0 ? l.trimStart() : l))
        .join('\n'),
    );
    blocks.push(level > 0 ? { type: 'heading', level, inlines } : { type: 'paragraph', inlines });
    return level > 0 ? end + 1 : end;
  }
}

/** Begins something else, right behind a paragraph. */
const interrupts = (line: string): boolean => FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || isRule(line);

/** The cells of a row of a table: between bars that are not escaped. */
function cells(line: string): string[] {
  const parts = line
    .trim()
    .replace(/^\|/, '')
    .split(/(?<!\\)\|/);
  if (parts.length > 1 && (parts[parts.length - 1] as string).trim() === '') parts.pop();
  return parts.map((part) => part.trim().replaceAll('\\|', '|'));
}
