import { expect, test } from 'vitest';
import { ALL_CLOSED, openness, sectionsOf, toggled, treeRows } from './tree.ts';

const rows = (keys: string[], fold: string[] = []) =>
  treeRows(keys, (key) => key, openness(fold)).map((row) =>
    row.kind === 'leaf' ? `${'  '.repeat(row.depth)}${row.label}` : `${'  '.repeat(row.depth)}${row.open ? '-' : '+'}${row.label} (${row.keys.length})`,
  );

test('keys with a common beginning are leaves of a branch, in the order in which they come', () => {
  expect(rows(['epoch', 'train/accuracy', 'train/loss', 'val/loss', 'val/roc/auc', 'val/roc/gini'])).toEqual([
    'epoch',
    '-train (2)',
    '  accuracy',
    '  loss',
    '-val (3)',
    '  loss',
    '  -roc (2)',
    '    auc',
    '    gini',
  ]);
});
test('a branch with one leaf or one branch is no level of its own', () => {
  expect(rows(['a/b/c', 'model/layer/0', 'model/layer/1'])).toEqual(['a/b/c', '-model/layer (2)', '  0', '  1']);
});
test('a key may be the beginning of others', () => {
  expect(rows(['train', 'train/a', 'train/b'])).toEqual(['train', '-train (2)', '  a', '  b']);
});
test('slashes at an end, doubled ones and odd names stay in the name', () => {
  expect(rows(['/a', '/b', 'c/', 'd//e', 'd//f', '__proto__/x', '__proto__/y', '/'])).toEqual([
    '/a',
    '/b',
    'c/',
    'd//e',
    'd//f',
    '-__proto__ (2)',
    '  x',
    '  y',
    '/',
  ]);
});
test('closed branches keep their count and hide their leaves', () => {
  const keys = ['train/a', 'train/b', 'val/a', 'val/b'];
  expect(rows(keys, ['train'])).toEqual(['+train (2)', '-val (2)', '  a', '  b']);
  expect(rows(keys, ALL_CLOSED)).toEqual(['+train (2)', '+val (2)']);
  expect(rows(keys, toggled(ALL_CLOSED, 'val'))).toEqual(['+train (2)', '-val (2)', '  a', '  b']);
  expect(toggled(toggled(ALL_CLOSED, 'val'), 'val')).toEqual(ALL_CLOSED);
});
test('12,000 keys are quick', () => {
  const keys = Array.from({ length: 12_000 }, (_, i) => `layer_${String(i % 400).padStart(3, '0')}/block_${i % 7}/weight_${i}`);
  const before = performance.now();
  expect(treeRows(keys, (key) => key, openness(ALL_CLOSED))).toHaveLength(400);
  expect(performance.now() - before).toBeLessThan(500);
});
test('sections go by the first name, and what stands alone comes first', () => {
  expect(sectionsOf(['loss', 'train/a', 'train/b/c', 'val/a', '/odd'])).toEqual([
    { path: '', keys: ['loss', '/odd', 'val/a'] },
    { path: 'train', keys: ['train/a', 'train/b/c'] },
  ]);
  expect(sectionsOf([])).toEqual([]);
});
