import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jsDistance, ksStatistic, psi, wasserstein1 } from '../../src/monitoring/drift/distances.ts';
import { compare, onBaseline } from '../../src/monitoring/drift/compare.ts';
import { noiseFloor } from '../../src/monitoring/drift/noise.ts';
import { NumericSketch } from '../../src/monitoring/profile/index.ts';
import { profileColumn } from '../../src/monitoring/training/build-profile.ts';
import { layoutOf, type NumericBaseline } from '../../src/monitoring/training/training-profile.ts';

interface Golden {
  counts: { reference: number[]; current: number[]; js: number; psi: number; ks: number }[];
  weighted: { reference: number[]; referenceMeans: number[]; current: number[]; currentMeans: number[]; w1: number }[];
  samples: { n: number; m: number; scale: number; shift: number; ks: number; w1n: number; mean: number; std: number }[];
  noise: { bins: number; m: number; n: number; distance: number }[];
}
const golden = JSON.parse(readFileSync(new URL('../fixtures/monitoring/golden.json', import.meta.url), 'utf8')) as Golden;
const thresholds = { js: 0.1, w1n: 0.1, ks: 0.1, psi: 0.25 };
const exponential = (n: number, scale: number, shift: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => -Math.log(1 - (i + 0.5) / n) * scale + shift);

describe('golden numbers of SciPy', () => {
  it.each(golden.counts)('JS, PSI and KS of $reference.length bins', ({ reference, current, js, psi: index, ks }) => {
    expect(jsDistance(reference, current)).toBeCloseTo(js, 10);
    expect(psi(reference, current)).toBeCloseTo(index, 10);
    expect(ksStatistic(reference, current)).toBeCloseTo(ks, 12);
  });

  it.each(golden.weighted)('W1 of $reference.length weighted points', ({ reference, referenceMeans, current, currentMeans, w1 }) => {
    expect(wasserstein1(reference, referenceMeans, current, currentMeans)).toBeCloseTo(w1, 10);
  });

  it.each(golden.samples)(
    'on 64 bins, KS and normed W1 of samples scaled by $scale and shifted by $shift stay close to exact',
    ({ n, m, scale, shift, ks, w1n, mean, std }) => {
      const baseline = profileColumn('x', exponential(n, 1, 0)) as NumericBaseline;
      const layout = layoutOf(baseline);
      const sketch = NumericSketch.over(layout);
      sketch.addColumn(exponential(m, scale, shift), 0, m, layout);
      const result = compare(baseline, onBaseline([sketch], baseline), m, thresholds);
      expect(Math.abs((result.ks ?? 1) - ks)).toBeLessThan(0.012);
      expect(Math.abs((result.w1n ?? 9) - w1n)).toBeLessThan(0.01);
      expect(sketch.moments.mean).toBeCloseTo(mean, 9);
      expect(sketch.moments.std).toBeCloseTo(std, 9);
    },
  );

  it.each(golden.noise)('the noise floor of $bins well-filled bins, $m against $n rows, is the known one', ({ bins, m, n, distance }) => {
    const floor = noiseFloor(
      Array.from({ length: bins }, () => m / bins),
      n,
    );
    expect(Math.abs(floor.distance / distance - 1)).toBeLessThan(0.06);
    expect(floor.meanDivergence).toBeLessThan(floor.distance ** 2);
  });
});
