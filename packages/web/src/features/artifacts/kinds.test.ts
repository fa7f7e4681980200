import { expect, test } from 'vitest';
import { looksLikeText, shownName, viewKind } from './kinds.ts';
import { scriptHosts } from './scripts.ts';

test.each([
  ['plots/roc.PNG', 'image'],
  ['model/MLmodel', 'mlmodel'],
  ['a/metrics.json', 'json'],
  ['x.csv', 'rows'],
  ['x.TSV.gz', 'rows'],
  ['x.parquet', 'rows'],
  ['x.txt.gz', 'none'],
  ['model.onnx', 'none'],
  ['conda.yaml', 'text'],
  ['README.md', 'markdown'],
  ['folder.csv/data', 'unknown'],
  ['Dockerfile', 'text'],
  ['fig.html', 'html'],
  ['source/uncommitted.diff', 'diff'],
  ['w.npy', 'npy'],
  ['constructor', 'unknown'],
] as const)('%s is looked at as %s', (path, kind) => expect(viewKind(path)).toBe(kind));

test('signs that show nothing or turn the direction are named, joiners stay', () => {
  expect(shownName('a\u202Egnp.exe\u200B\n')).toBe('a⟨U+202E⟩gnp.exe⟨U+200B⟩⟨U+000A⟩');
  expect(shownName('👩‍🔬 می‌خواهم <b> é')).toBe('👩‍🔬 می‌خواهم <b> é');
});

test('text is UTF-8 without control characters, cut anywhere', () => {
  const text = new TextEncoder().encode('naïve 🚢\n\tx');
  for (let end = 0; end <= text.length; end += 1) expect(looksLikeText(text.subarray(0, end))).toBe(true);
  expect(looksLikeText(new Uint8Array([0x50, 0x4b, 3, 4, 0]))).toBe(false);
  expect(looksLikeText(new Uint8Array([0xff, 0xfe, 0x41]))).toBe(false);
});

test('the servers that a page asks for scripts and styles', () => {
  expect(
    scriptHosts(
      '<script src="https://cdn.plot.ly/p.js"></script><script type=module src=//X.y/z></script><link rel=stylesheet href=\'http://a:8/s.css\'><script>var a = "https://no.example/";</script><script src="own.js"></script>',
    ),
  ).toEqual(['a:8', 'cdn.plot.ly', 'x.y']);
});
