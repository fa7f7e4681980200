import { expect, it } from 'vitest';
import { operations, TrafficTarget } from './index.ts';

it('a traffic target that names both an alias and a version is refused', () => {
  expect(TrafficTarget.safeParse({ alias: 'champion', version: 1 }).success).toBe(false);
});

it('no two operations share a method and a path', () => {
  const keys = Object.values(operations).map((op) => `${op.method} ${op.path.replace(/\{\w+\}/g, '{}')}`);
  expect(new Set(keys).size).toBe(keys.length);
});
