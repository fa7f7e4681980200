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
test('an axis of a row carries its kind and key', () => {
  expect(makeAxis(row('param', 'lr', ['0.1', '0.3', null]), String)).toMatchObject({ id: 'param:lr', label: 'lr', positions: [0, 1, null] });
});
