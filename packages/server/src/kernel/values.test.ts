import { expect, it } from 'vitest';
import { BinnacleError, shown } from './index.ts';

it('a value is shown as JSON would, and what JSON does not have by its name', () => {
  for (const [value, text] of [
    [5, '5'],
    [Number.NaN, 'NaN'],
    [2n ** 70n, '1180591620717411303424'],
    [null, 'null'],
    [undefined, 'undefined'],
    ['a "b"', '"a \\"b\\""'],
    [[1, [2n], {}], '[1,[2],{}]'],
    [JSON.parse('{"a":1,"__proto__":["x"],"toString":null}'), '{"a":1,"__proto__":["x"],"toString":null}'],
  ] as [unknown, string][])
    expect(shown(value)).toBe(text);
});

it('what is long, wide, deep or cuts a character in two is shown in part', () => {
  expect(shown('x'.repeat(1e7), 10)).toBe(`"${'x'.repeat(9)}…`);
  expect(
    shown(
      Array.from({ length: 1e6 }, () => 1),
      9,
    ),
  ).toBe('[1,1,1,1,…');
  expect(shown(JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))).length).toBeLessThan(100);
  expect(shown(JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)).length).toBeLessThan(102);
  expect(shown('🚢🚢', 2).isWellFormed()).toBe(true);
});

it('an error does not send a whole body back', () => {
  const { message } = new BinnacleError('invalid', 'x', 'y'.repeat(1e6));
  expect(message.length).toBe(8001);
});
