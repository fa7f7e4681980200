import type { RunRow } from '@binnacle/contract';
import { expect, test } from 'vitest';
import { cellValue, defaultColumns, fitLink, nextSort, orderKey, parseColumn, requestedColumns, varyingColumns } from './columns.ts';

const run = (id: string, more: Partial<RunRow> = {}): RunRow => ({
  id,
  experimentId: '1',
  name: id,
  status: 'FINISHED',
  user: 'u',
  startedAt: 1,
  endedAt: 2,
  lifecycleStage: 'active',
  metrics: {},
  params: {},
  tags: {},
  datasets: [],
  ...more,
});

test('ids keep colons in keys and unknown ones are dropped', () => {
  expect(parseColumn('m:val:auc')).toEqual({ kind: 'm', key: 'val:auc' });
  expect([parseColumn('x:y'), parseColumn('m:'), parseColumn('')]).toEqual([undefined, undefined, undefined]);
});
test('only picked columns are asked for, once', () => {
  expect(requestedColumns(['a:started', 'm:auc', 'm:auc', 'p:lr', 't:owner', 'zz'])).toEqual({ metrics: ['auc'], params: ['lr'], tags: ['owner'] });
});
test('the default leaves out system metrics and stays small', () => {
  const columns = defaultColumns({ metrics: ['system/cpu', 'a', 'b', 'c', 'd', 'e', 'f'], params: [] });
  expect(columns).toEqual(['a:started', 'a:duration', 'm:a', 'm:b', 'm:c', 'm:d', 'm:e']);
});
test('order_by quotes keys, also those with backticks', () => {
  expect(orderKey('m:val auc')).toBe('metrics.`val auc`');
  expect(orderKey('p:a`b')).toBe('params."a`b"');
  expect(orderKey('a:started')).toBe('attributes.start_time');
  expect(orderKey('a:duration')).toBeUndefined();
});
test('a header goes from descending over ascending to none', () => {
  const first = nextSort('m:auc', undefined);
  const second = nextSort('m:auc', first);
  expect([first, second, nextSort('m:auc', second)]).toEqual(['metrics.`auc` DESC', 'metrics.`auc` ASC', undefined]);
  expect(nextSort('a:duration', 'metrics.`auc` ASC')).toBe('metrics.`auc` ASC');
});
test('diff-only keeps what varies, counting a missing value as different', () => {
  const runs = [run('1', { params: { lr: '0.1', seed: '1' }, metrics: { auc: 0.6 } }), run('2', { params: { lr: '0.1' }, metrics: { auc: 0.7 } })];
  expect(varyingColumns(runs, ['a:started', 'p:lr', 'p:seed', 'm:auc', 'a:user'])).toEqual(['a:started', 'p:seed', 'm:auc']);
  expect(varyingColumns(runs.slice(0, 1), ['p:lr'])).toEqual(['p:lr']);
});
test('more columns than a link can hold are cut', () => {
  const many = Array.from({ length: 500 }, (_, i) => `m:layer_${i}/gradient_norm`);
  const kept = fitLink(many);
  expect(kept.length).toBeGreaterThan(100);
  expect(encodeURIComponent(JSON.stringify(kept)).length).toBeLessThan(5100);
  expect(fitLink(['a:started'])).toEqual(['a:started']);
});
test('duration of a run that was never started is empty', () => {
  expect(cellValue(run('1', { startedAt: null }), { kind: 'a', key: 'duration' })).toBeNull();
  expect(cellValue(run('1'), { kind: 'a', key: 'duration' })).toBe(1);
});
