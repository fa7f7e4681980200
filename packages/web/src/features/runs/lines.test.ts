import type { RunRow } from '@binnacle/contract';
import { expect, test } from 'vitest';
import { linesOf } from './lines.ts';

const group = (id: string, runs: number) => ({ id, values: [id], runs, startedFrom: 0, startedTo: 0, metrics: {}, params: {}, tags: {}, attributes: {} });
const groups = [group('a', 3), group('b', 1000), group('c', 2)];
const shown = (open: string[], lines: number[]) => {
  const layout = linesOf(groups, new Set(open));
  return lines.map((i) => {
    const line = layout.at(i, (id, place) => (place === 1 ? undefined : ({ id: `${id}${place}` } as RunRow)));
    return line.kind === 'group' ? `${line.group.id}${line.open ? '-' : '+'}` : line.kind === 'run' ? line.run.id : '…';
  });
};

test('closed groups stand one under the other, the runs of an open one below it', () => {
  expect(linesOf(groups, new Set()).count).toBe(3);
  expect(shown([], [0, 1, 2])).toEqual(['a+', 'b+', 'c+']);
  expect(linesOf(groups, new Set(['b', 'gone'])).count).toBe(1003);
  expect(shown(['b'], [0, 1, 2, 3, 4, 1001, 1002])).toEqual(['a+', 'b-', 'b0', '…', 'b2', 'b999', 'c+']);
  expect(shown(['a', 'c'], [0, 1, 3, 4, 5, 6])).toEqual(['a-', 'a0', 'a2', 'b+', 'c-', 'c0']);
});
test('only the pages of open groups that are in view are wanted', () => {
  const layout = linesOf(groups, new Set(['a', 'b']));
  expect(layout.pages(0, 20, 200)).toEqual([
    { section: 'a', page: 0 },
    { section: 'b', page: 0 },
  ]);
  expect(layout.pages(400, 430, 200)).toEqual([
    { section: 'b', page: 1 },
    { section: 'b', page: 2 },
  ]);
  expect(layout.pages(1004, 1005, 200)).toEqual([{ section: 'b', page: 4 }]);
  expect(linesOf([], new Set()).pages(0, 10, 200)).toEqual([]);
});
