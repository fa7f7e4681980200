import { describe, expect, it } from 'vitest';
import { parseEventTime, parseRequestId } from './request-meta.ts';
import { checkTraffic, pickByWeight, resolveTraffic } from './traffic.ts';

const to = (alias: string, weight: number, shadow = false) => ({ alias, weight, shadow });

describe('traffic', () => {
  it('must add up to 100 percent without the shadows', () => {
    expect(() => checkTraffic([to('a', 90), to('b', 10), to('c', 50, true)])).not.toThrow();
    expect(() => checkTraffic([to('a', 33.33), to('b', 33.33), to('c', 33.34)])).not.toThrow();
    expect(() => checkTraffic([to('a', 90), to('b', 20)])).toThrow('add up to 110');
    expect(() => checkTraffic([to('a', 100, true)])).toThrow('needs at least one target that is not a shadow');
  });

  it('adds targets up that meet in one version', () => {
    expect(resolveTraffic('m', [to('a', 60), to('b', 40), to('c', 0, true)], { a: 2, b: 2, c: 3 })).toEqual([
      { version: 2, weight: 100, shadow: false },
      { version: 3, weight: 0, shadow: true },
    ]);
    expect(() => resolveTraffic('m', [to('gone', 100)], {})).toThrow("Model 'm' has no alias 'gone'");
  });

  it('is split by weight', () => {
    const targets = [{ weight: 90 }, { weight: 0 }, { weight: 10 }];
    const counts = [0, 0, 0];
    for (let i = 0; i < 10_000; i++) counts[targets.indexOf(pickByWeight(targets, i / 10_000) as never)]!++;
    expect(counts).toEqual([9000, 0, 1000]);
    expect(pickByWeight([], 0.5)).toBeUndefined();
    expect(pickByWeight(targets, 1)).toBe(targets[0]);
  });
});

describe("a request's own words", () => {
  it('may name the time of the event', () => {
    expect(parseEventTime(undefined)).toBeUndefined();
    expect(parseEventTime('988898700000')).toBe(988898700000);
    expect(parseEventTime('2001-05-03T14:05:00Z')).toBe(988898700000);
    expect(parseEventTime('2001-05-03 14:05')).toBe(988898700000);
    expect(parseEventTime('2001-05-03T16:05:00+02:00')).toBe(988898700000);
    expect(parseEventTime('2001-05-03')).toBe(Date.UTC(2001, 4, 3));
    for (const bad of ['yesterday', '2001-13-03', '1e400', '99999999999999999', 'NaN', '2001-05-03T14:05:00Zx'])
      expect(() => parseEventTime(bad), bad).toThrow('neither milliseconds since 1970 nor ISO 8601');
  });

  it('may bring an id that fits a header', () => {
    expect(parseRequestId('order-17/ä'.slice(0, 8))).toBe('order-17');
    expect(parseRequestId('')).toBeUndefined();
    for (const bad of ['a b', 'ü', 'x\r\nset-cookie: a', 'x'.repeat(201), 5]) expect(() => parseRequestId(bad)).toThrow("request's id");
  });
});
