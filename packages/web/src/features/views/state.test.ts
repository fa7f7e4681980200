import type { SavedView } from '@binnacle/contract';
import { expect, test } from 'vitest';
import { experimentSearch } from '../../app/search.ts';
import { isBare, named, openView, sameState, stateOf } from './state.ts';

const view = (name: string, state: Record<string, unknown>): SavedView => ({
  experimentId: '1',
  name,
  page: 'runs',
  state,
  isDefault: false,
  revision: 1,
  createdAt: 0,
  updatedAt: 0,
});

test('a view keeps filter, order, columns, widths, groups and plot, and leaves ticks and what it does not know aside', () => {
  const state = {
    filter: 'metrics.auc > 1',
    sort: 'metrics.`auc` DESC',
    cols: ['m:auc'],
    widths: { 'm:auc': 200 },
    group: ['p:model'],
    open: ['["boosted"]'],
    plot: true,
    x: 'p:lr',
    stage: 'deleted',
  };
  expect(stateOf('runs', { ...state, sel: ['1'], view: 'mine', ofTheFuture: { deep: 1 }, diff: 'no' })).toEqual(state);
  expect(stateOf('runs', { stage: 'active' })).toEqual({});
});
test('two states are the same whatever the order of their keys, and one that differs is not', () => {
  expect(sameState('runs', { widths: { a: 1, b: 2 }, filter: 'x', sel: ['1'] }, { filter: 'x', widths: { b: 2, a: 1 } })).toBe(true);
  expect(sameState('runs', { filter: 'x' }, { filter: 'y' })).toBe(false);
  expect(sameState('runs', { cols: ['m:a', 'm:b'] }, { cols: ['m:b', 'm:a'] })).toBe(false);
});
test('a view is opened with its whole state, and its link survives being read again', () => {
  for (const name of ['mine', 'deleted', 'all', '12']) {
    for (const state of [{}, { filter: 'x', stage: 'deleted' }, { group: ['p:a'] }]) {
      const search = openView(view(name, state));
      const again = experimentSearch(search as Record<string, unknown>);
      expect(again.view).toBe(name);
      expect(sameState('runs', again as Record<string, unknown>, state)).toBe(true);
      expect(isBare(again)).toBe(false);
    }
  }
});
test('an address without a state is bare, until it says that it means to be', () => {
  expect(isBare(experimentSearch({}))).toBe(true);
  expect(isBare(experimentSearch({ view: 'mine' }))).toBe(true);
  expect(isBare(named('runs', {}))).toBe(false);
});
test('an old link says by view which runs', () => {
  expect(experimentSearch({ view: 'deleted' })).toEqual({ stage: 'deleted' });
});
