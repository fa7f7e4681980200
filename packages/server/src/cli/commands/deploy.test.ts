import { expect, it } from 'vitest';
import { beside } from './deploy.ts';

it('a canary takes its share from the others in proportion', () => {
  const now = [
    { version: 1, weight: 75, shadow: false },
    { version: 2, weight: 25, shadow: false },
  ];
  expect(beside(now, { version: 3 }, 20).map((t) => t.weight)).toEqual([60, 20, 20]);
});

it('a canary that is deployed again replaces itself', () => {
  const now = [
    { alias: 'champion', weight: 90, shadow: false },
    { version: 3, weight: 10, shadow: false },
  ];
  expect(beside(now, { version: 3 }, 50)).toEqual([
    { alias: 'champion', weight: 50, shadow: false },
    { version: 3, weight: 50, shadow: false },
  ]);
});

it('a shadow takes no traffic', () => {
  expect(beside([{ alias: 'champion', weight: 100, shadow: false }], { version: 2 }, undefined)).toEqual([
    { alias: 'champion', weight: 100, shadow: false },
    { version: 2, weight: 0, shadow: true },
  ]);
});
