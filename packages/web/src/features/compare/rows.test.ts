import { expect, test } from 'vitest';
import { type CompareRow, makeAxis, orderRows, varyingAxes } from './rows.ts';

const row = (kind: CompareRow['kind'], key: string, values: CompareRow['values'], differs = true): CompareRow => ({ kind, key, values, differs });

test('differences come first, params before metrics before tags', () => {
  const rows = [row('tag', 'z', ['1', '2']), row('metric', 'auc', [0.6, 0.7]), row('param', 'seed', ['1', '1'], false), row('param', 'lr', ['1', '2'])];
  expect(orderRows(rows, false, '').map((r) => r.key)).toEqual(['lr', 'auc', 'z', 'seed']);
  expect(orderRows(rows, true, '').map((r) => r.key)).toEqual(['lr', 'auc', 'z']);
  expect(orderRows(rows, false, 'AU').map((r) => r.key)).toEqual(['auc']);
});
test('the axes are what varies, params first, and always a metric', () => {
  const rows = [
    row('param', 'a', ['1', '2']),
    row('param', 'b', ['1', '2']),
    row('param', 'same', ['1', '1'], false),
    row('param', 'lonely', ['1', null]),
    row('metric', 'auc', [0.6, 0.7]),
  ];
  expect(varyingAxes(rows, 6)).toEqual(['param:a', 'param:b', 'metric:auc']);
  expect(varyingAxes(rows, 2)).toEqual(['param:a', 'metric:auc']);
});
test('params that are numbers get a numeric axis; missing values have no place', () => {
  const axis = makeAxis(row('param', 'lr', ['0.1', '0.3', null]), String);
  expect(axis.positions).toEqual([0, 1, null]);
  expect(axis.ticks).toHaveLength(5);
});
test('words get a place each, one word the middle, NaN none', () => {
  expect(makeAxis(row('param', 'm', ['linear', 'boosted', 'linear']), String).positions).toEqual([0, 1, 0]);
  expect(makeAxis(row('param', 'm', ['x', 'x']), String).positions).toEqual([0.5, 0.5]);
  expect(makeAxis(row('metric', 'auc', [0.5, 'NaN', 1]), String).positions).toEqual([0, null, 1]);
});
