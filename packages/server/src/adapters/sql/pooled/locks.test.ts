import { expect, it } from 'vitest';
import type { StoreClass } from '../engine.ts';
import { locksOf, queueOf } from './locks.ts';

const stores = {
  shop: { reads: new Set(), scopes: { paint: (door: string) => `door ${door}`, add: () => null } },
  till: { reads: new Set() },
  broom: { reads: new Set(), excludes: ['shop'] },
} as unknown as Record<string, StoreClass>;
const locks = (...commands: [store: string, method: string, ...args: unknown[]][]) =>
  locksOf(
    stores,
    commands.map(([store, method, ...args]) => ({ store, method, args })),
  );

it('a method that names what it changes holds that alone, and its store with others', () => {
  expect(locks(['shop', 'paint', 'b'])).toEqual([
    { name: 'shop', shared: true },
    { name: 'shop/door b', shared: false },
  ]);
  expect(queueOf(locks(['shop', 'paint', 'b']))).toBe('shop/door b');
});

it('a method that only adds waits for nobody', () => {
  expect(locks(['shop', 'add'])).toEqual([{ name: 'shop', shared: true }]);
  expect(queueOf(locks(['shop', 'add']))).toBeUndefined();
});

it('a method that names nothing has the store alone, and with it all in it', () => {
  expect(locks(['shop', 'paint', 'b'], ['shop', 'close'])).toEqual([{ name: 'shop', shared: false }]);
});

it('a store that changes what is another one’s has that alone, too', () => {
  expect(locks(['broom', 'sweep'])).toEqual([
    { name: 'broom', shared: false },
    { name: 'shop', shared: false },
  ]);
});

it('all take their locks in one order', () => {
  const both = [
    { name: 'shop', shared: true },
    { name: 'till', shared: false },
    { name: 'shop/door a', shared: false },
    { name: 'shop/door b', shared: false },
  ];
  expect(locks(['till', 'open'], ['shop', 'paint', 'b'], ['shop', 'paint', 'a'])).toEqual(both);
  expect(locks(['shop', 'paint', 'a'], ['shop', 'paint', 'b'], ['till', 'open'])).toEqual(both);
});
