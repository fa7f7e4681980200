import { expect, test } from 'vitest';
import { parseDelimited, previewKind } from './preview.ts';

test.each([
  ['plots/roc.PNG', 'image'],
  ['model/MLmodel', 'text'],
  ['a/metrics.json', 'json'],
  ['x.csv', 'table'],
  ['model.onnx', 'none'],
  ['conda.yaml', 'text'],
  ['folder.csv/data', 'none'],
] as const)('%s is shown as %s', (path, kind) => expect(previewKind(path)).toBe(kind));

test('quotes, doubled quotes, line ends inside fields, CRLF and a missing last line end', () => {
  expect(parseDelimited('a,b\r\n"x, ""y""","1\n2"\n,last', ',', 10)).toEqual([
    ['a', 'b'],
    ['x, "y"', '1\n2'],
    ['', 'last'],
  ]);
});
test('reading stops at the limit', () => expect(parseDelimited('1\n2\n3\n4', ',', 2)).toEqual([['1'], ['2']]));
test('an empty file has no rows', () => expect(parseDelimited('', ',', 5)).toEqual([]));
