import { expect, it } from 'vitest';
import { badTextOf, isLonger, mayHoldBadText } from './index.ts';

it('U+0000 and half a surrogate pair are found wherever they stand, names of fields included', () => {
  expect(badTextOf({ a: [{ b: 'x\0' }] })).toMatchObject({ path: 'a[0].b', text: 'x\0', why: expect.stringContaining('U+0000') });
  expect(badTextOf({ a: { '\ud83d': 1 } })).toMatchObject({ path: 'a', text: '\ud83d', why: expect.stringContaining('Unicode') });
  expect(badTextOf('\udc00')).toMatchObject({ path: '' });
  expect(badTextOf({ a: ['🦀', '\u0001', '\uffff', 5, null, true], b: '\u{10ffff}' })).toBeUndefined();
  expect(badTextOf(JSON.parse('[{"a":'.repeat(50_000) + '"\\u0000"' + '}]'.repeat(50_000)))?.text).toBe('\0');
});

it('JSON that may hold one is told by its escapes', () => {
  for (const bad of ['\0', '\ud83d', '\uDFFF']) expect(mayHoldBadText(JSON.stringify({ a: bad }))).toBe(true);
  expect(mayHoldBadText(JSON.stringify({ a: '🦀 \u0001 u0000' }))).toBe(false);
});

it('characters are counted as Python counts them', () => {
  expect([isLonger('🦀🦀', 2), isLonger('🦀🦀🦀', 2), isLonger('e\u0301', 1), isLonger('xxx', 2), isLonger('xx', 2)]).toEqual([false, true, true, true, false]);
});
