import { expect, it } from 'vitest';
import { predictionLines } from './predict.ts';

it('shows an output without dimensions beside those that have some', () => {
  const [table = ''] = predictionLines({ loss: 0.25, label: [1, 2] });
  expect(table.split('\n').slice(1)).toEqual(['0.25  1', '      2']);
});

it('shows rows, records and single values', () => {
  expect(predictionLines([[1, 2], [3]])).toEqual(['[1,2]', '[3]']);
  expect(predictionLines(3)).toEqual(['3']);
  expect(predictionLines([{ a: 1 }])[0]?.split('\n')[1]).toBe('1');
});
