import { expect, it } from 'vitest';
import { valuesToJson } from './json-values.ts';
import { valuesFromRaw, valuesToRaw } from './raw-values.ts';

it('bytes that are no text come and go as they are', () => {
  const raw = Buffer.from('\x03\0\0\0\xff\x00\x80\x02\0\0\0\xc3\xa9\0\0\0\0', 'latin1');
  const tensor = valuesFromRaw('x', 'BYTES', [3], raw);
  expect((tensor.data as string[])[1]).toBe('é');
  expect(valuesToRaw(tensor)).toEqual(raw);
  expect(() => valuesToJson(tensor, { bareNaN: false })).toThrow(/bytes that are not UTF-8/);
});
