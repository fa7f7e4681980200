import { expect, test } from 'vitest';
import { formatPercent } from '../../ui/format.ts';
import { fromTarget, rebalance, type Target, toTarget, trafficProblem, trafficText } from './traffic.ts';

const t = (ref: string, weight: number, shadow = false): Target => ({ ref, weight, shadow });

test('targets survive the way to the form and back', () => {
  for (const target of [
    { alias: 'champion', weight: 90, shadow: false },
    { version: 3, weight: 10, shadow: false },
  ])
    expect(fromTarget(toTarget(target))).toEqual(target);
});
test('a new weight leaves the others their proportions and the sum at 100', () => {
  const out = rebalance([t('alias:a', 50), t('version:2', 30), t('version:3', 20), t('version:4', 7, true)], 0, 80);
  expect(out.map((x) => x.weight)).toEqual([80, 12, 8, 7]);
});
test('a single target always gets everything, thirds still add up', () => {
  expect(rebalance([t('alias:a', 100)], 0, 30)[0]?.weight).toBe(100);
  const out = rebalance([t('a:1', 0), t('a:2', 0), t('a:3', 0), t('a:4', 0)], 0, 0);
  expect(out.reduce((n, x) => n + x.weight, 0)).toBeCloseTo(100);
});
test.each([
  [[], 'Add at least one target.'],
  [[t('alias:a', 60), t('version:1', 30)], 'The weights of the answering targets add up to 90, not to 100.'],
  [[t('alias:a', 50), t('alias:a', 50)], 'Each version or alias may appear once only.'],
  [[t('alias:a', 100, true)], 'At least one target must answer; the others may be shadows.'],
  [[t('alias:a', 90), t('version:1', 10), t('version:2', 100, true)], undefined],
])('%j: %s', (targets, problem) => expect(trafficProblem(targets)).toBe(problem));

test('tells the traffic as a text', () => {
  const traffic = [
    { alias: 'champion', weight: 90, shadow: false },
    { version: 3, weight: 10, shadow: false },
    { version: 4, weight: 100, shadow: true },
  ];
  expect(trafficText(traffic)).toBe(`@champion ${formatPercent(0.9)}, version 3 ${formatPercent(0.1)}, version 4 shadow`);
  expect(trafficText([])).toBe('Nothing is served.');
});
