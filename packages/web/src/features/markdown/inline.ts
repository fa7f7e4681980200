/**
 * The inside of a Markdown paragraph (CommonMark, with GitHub's strikethrough and bare addresses). Raw HTML is text, like everything else that is not
 * known: what comes out holds no markup. Time grows with the length, whatever is nested in it. Pure; tested in markdown.test.ts.
 */
export type Inline =
  | { type: 'text' | 'code'; text: string }
  | { type: 'break' }
  | { type: 'strong' | 'em' | 'del'; children: Inline[] }
  | { type: 'link'; href: string; title: string; children: Inline[] }
  | { type: 'image'; href: string; alt: string };

export interface Reference {
  href: string;
  title: string;
}
export type References = ReadonlyMap<string, Reference>;

/** Deeper, signs stand for themselves. */
const DEEPEST = 12;
const MOST_OPEN = 60;

interface Frame {
  char: string;
  count: number;
  canClose: boolean;
  children: Inline[];
}

export function parseInline(text: string, references: References = new Map(), depth = 0, inLink = false): Inline[] {
  const { codeEnd, bracketEnd } = pairsOf(text);
  const root: Inline[] = [];
  const open: Frame[] = [];
  const into = (): Inline[] => open[open.length - 1]?.children ?? root;
  const say = (more: string): void => {
    const out = into();
    const last = out[out.length - 1];
    if (last?.type === 'text') last.text += more;
    else out.push({ type: 'text', text: more });
  };
  /** What was opened and is not closed is text. */
  const collapse = (to: number): void => {
    while (open.length > to) {
      const frame = open.pop() as Frame;
      say(frame.char.repeat(frame.count));
      const out = into();
      for (const child of frame.children) {
        if (child.type === 'text') say(child.text);
        else out.push(child);
      }
    }
  };
  const close = (char: string, length: number, canOpen: boolean): number => {
    let left = length;
    while (left > 0) {
      const at = open.findLastIndex((f) => f.char === char && (char !== '~' || f.count === left) && !oddPair(f, left, canOpen));
      const frame = open[at];
      if (frame === undefined) break;
      collapse(at + 1);
      const used = char === '~' ? left : Math.min(2, left, frame.count);
      const node: Inline = { type: char === '~' ? 'del' : used === 2 ? 'strong' : 'em', children: frame.children };
      left -= used;
      frame.count -= used;
      frame.children = [node];
      if (frame.count === 0) {
        open.pop();
        into().push(node);
      }
    }
    return left;
  };

  for (let i = 0; i < text.length; ) {
    const char = text[i] as string;
    const rest = SPECIAL.test(char) ? special(i, char) : 0;
    if (rest > 0) {
      i += rest;
      continue;
    }
    const next = nextSpecial(text, i + 1);
    say(text.slice(i, next));
    i = next;
  }
  collapse(0);
  return root;

  /** How much of the text a sign that means something takes; 0 when it stands for itself. */
  function special(i: number, char: string): number {
    if (char === '\\') {
      const next = text[i + 1];
      if (next === '\n') return into().push({ type: 'break' }) && 2;
      if (next === undefined || !ASCII_SIGN.test(next)) return 0;
      say(next);
      return 2;
    }
    if (char === '\n') return lineEnd(i);
    if (char === '`') {
      const end = codeEnd.get(i);
      const ticks = runOf(text, i);
      if (end === undefined) {
        say('`'.repeat(ticks));
        return ticks;
      }
      const inner = text.slice(i + ticks, end - ticks).replaceAll('\n', ' ');
      into().push({ type: 'code', text: /^ .*\S.* $/s.test(inner) ? inner.slice(1, -1) : inner });
      return end - i;
    }
    if (char === '<') {
      const found = /^<((?:https?:\/\/|mailto:)[^\s<>]*|[\w.+-]{1,64}@[\w.-]{1,255})>/i.exec(text.slice(i, i + 2048));
      if (found?.[1] === undefined || inLink) return 0;
      into().push({ type: 'link', href: /^\w+:/.test(found[1]) ? found[1] : `mailto:${found[1]}`, title: '', children: [{ type: 'text', text: found[1] }] });
      return found[0].length;
    }
    if (char === '&') {
      const found = /^&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|nbsp|copy));/i.exec(text.slice(i, i + 12));
      if (found === null) return 0;
      say(entity(found[1], found[2], found[3]));
      return found[0].length;
    }
    if (char === 'h') return bareAddress(i);
    if (char === '[') return link(i, false);
    if (char === '!') return text[i + 1] === '[' ? link(i + 1, true) : 0;
    return emphasis(i, char);
  }

  function lineEnd(i: number): number {
    const out = into();
    const last = out[out.length - 1];
    const hard = last?.type === 'text' && / {2,}$/.test(last.text);
    if (last?.type === 'text') last.text = last.text.trimEnd();
    if (hard) out.push({ type: 'break' });
    else say('\n');
    let end = i + 1;
    while (text[end] === ' ') end += 1;
    return end - i;
  }

  function bareAddress(i: number): number {
    if (inLink || /\w/.test(text[i - 1] ?? ' ')) return 0;
    const found = /^https?:\/\/[^\s<>]+/i.exec(text.slice(i, i + 2048))?.[0];
    if (found === undefined) return 0;
    let href = found.replace(/[.,:;!?"'*_~`\]]+$/, '');
    // A bracket around the address is not of it.
    while (href.endsWith(')') && href.split(')').length > href.split('(').length) href = href.slice(0, -1).replace(/[.,:;!?"']+$/, '');
    into().push({ type: 'link', href, title: '', children: [{ type: 'text', text: href }] });
    return href.length;
  }

  function link(at: number, image: boolean): number {
    const end = bracketEnd.get(at);
    if (end === undefined || depth >= DEEPEST || (inLink && !image)) return 0;
    const label = text.slice(at + 1, end);
    const target = targetBehind(text, end + 1, label, references);
    if (target === undefined) return 0;
    const { href, title, to } = target;
    const children = parseInline(label, references, depth + 1, inLink || !image);
    into().push(image ? { type: 'image', href, alt: plainText(children) } : { type: 'link', href, title, children });
    return to - at + (image ? 1 : 0);
  }

  function emphasis(i: number, char: string): number {
    const length = runOf(text, i);
    const take = () => say(char.repeat(length));
    const [before, after] = [text[i - 1] ?? ' ', text[i + length] ?? ' '];
    const left = !/\s/.test(after) && (!SIGN.test(after) || /\s/.test(before) || SIGN.test(before));
    const right = !/\s/.test(before) && (!SIGN.test(before) || /\s/.test(after) || SIGN.test(after));
    const canOpen = char === '_' ? left && (!right || SIGN.test(before)) : left;
    const canClose = char === '_' ? right && (!left || SIGN.test(after)) : right;
    if (char === '~' && length > 2) take();
    else {
      const rest = canClose ? close(char, length, canOpen) : length;
      if (rest > 0 && canOpen && open.length < MOST_OPEN) open.push({ char, count: rest, canClose, children: [] });
      else if (rest > 0) say(char.repeat(rest));
    }
    return length;
  }
}

/** "Rule of three": signs that could both open and close do not pair up when their lengths add to a multiple of three. */
const oddPair = (frame: Frame, length: number, canOpen: boolean): boolean =>
  frame.char !== '~' && (frame.canClose || canOpen) && (frame.count + length) % 3 === 0 && (frame.count % 3 !== 0 || length % 3 !== 0);

const SPECIAL = /[\\`*_~[!<&h\n]/;
const SPECIALS = /[\\`*_~[!<&h\n]/g;
const SIGN = /[\p{P}\p{S}]/u;
const ASCII_SIGN = /[!-/:-@[-`{-~]/;

function nextSpecial(text: string, from: number): number {
  SPECIALS.lastIndex = from;
  return SPECIALS.exec(text)?.index ?? text.length;
}
function runOf(text: string, at: number): number {
  let end = at;
  while (text[end] === text[at]) end += 1;
  return end - at;
}

/** Where each code span and each bracket that is closed ends, in one pass. */
function pairsOf(text: string): { codeEnd: Map<number, number>; bracketEnd: Map<number, number> } {
  const codeEnd = new Map<number, number>();
  const bracketEnd = new Map<number, number>();
  const runs = new Map<number, number[]>();
  for (let i = 0; i < text.length; ) {
    if (text[i] !== '`') {
      i += 1;
      continue;
    }
    const length = runOf(text, i);
    if (runs.get(length)?.push(i) === undefined) runs.set(length, [i]);
    i += length;
  }
  const seen = new Map<number, number>();
  const brackets: number[] = [];
  for (let i = 0; i < text.length; ) {
    const char = text[i];
    if (char === '\\') i += 2;
    else if (char === '`') {
      const length = runOf(text, i);
      const places = runs.get(length) ?? [];
      let next = seen.get(length) ?? 0;
      while (next < places.length && (places[next] as number) <= i) next += 1;
      seen.set(length, next);
      const end = places[next];
      if (end !== undefined) codeEnd.set(i, end + length);
      i = end === undefined ? i + length : end + length;
    } else {
      if (char === '[') brackets.push(i);
      else if (char === ']') {
        const start = brackets.pop();
        if (start !== undefined) bracketEnd.set(start, i);
      }
      i += 1;
    }
  }
  return { codeEnd, bracketEnd };
}

/** `(address "title")`, `[reference]`, or the label as its own reference. */
function targetBehind(text: string, at: number, label: string, references: References): (Reference & { to: number }) | undefined {
  if (text[at] === '(') {
    const found = /^\(\s{0,20}(?:<([^<>\n]*)>|((?:[^\s()\\]|\\.|\([^\s()]*\))*))(?:\s{1,20}(?:"([^"]*)"|'([^']*)'))?\s{0,20}\)/.exec(text.slice(at, at + 4096));
    if (found !== null) return { href: unescaped(found[1] ?? found[2] ?? ''), title: unescaped(found[3] ?? found[4] ?? ''), to: at + found[0].length };
  }
  const full = /^\[([^[\]]{0,999})\]/.exec(text.slice(at, at + 1001));
  const reference = references.get(referenceKey(full?.[1] === undefined || full[1] === '' ? label : full[1]));
  return reference === undefined ? undefined : { ...reference, to: at + (full?.[0].length ?? 0) };
}

export const referenceKey = (label: string): string => label.slice(0, 1000).trim().replace(/\s+/g, ' ').toLowerCase();
export const unescaped = (text: string): string => text.replace(/\\([!-/:-@[-`{-~])/g, '$1').replaceAll('&amp;', '&');

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', copy: '©' };
function entity(decimal: string | undefined, hex: string | undefined, name: string | undefined): string {
  if (name !== undefined) return NAMED[name.toLowerCase()] ?? '';
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
  return code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? '\ufffd' : String.fromCodePoint(code);
}

/** The words without their look. */
export const plainText = (inlines: Inline[]): string =>
  inlines
    .map((one) => {
      if (one.type === 'break') return ' ';
      if (one.type === 'image') return one.alt;
      return 'text' in one ? one.text : plainText(one.children);
    })
    .join('');
