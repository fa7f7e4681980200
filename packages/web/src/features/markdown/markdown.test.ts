import { expect, test } from 'vitest';
import { type Block, type Inline, parseMarkdown } from './parse.ts';
import { targetOf } from './targets.ts';

/** A short form to compare by. */
const show = (inlines: Inline[]): string =>
  inlines
    .map((one) => {
      if (one.type === 'break') return '⏎';
      if (one.type === 'image') return `img(${one.href}|${one.alt})`;
      if (one.type === 'link') return `a(${one.href}|${show(one.children)})`;
      if (one.type === 'code') return `code(${one.text})`;
      return one.type === 'text' ? one.text : `${one.type}(${show(one.children)})`;
    })
    .join('');
const block = (one: Block): unknown => {
  switch (one.type) {
    case 'heading':
      return `h${one.level} ${show(one.inlines)}`;
    case 'paragraph':
      return show(one.inlines);
    case 'code':
      return { code: one.text, language: one.language };
    case 'quote':
      return { quote: one.blocks.map(block) };
    case 'list':
      return {
        [`${one.ordered ? `ol ${one.start}` : 'ul'}${one.tight ? '' : ' loose'}`]: one.items.map((i) => [
          ...(i.checked === null ? [] : [i.checked]),
          ...i.blocks.map(block),
        ]),
      };
    case 'table':
      return { table: [one.head, ...one.rows].map((row) => row.map(show)), align: one.align };
    default:
      return '---';
  }
};
const blocks = (text: string): unknown[] => (parseMarkdown(text) ?? []).map(block);

test.each([
  ['*a* **b** ***c*** ~~d~~ _e_', 'em(a) strong(b) em(strong(c)) del(d) em(e)'],
  ['**a *b* c**', 'strong(a em(b) c)'],
  ['snake_case_name 2 * 3 * 4 \\*a\\*', 'snake_case_name 2 * 3 * 4 *a*'],
  ['*a **b* c', '*a *em(b) c'],
  ['`a*b*` ``c ` d`` `open', 'code(a*b*) code(c ` d) `open'],
  ['a  \nb\\\nc\nd', 'a⏎b⏎c\nd'],
  ['[a *b*](http://x/y_(z) "t") ![i](p.png)', 'a(http://x/y_(z)|a em(b)) img(p.png|i)'],
  ['[![i](p.png)](http://x)', 'a(http://x|img(p.png|i))'],
  ['*a [b* c](d)', '*a a(d|b* c)'],
  ['[no link] [x](', '[no link] [x]('],
  ['see (https://x.y/z). <http://q>', 'see (a(https://x.y/z|https://x.y/z)). a(http://q|http://q)'],
  ['&lt;b&gt; &#x1F6A2; &#0; &nope;', '<b> 🚢 � &nope;'],
  ['<script>alert(1)</script> <img src=x onerror=y>', '<script>alert(1)</script> <img src=x onerror=y>'],
  ['été_plus **données**', 'été_plus strong(données)'],
])('%s', (text, shown) => expect(blocks(text)).toEqual([shown]));

test('headings, rules, paragraphs, quotes and code', () => {
  expect(blocks('# One #\ntext\nmore\n\nTwo\n---\n***\n> q\nlazy\n> > deep\n\n```py x\na\n  b\n```\n    indented\n\n~~~\nopen')).toEqual([
    'h1 One',
    'text\nmore',
    'h2 Two',
    '---',
    { quote: ['q\nlazy', { quote: ['deep'] }] },
    { code: 'a\n  b', language: 'py' },
    { code: 'indented', language: '' },
    { code: 'open', language: '' },
  ]);
});
test('lists: nested, numbered, loose, of tasks', () => {
  expect(blocks('- a\n  - b\n  - c\n- d\n\n3. x\n4. y\n   more\n\n- [ ] open\n- [x] done')).toEqual([
    { ul: [['a', { ul: [['b'], ['c']] }], ['d']] },
    { 'ol 3': [['x'], ['y\nmore']] },
    {
      ul: [
        [false, 'open'],
        [true, 'done'],
      ],
    },
  ]);
  expect(blocks('* a\n\n* b\n\n  c\n')).toEqual([{ 'ul loose': [['a'], ['b', 'c']] }]);
  expect(blocks('1986. A year')).toEqual([{ 'ol 1986': [['A year']] }]);
});
test('tables with alignment, escaped bars and short rows', () => {
  expect(blocks('| a | *b* |\n|:--|--:|\n| 1 \\| 2 | `x` |\n| 3 |\n\nafter')).toEqual([
    {
      table: [
        ['a', 'em(b)'],
        ['1 | 2', 'code(x)'],
        ['3', ''],
      ],
      align: ['left', 'right'],
    },
    'after',
  ]);
});
test('links by reference, defined anywhere but in code', () => {
  expect(blocks('[a][R] and [r] and [b][]\n\n[r]: http://x "t"\n[b]: <y.md>\n\n```\n[r2]: z\n```')).toEqual([
    'a(http://x|a) and a(http://x|r) and a(y.md|b)',
    { code: '[r2]: z', language: '' },
  ]);
});

test.each([
  ['javascript:alert(1)', 'none'],
  ['JaVa\tScRiPt:alert(1)', 'none'],
  ['\u0001javascript:x', 'none'],
  ['data:text/html,x', 'none'],
  ['vbscript:x', 'none'],
  ['file:///etc/passwd', 'none'],
  ['//evil.example/x', 'none'],
  ['#part', 'none'],
  ['../../../up.md', 'none'],
  ['%2e%2e/%2e%2e/%2e%2e/x', 'none'],
  ['HTTPS://x.y/', 'web HTTPS://x.y/'],
  ['mailto:a@b', 'web mailto:a@b'],
  ['plot.png', 'file docs/a/plot.png'],
  ['../b%20c.md?x#y', 'file docs/b c.md'],
  ['/root.md', 'file root.md'],
  ['50%.png', 'file docs/a/50%.png'],
])('%s leads to %s', (href, expected) => {
  const target = targetOf(href, 'docs/a');
  expect(target.kind === 'web' ? `web ${target.href}` : target.kind === 'file' ? `file ${target.path}` : 'none').toBe(expected);
});

test.each([
  ['brackets', '['.repeat(50_000)],
  ['links', '[a]('.repeat(20_000)],
  ['stars', '*a **b '.repeat(20_000)],
  ['closers', '*a_ '.repeat(30_000)],
  ['backticks', Array.from({ length: 500 }, (_, i) => '`'.repeat(i + 1)).join(' ')],
  ['quotes', '> '.repeat(50_000)],
  ['lists', Array.from({ length: 500 }, (_, i) => `${' '.repeat(i * 2)}- x`).join('\n')],
  ['images', '![a'.repeat(30_000) + ']'.repeat(30_000)],
  ['bars', `${'|'.repeat(50_000)}\n${'|-'.repeat(50_000)}`],
  ['spaces', `${' '.repeat(99_000)}x`],
  ['addresses', 'http://a'.repeat(20_000)],
])('%s without end are read all the same', (_, text) => {
  // Nesting that is too deep is said to be so.
  expect(parseMarkdown(text.slice(0, 100_000))?.length).not.toBe(0);
});
