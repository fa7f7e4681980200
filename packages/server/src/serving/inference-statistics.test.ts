import { expect, it } from 'vitest';
import { InferenceStatistics } from './inference-statistics.ts';
import { newTiming } from './model-runtime.port.ts';

it('tells a bounded number of sizes apart, and counts every run', () => {
  const statistics = new InferenceStatistics();
  for (let rows = 1; rows <= 50_000; rows++) statistics.answered(1, rows, 1, { ...newTiming(), batchRows: rows, executions: 1 });
  expect(statistics.batches.size).toBeLessThan(1100);
  expect(statistics.batches.get(1000)?.runs).toBe(1);
  expect(statistics.batches.get(65_536)?.runs).toBe(50_000 - 32_768);
  expect([...statistics.batches.values()].reduce((sum, { runs }) => sum + runs, 0)).toBe(50_000);
});
