import { expect, it } from 'vitest';
import { parseModelRef } from './refs.ts';

it.each([
  ['flights@champion', { model: 'flights', alias: 'champion' }],
  ['flights/3', { model: 'flights', version: 3 }],
  ['flights', { model: 'flights', alias: 'champion' }],
])('%s is understood', (text, expected) => {
  expect(parseModelRef(text)).toEqual(expected);
});

it.each(['', 'flights@', '@champion', 'flights/', 'flights/x', 'flights/0'])('"%s" is refused with an example', (text) => {
  expect(() => parseModelRef(text)).toThrow('flight-delays@champion');
});
