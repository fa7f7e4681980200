import { describe, expect, it } from 'vitest';
import { callOf } from './call.ts';
import { isBase64 } from './http-control.ts';
import { parseInputs } from './request-inputs.ts';

const MANY = 50_000;
const nothing = {
  read: (): Buffer => {
    throw new Error('no memory is read');
  },
};
const inputs = (names: string[]) => names.map((name) => ({ name, datatype: 'FP32', shape: [1], data: [1] }));
const parse = (names: string[]) => parseInputs(inputs(names), { bytes: undefined, at: 0, lists: undefined }, 'm', nothing);
const names = Array.from({ length: MANY }, (_, i) => `x${i}`);

// Each takes milliseconds, and took minutes where it cost the square of the size.
describe('what a request has many of', () => {
  it('parameters', () => {
    const call = callOf(Object.fromEntries(names.map((name, i) => [name, i])));
    expect(Object.keys(call?.parameters ?? {})).toHaveLength(MANY);
    expect(call?.parameters?.['x7']).toBe(7);
    expect(callOf(JSON.parse('{"__proto__":"a"}') as Record<string, unknown>)?.parameters?.['__proto__']).toBe('a');
  });

  it('inputs', () => {
    expect(parse(names)).toHaveLength(MANY);
    expect(() => parse(['a', 'b', 'a'])).toThrow("input 'a' already exists in request");
  });

  it('white space in base64', () => {
    expect(isBase64(`${' '.repeat(1_000_000)}!`)).toBe(false);
    expect(isBase64(`=${' '.repeat(1_000_000)}=`)).toBe(false);
    for (const text of ['', 'AAAA', 'AAA=', 'AA==', 'AA\nAA', 'AA==\n']) expect(isBase64(text), text).toBe(true);
    for (const text of ['$', 'A===', 'A=A']) expect(isBase64(text), text).toBe(false);
  });
});
