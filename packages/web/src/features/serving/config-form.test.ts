import { expect, it } from 'vitest';
import { readConfig, typedNumber, withGuard, withHeader } from './config-form.ts';

it('reads what is on its way to a number, and leaves alone what is none within the bounds', () => {
  expect(['0', '0.', '0.2', 0.2].map((typed) => typedNumber(typed, { min: 0, max: 1 }))).toEqual([0, 0, 0.2, 0.2]);
  expect([1, '1.', 1.5].map((typed) => typedNumber(typed, { min: 1 }))).toEqual([1, 1, 1.5]);
  expect(typedNumber('', { min: 1 })).toBeNull();
  expect([0, '-', '.', 101].map((typed) => typedNumber(typed, { min: 1, max: 100 }))).toEqual([undefined, undefined, undefined, undefined]);
});

it('writes one condition of the guard and keeps the others; the last one takes the guard along', () => {
  expect(withGuard({ canaryGuard: { errorRate: 0.05 } }, { latencyP99: 1.5 })).toEqual({ canaryGuard: { errorRate: 0.05, latencyP99: 1.5 } });
  expect(withGuard({ maxQueue: 5, canaryGuard: { errorRate: 0.05 } }, { errorRate: undefined }).canaryGuard).toBeUndefined();
});

it('clears the header and keeps the cookie that divides the traffic, too', () => {
  const config = { routing: { by: 'header', header: 'X-User', cookie: 'session' } } as const;
  expect(withHeader(config, '').routing).toEqual({ by: 'header', cookie: 'session' });
  expect(withHeader({ routing: { by: 'header', cookie: 'session' } }, 'X-Id').routing).toEqual({ by: 'header', header: 'X-Id', cookie: 'session' });
  expect(withHeader({ routing: { by: 'header', header: 'X-User' } }, '').routing).toBeUndefined();
});

it('says what is wrong with a configuration', () => {
  expect(readConfig('{')).toHaveProperty('problem');
  expect(readConfig('{"canaryGuard": {"latencyP99": 0}}')).toMatchObject({ problem: expect.stringContaining('canaryGuard.latencyP99') });
});
