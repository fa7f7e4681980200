import { expect, it } from 'vitest';
import { floatsFromList } from './read.ts';

const read = (text: string, count: number) => {
  const bytes = Buffer.from(`{"data":${text}}]}`);
  return floatsFromList(bytes, 8, 8 + text.length - 1, count);
};

it('reads what JSON.parse reads', () => {
  let seed = 7;
  const random = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const texts: string[] = [
    '0',
    '-0',
    '1e39',
    '-1e-50',
    '16777217',
    '0.1',
    '9007199254740993',
    '1.00000005960464477539062',
    '3.4028236e38',
    '0.50000002980232238769531250',
  ];
  for (let i = 0; i < 60_000; i++) {
    const value = (random() - 0.5) * 10 ** (Math.floor(random() * 30) - 15);
    const forms = [
      String(value),
      String(Math.fround(value)),
      value.toFixed(i % 25),
      value.toExponential(i % 20),
      String(Math.round(value)),
      value.toPrecision(1 + (i % 21)),
    ];
    texts.push(forms[i % forms.length] as string);
  }
  // Halfway between two floats, and a little beside it.
  for (let i = 0; i < 2000; i++) {
    const bits = Uint32Array.of((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) & 0x3fffffff, 0);
    const float = new Float32Array(bits.buffer)[0] as number;
    const next = new Float32Array(Uint32Array.of((bits[0] as number) + 1).buffer)[0] as number;
    const middle = (float + next) / 2;
    texts.push(String(middle), middle.toPrecision(21), String(middle * (1 + 2 ** -52)), String(middle * (1 - 2 ** -52)));
  }
  for (const separator of [',', ', ', ' ,\n\t']) {
    const text = `[${texts.join(separator)}]`;
    const wanted = Float32Array.from(JSON.parse(text) as number[]);
    const got = read(text, texts.length);
    for (let i = 0; i < texts.length; i++) if (!Object.is(got?.[i], wanted[i])) expect([texts[i], got?.[i]]).toEqual([texts[i], wanted[i]]);
  }
});

it.each([
  '[1,]',
  '[,1]',
  '[1 2]',
  '[01,2]',
  '[1.,2]',
  '[.5,2]',
  '[+1,2]',
  '[-,2]',
  '[1,2',
  '[1,2,3]',
  '[1e,2]',
  '[1,NaN]',
  '[1,null]',
  '[1,"2"]',
  '[[1,2]]',
  '[1,0x1]',
  '[1,2]]',
])('leaves %s to the slow way', (text) => {
  expect(read(text, 2)).toBeUndefined();
});

it('makes no room for what cannot be there', () => {
  expect(read('[1,2]', 2 ** 31 - 1)).toBeUndefined();
});
