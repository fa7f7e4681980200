import type { RunRow } from '@binnacle/contract';
import { expect, test } from 'vitest';
import { commonValue, groupable, groupRuns, spreadOf } from './groups.ts';

const run = (id: string, params: Record<string, string>, metrics: RunRow['metrics'] = {}, tags: Record<string, string> = {}): RunRow => ({
  id,
  experimentId: '1',
  name: id,
  status: 'FINISHED',
  user: 'u',
  startedAt: 1,
  endedAt: 2,
  lifecycleStage: 'active',
  metrics,
  params,
  tags,
  datasets: [],
});
const runs = [
  run('1', { model: 'a', lr: '1' }, { auc: 0.5 }, { team: 'x' }),
  run('2', { model: 'b', lr: '1' }, { auc: 0.9 }),
  run('3', { model: 'a', lr: '2' }, { auc: 0.7 }),
  run('4', { lr: '2' }),
];
const shown = (by: string[], sort?: string) =>
  groupRuns(runs, by, sort).map((g) => `${g.values.map((v) => v ?? '–').join('/')}: ${g.runs.map((r) => r.id).join(' ')}`);

test('runs with the same values are a group, in the order of the first; a missing value is a value', () => {
  expect(shown(['p:model'])).toEqual(['a: 1 3', 'b: 2', '–: 4']);
  expect(shown(['p:model', 't:team'])).toEqual(['a/x: 1', 'b/–: 2', 'a/–: 3', '–/–: 4']);
});
test('an empty text is not the same as none, nor do values run into each other', () => {
  const groups = groupRuns([run('1', { a: '' }), run('2', {}), run('3', { a: 'x,y' }), run('4', { a: 'x', b: 'y' })], ['p:a', 'p:b']);
  expect(groups.map((g) => g.runs.length)).toEqual([1, 1, 1, 1]);
});
test('in an order by a metric the groups go by its mean, those without it last', () => {
  expect(shown(['p:model'], 'metrics.`auc` DESC')).toEqual(['b: 2', 'a: 1 3', '–: 4']);
  expect(shown(['p:model'], 'metrics.`auc` ASC')).toEqual(['a: 1 3', 'b: 2', '–: 4']);
  expect(shown(['p:model'], 'attributes.start_time ASC')).toEqual(['a: 1 3', 'b: 2', '–: 4']);
});
test('mean and sample deviation, of the finite values only', () => {
  const spread = spreadOf([run('1', {}, { m: 1 }), run('2', {}, { m: 3 }), run('3', {}, { m: 'NaN' }), run('4', {})], 'm');
  expect(spread).toEqual({ count: 2, mean: 2, deviation: Math.SQRT2, min: 1, max: 3 });
  expect(spreadOf([run('1', {}, { m: 5 })], 'm')).toEqual({ count: 1, mean: 5, deviation: undefined, min: 5, max: 5 });
  expect(spreadOf([run('1', {}, { m: 'Infinity' })], 'm')).toBeUndefined();
});
test('values far from zero keep their spread', () => {
  const far = [1e9, 1e9 + 1, 1e9 + 2].map((m, i) => run(String(i), {}, { m }));
  expect(spreadOf(far, 'm')?.deviation).toBeCloseTo(1, 9);
});
test('a column shows what the runs share', () => {
  expect(commonValue(runs, 'p:lr')).toEqual({ many: 2 });
  expect(commonValue(runs.slice(0, 2), 'p:lr')).toEqual({ value: '1' });
});
test('only params and tags group, each once, four at most', () => {
  expect(groupable(['m:auc', 'p:a', 'p:a', 't:b', 'x', 'p:c', 'p:d', 'p:e'])).toEqual(['p:a', 't:b', 'p:c', 'p:d']);
});
