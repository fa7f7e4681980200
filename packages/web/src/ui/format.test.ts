import { describe, expect, test } from 'vitest';
import {
  formatAgo,
  formatBytes,
  formatCompact,
  formatDuration,
  formatInt,
  formatNumber,
  formatPercent,
  formatUtc,
  formatUtcDay,
  plural,
  toNumber,
} from './format.ts';

describe('numbers', () => {
  test.each([
    [0.673123456, '0.67312'],
    [1234.5678, '1,234.6'],
    [123456.789, '123,457'],
    [0, '0'],
    [-0.5, '-0.5'],
    [42, '42'],
    [3_000_000, '3,000,000'],
    [1.23e-7, '1.23e-7'],
    [0.0001, '0.0001'],
    [1e20, '1e20'],
    ['NaN', 'NaN'],
    ['Infinity', '∞'],
    ['-Infinity', '−∞'],
    [null, '–'],
    [undefined, '–'],
    [0.1 + 0.2, '0.3'],
  ] as const)('formatNumber(%s) is %s', (value, text) => expect(formatNumber(value)).toBe(text));

  test('loose numbers become numbers', () => {
    expect(toNumber('Infinity')).toBe(Number.POSITIVE_INFINITY);
    expect(toNumber(null)).toBeNaN();
  });
  test.each([
    [999, '999'],
    [9999, '9,999'],
    [12_345, '12.3k'],
    [1_234_567, '1.23M'],
    [250_000_000, '250M'],
    [null, '–'],
  ] as const)('formatCompact(%s) is %s', (value, text) => expect(formatCompact(value)).toBe(text));
  test.each([
    [0, '0%'],
    [0.0312, '3.1%'],
    [1, '100%'],
    [0.00001, '<0.1%'],
    [null, '–'],
  ] as const)('formatPercent(%s) is %s', (value, text) => expect(formatPercent(value)).toBe(text));
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1_234_567, '1.23 MB'],
    [999_999, '1 MB'],
    [null, '–'],
  ] as const)('formatBytes(%s) is %s', (value, text) => expect(formatBytes(value)).toBe(text));
  test('formatInt groups thousands and survives NaN', () => {
    expect(formatInt(1234567)).toBe('1,234,567');
    expect(formatInt(Number.NaN)).toBe('–');
  });
  test('plural agrees with its count', () => {
    expect([plural(0, 'run'), plural(1, 'run'), plural(2000, 'run'), plural(2, 'entry', 'entries')]).toEqual(['0 runs', '1 run', '2,000 runs', '2 entries']);
  });
});

describe('time', () => {
  test.each([
    [0, '0 s'],
    [0.0004, '<1 µs'],
    [0.012, '12 µs'],
    [0.43, '0.43 ms'],
    [12.44, '12.4 ms'],
    [999.7, '1 s'],
    [3_240, '3.2 s'],
    [59_990, '1 min'],
    [125_000, '2 min 5 s'],
    [3_600_000, '1 h'],
    [11_520_000, '3 h 12 min'],
    [353_000_000, '4 d 2 h'],
    [-1500, '−1.5 s'],
    [null, '–'],
  ] as const)('formatDuration(%s) is %s', (value, text) => expect(formatDuration(value)).toBe(text));
  test('ago', () => {
    const now = 1_000_000_000_000;
    expect([1_000, 30_000, 120_000, 7_200_000, 3 * 86_400_000].map((age) => formatAgo(now - age, now))).toEqual([
      'just now',
      '30 s ago',
      '2 min ago',
      '2 h ago',
      '3 d ago',
    ]);
    expect(formatAgo(null)).toBe('–');
  });
  test('UTC forms do not depend on the local zone', () => {
    expect(formatUtc(989_832_665_120)).toBe('2001-05-14 09:31:05.120 UTC');
    expect(formatUtcDay(989_798_400_000)).toBe('14 May 2001');
  });
});
