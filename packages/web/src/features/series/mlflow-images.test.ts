import { expect, test } from 'vitest';
import { imageSeries } from './mlflow-images.ts';

const ID = '0e2e6b8c-9a3b-4c1d-8f5e-1a2b3c4d5e6f';
const files = (...names: string[]) => names.map((name) => ({ path: `images/${name}`, isDirectory: false, size: 10 }));

test('pictures by key in the order of their steps; smaller copies and other files are none', () => {
  const series = imageSeries(
    files(
      `val~roc+step+10+timestamp+5+${ID}.png`,
      `val~roc+step+2+timestamp+4+${ID}.png`,
      `val~roc+step+2+timestamp+4+${ID}+compressed.webp`,
      `old#key%step%0%timestamp%1%${ID}.png`,
      'mine.png',
    ),
    'r',
  );
  expect([...series.keys()]).toEqual(['old/key', 'val/roc']);
  expect(series.get('val/roc')?.map(({ step, timestamp }) => [step, timestamp])).toEqual([
    [2, 4],
    [10, 5],
  ]);
  expect(imageSeries([{ path: `images/x+step+0+timestamp+0+${ID}.png`, isDirectory: true, size: null }], 'r').size).toBe(0);
});
