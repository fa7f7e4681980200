import type { RunRow } from '@binnacle/contract';
import { describe, expect, test } from 'vitest';
import { cellValue, defaultColumns, fitLink, mergeRows, nextSort, orderKey, parseColumn, requestedColumns, varyingColumns } from './columns.ts';

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
describe('a refreshed first page', () => {
  const ids = (merged: { runs: RunRow[] }) => merged.runs.map((r) => r.id).join(' ');
  const old = [run('4'), run('3'), run('2')];
  const older = [run('1'), run('0')];

  test('takes precedence, and no run shows twice', () => {
    const merged = mergeRows([run('5'), run('4'), run('3', { name: 'new' })], [old, older]);
    expect([ids(merged), merged.runs[2]?.name, merged.gap]).toEqual(['5 4 3 2 1 0', 'new', false]);
  });
  test('alone replaces the one before', () => {
    expect(ids(mergeRows([run('5')], [old]))).toBe('5');
    expect(mergeRows(undefined, [old]).runs).toBe(old);
  });
  test('takes away what was deleted or no longer matches, also when more pages are loaded', () => {
    expect(ids(mergeRows([run('4'), run('2'), run('1')], [old, older]))).toBe('4 2 1 0');
  });
  test('that does not reach the runs before it says that there is a gap', () => {
    expect(mergeRows([run('9'), run('8'), run('7')], [old, older])).toMatchObject({ gap: true, runs: [{ id: '9' }, { id: '8' }, { id: '7' }] });
  });
  test('with one run that jumped up keeps the others', () => {
    const pages = [
      Array.from({ length: 3 }, (_, i) => run(`a${i}`)),
      Array.from({ length: 3 }, (_, i) => run(`b${i}`)),
      Array.from({ length: 3 }, (_, i) => run(`c${i}`)),
    ];
    expect(ids(mergeRows([run('a0'), run('a1'), run('c2')], pages))).toBe('a0 a1 c2 a2 b0 b1 b2 c0 c1');
  });
  test('that is empty empties the table', () => {
    expect(mergeRows([], [old, older])).toEqual({ runs: [], gap: false });
  });
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
