import { expect, it } from 'vitest';
import { toPointBatch } from './point-batch.ts';
import { checkKey, checkParam, checkRunId } from './validation.ts';

it.each(['loss', 'val/loss', 'a.b-c d:e', 'größe', '日本語', 'x'.repeat(250), '🚢'.length === 2 ? 'a' : ''])('the key %j is fine', (key) => {
  expect(() => checkKey(key, 'key')).not.toThrow();
});

it.each([
  ['', 'Missing value for required parameter'],
  ['a?b', 'Names may only contain'],
  ['a\nb', 'Names may only contain'],
  ["a'; drop table runs", 'Names may only contain'],
  ['🚢', 'Names may only contain'],
  ['../a', "would resolve to '../a'"],
  ['a/../b', "would resolve to 'b'"],
  ['/a', 'must not resolve'],
  ['a//b', "would resolve to 'a/b'"],
  ['.', 'must not resolve'],
  ['a/', "would resolve to 'a'"],
  ['x'.repeat(251), 'exceeds the maximum length of 250'],
])('the key %j is refused', (key, message) => {
  expect(() => checkKey(key, 'key')).toThrow(message);
});

it('lengths count characters, not halves of surrogate pairs', () => {
  expect(() => checkParam({ key: 'p', value: '🚢'.repeat(6000) })).not.toThrow();
  expect(() => checkParam({ key: 'p', value: '🚢'.repeat(6001) })).toThrow('6000');
});

it('run ids cannot be paths', () => {
  expect(() => checkRunId('0123abc')).not.toThrow();
  for (const id of ['', '../x', 'a b', 'x'.repeat(65)]) expect(() => checkRunId(id)).toThrow('Invalid value');
});

it('points are grouped by series without losing their order', () => {
  const point = (key: string, value: number, modelId: string | null = null) => ({ key, value, timestamp: value, step: value, modelId });
  const batch = toPointBatch([point('a', 1), point('b', 2), point('a', 3), point('a', 4, 'm-1'), point('b', 5)]);
  expect(batch?.series.map(({ key, modelId }) => [key, modelId])).toEqual([
    ['a', null],
    ['b', null],
    ['a', 'm-1'],
  ]);
  expect([...(batch?.offsets ?? [])]).toEqual([0, 2, 4, 5]);
  expect([...(batch?.values ?? [])]).toEqual([1, 3, 2, 5, 4]);
  expect(toPointBatch([])).toBeNull();
});
