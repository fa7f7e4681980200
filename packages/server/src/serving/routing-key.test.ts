import { expect, it } from 'vitest';
import { placeOf } from './routing-key.ts';
import { pickByWeight } from './traffic.ts';

const routing = { by: 'header' as const, header: 'X-User', cookie: 'visitor' };
const from = (headers: Record<string, string>, endpoint = 'e') => ({ endpoint, header: (name: string) => headers[name] });
const targets = (canary: number) => [
  { version: 1, weight: 100 - canary },
  { version: 2, weight: canary },
];
const versionOf = (user: string, canary: number, endpoint = 'e') =>
  pickByWeight(targets(canary), placeOf(from({ 'x-user': user }, endpoint), routing) as number)?.version;

it('the weights hold over all values, and a value stays with its version when the canary grows', () => {
  const users = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);
  const at = (canary: number) => users.filter((user) => versionOf(user, canary) === 2);
  expect(at(10).length / users.length).toBeCloseTo(0.1, 1.5);
  expect(at(50).length / users.length).toBeCloseTo(0.5, 1.5);
  const more = new Set(at(50));
  expect(at(10).every((user) => more.has(user))).toBe(true);
  // Another endpoint divides them anew.
  const shared = at(10).filter((user) => versionOf(user, 10, 'other') === 2).length;
  expect(shared / at(10).length).toBeLessThan(0.2);
});

it('takes the header first, then the cookie, and neither from a request that has none', () => {
  const place = (headers: Record<string, string>) => placeOf(from(headers), routing);
  expect(place({ 'x-user': 'a', 'cookie:visitor': 'b' })).toBe(place({ 'x-user': 'a' }));
  expect(place({ 'cookie:visitor': 'a' })).toBe(place({ 'x-user': 'a' }));
  expect(place({})).toBeUndefined();
  expect(place({ 'x-user': '' })).toBeUndefined();
  expect(placeOf(from({ 'x-user': 'a' }), { by: 'weight' })).toBeUndefined();
  expect(placeOf({ endpoint: 'e', header: undefined }, routing)).toBeUndefined();
});
