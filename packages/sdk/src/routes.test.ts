import { operations } from '@binnacle/contract';
import { expect, test } from 'vitest';
import { routes } from './routes.ts';

test('the route table says the same as the contract', () => {
  const expected = Object.fromEntries(Object.entries(operations).map(([id, op]) => [id, `${op.method} ${op.path}`]));
  expect(routes).toEqual(expected);
});
