import { expect, it } from 'vitest';
import { exhausted, invalid } from '../../kernel/index.ts';
import { parseTimeout } from './deadline.ts';
import { encodeMessage, toWireStatus } from './status.ts';

it('a message is percent-encoded where it is no printable ASCII', () => {
  expect(encodeMessage('plain text, "quoted"')).toBe('plain text, "quoted"');
  expect(encodeMessage('100 % größe\n')).toBe('100 %25 gr%C3%B6%C3%9Fe%0A');
});

it('a message is no longer than a header may be', () => {
  const encoded = encodeMessage('ü'.repeat(10_000));
  expect(encoded.length).toBeLessThan(14_000);
  expect(decodeURIComponent(encoded)).toMatch(/^ü+…$/);
});

it.each([
  ['1H', 3_600_000],
  ['2M', 120_000],
  ['3S', 3000],
  ['40m', 40],
  ['5000u', 5],
  ['99999999n', 99.999999],
])('the time-out %s is %i ms', (text, ms) => expect(parseTimeout(text)).toBeCloseTo(ms));

it.each(['', '5', 'S', '-1S', '1.5S', '123456789S', '5s', ' 5S'])('the time-out %j is malformed', (text) => expect(parseTimeout(text)).toBeNaN());

it('what is no error of ours tells nothing of itself', () => {
  expect(toWireStatus(new Error('secret'))).toEqual({ status: 13, message: 'the server made a mistake; its log says more' });
  expect(toWireStatus(exhausted('queue_full', 'Exceeds maximum queue size'))).toEqual({ status: 14, message: 'Exceeds maximum queue size' });
  expect(toWireStatus(invalid('x', 'wrong'))).toEqual({ status: 3, message: 'wrong' });
});
