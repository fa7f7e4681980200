import { expect, it } from 'vitest';
import { jsDistance } from '../../src/monitoring/drift/distances.ts';
import { noiseFloor } from '../../src/monitoring/drift/noise.ts';
import { randomSource } from './kit.ts';

it('with hundreds of rare categories few clean windows pass the noise floor', () => {
  const random = randomSource(5);
  const weights = Array.from({ length: 300 }, (_, i) => 1 / (i + 1));
  const all = weights.reduce((a, b) => a + b, 0);
  const draw = (rows: number): number[] => {
    const counts = weights.map(() => 0);
    for (let row = 0; row < rows; row++) {
      let at = random() * all;
      let i = 0;
      while (i < weights.length - 1 && at > (weights[i] as number)) at -= weights[i++] as number;
      counts[i] = (counts[i] as number) + 1;
    }
    return counts;
  };
  let beyond = 0;
  const trials = 150;
  for (let trial = 0; trial < trials; trial++) {
    const baseline = draw(5000);
    if ((jsDistance(baseline, draw(700)) ?? 0) > noiseFloor(baseline, 700).distance) beyond++;
  }
  expect(beyond / trials).toBeLessThan(0.07);
});

it('a column that was nearly constant has a floor, and a flip of its values is beyond it', () => {
  for (const baseline of [
    [99_999, 1],
    [49_990, 6, 4],
    [1_000_000, 1, 1, 1],
  ]) {
    for (const rows of [256, 500, 10_000]) {
      const { distance } = noiseFloor(baseline, rows);
      expect(distance, `${baseline} ${rows}`).toBeGreaterThan(0);
      expect(distance, `${baseline} ${rows}`).toBeLessThan(0.1);
      expect(jsDistance(baseline, [rows / 2, rows / 2, ...baseline.slice(2).map(() => 0)])).toBeGreaterThan(distance);
    }
  }
});

it('one category, no rows and no baseline have no noise, and no NaN', () => {
  for (const [counts, rows] of [
    [[10], 5],
    [[], 5],
    [[0, 0], 5],
    [[3, 4], 0],
  ] as const)
    expect(noiseFloor(counts, rows)).toEqual({ meanDivergence: 0, distance: 0 });
});
