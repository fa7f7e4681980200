import { expect, it } from 'vitest';
import { shownTab, shownVersion } from './tabs.ts';

it('leads to the overview where there is no log', () => {
  expect(shownTab('log', [])).toBe('overview');
  expect(shownTab('log', [2])).toBe('log');
  expect(shownTab('try', [])).toBe('try');
  expect(shownTab(undefined, [2])).toBe('overview');
});

it('shows the log of another version when the chosen one has none any more', () => {
  expect(shownVersion(1, [3, 2])).toBe(3);
  expect(shownVersion(2, [3, 2])).toBe(2);
  expect(shownVersion(undefined, [])).toBeUndefined();
});
