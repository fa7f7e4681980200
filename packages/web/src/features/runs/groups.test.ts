import { expect, test } from 'vitest';
import { groupable, groupId, groupName, groupOrder, withinGroup } from './groups.ts';

const group = (values: (string | null)[]) => ({ values, runs: 1, startedFrom: 1, startedTo: 1, metrics: {}, params: {}, tags: {}, attributes: {} });

test('params, tags and some attributes group, each once, four at most', () => {
  expect(groupable(['m:auc', 'p:a', 'p:a', 't:b', 'x', 'a:started', 'a:dataset', 'p:d', 'p:e'])).toEqual(['p:a', 't:b', 'a:dataset', 'p:d']);
});
test('an order of runs becomes one of groups', () => {
  const order = (sort: string | undefined) => groupOrder(sort, ['m:auc', 'p:model'], ['p:model', 't:team']);
  expect(order(undefined)).toEqual({ by: 'started', key: '', ascending: false });
  expect(order('metrics.`auc` DESC')).toEqual({ by: 'metric', key: 'auc', ascending: false });
  expect(order('metrics.`not shown` ASC')).toEqual({ by: 'metric', key: 'not shown', ascending: true });
  expect(order('tags.`team` ASC')).toEqual({ by: 'value', key: '1', ascending: true });
  expect(order('attributes.run_name DESC')).toEqual({ by: 'runs', key: '', ascending: false });
  expect(order('attributes.start_time ASC')).toEqual({ by: 'started', key: '', ascending: true });
  expect(order('params.`other` ASC')).toEqual({ by: 'started', key: '', ascending: false });
});
test('a group is named by what its runs are alike in', () => {
  expect(groupName(group(['boosted', null, '', 'a\nb']), ['p:model', 'p:depth', 't:team', 'a:dataset'])).toBe(
    "model = boosted, depth not set, team = '', dataset = a, b",
  );
});
test('an empty text is not the same as none, nor do values run into each other', () => {
  expect(new Set([[''], [null], ['x,y'], ['x', 'y']].map(groupId)).size).toBe(4);
  expect(withinGroup(['p:a', 'a:user'], ['', null])).toEqual([
    { column: { kind: 'param', key: 'a' }, value: '' },
    { column: { kind: 'attribute', key: 'user' }, value: null },
  ]);
});
