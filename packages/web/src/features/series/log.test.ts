import type { SeriesEntry } from '@binnacle/contract';
import { expect, test } from 'vitest';
import { appended, linesOf, matching, pieces } from './log.ts';

const entry = (step: number, value: string, timestamp = step): SeriesEntry => ({ step, timestamp, value, inherited: false });

test('what is asked for again from the last step on is added once', () => {
  const known = [entry(1, 'a'), entry(2, 'b'), entry(2, 'c')];
  expect(appended(known, [entry(2, 'b'), entry(2, 'c'), entry(2, 'd'), entry(2.5, 'e')]).map(({ value }) => value)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(appended(known, [entry(2, 'b'), entry(2, 'c')])).toBe(known);
  expect(appended(known, [entry(2, 'b', 99)]).length).toBe(4);
  expect(appended([], [entry(0, 'x')]).length).toBe(1);
  expect(appended(known, [])).toEqual(known);
});
test('a search finds in any case, and marks what it found', () => {
  const lines = linesOf([entry(0, 'Loss: 1.0\n'), entry(1, 'a.b')]);
  expect(lines[0]?.text).toBe('Loss: 1.0');
  expect(matching(lines, ' loss').map(({ step }) => step)).toEqual([0]);
  expect(matching(lines, '.')).toHaveLength(2);
  expect(pieces('a.b.c', '.')).toEqual(['a', '.', 'b', '.', 'c']);
  expect(pieces('xLoSSx', 'loss')).toEqual(['x', 'LoSS', 'x']);
  expect(pieces('x', '')).toEqual(['x']);
});
test('a terminal’s escapes are left out', () => expect(linesOf([entry(0, '\u001b[31mred\u001b[0m \u001b[2Kx')])[0]?.text).toBe('red x'));
