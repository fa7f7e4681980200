import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openKit } from './kit.ts';

/** A process that recorded 40 rows and flushed them, and recorded more; killed. */
async function killed(...args: string[]): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-crash-'));
  const child = spawn(process.execPath, [fileURLToPath(new URL('./crash-child.ts', import.meta.url)), dir, '40', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  return dir;
}

it('after kill -9 what was flushed and acknowledged is there, and what was not is counted as lost', async () => {
  const kit = await openKit({ dir: await killed() });
  try {
    expect(await kit.monitoring.getMonitor('e')).toMatchObject({ predictions: 40, labelled: 1 });
    expect((await kit.store.getMonitor('e'))?.lost).toBe(7);
    const { predictions } = await kit.monitoring.listPredictions('e', { limit: 100 });
    expect(predictions).toHaveLength(40);
    expect(predictions.find(({ predictionId }) => predictionId === 'kept:0')?.label).toBe(1);
    expect(await kit.monitoring.renderMetrics()).toContain('binnacle_prediction_rows_lost_total{endpoint="e"} 7');
  } finally {
    await kit.close();
  }
});

it('rows that had reached the log and not the profiles are in both after the next start, and in none twice after the one after it', async () => {
  let kit = await openKit({ dir: await killed('logged-only') });
  try {
    for (let start = 0; start < 2; start++) {
      expect(await kit.monitoring.getMonitor('e')).toMatchObject({ predictions: 70, predictionsLastDay: 70 });
      expect((await kit.store.getMonitor('e'))?.lost).toBe(7);
      expect((await kit.monitoring.listPredictions('e', { limit: 100 })).predictions).toHaveLength(70);
      const range = { endpoint: 'e', model: 'm', sources: ['live' as const], level: 300_000 as const, from: 0, to: kit.clock.now + 1 };
      const [bucket] = await kit.store.counts(range);
      // The sums say that the values came back as they were: x is 0 to 29 in the later request, and the label is its parity.
      expect(bucket).toMatchObject({ requests: 2, predictions: 70, rows: 70, predictionCount: 70, predictionSum: 15 });
      const { features } = await kit.monitoring.drift('e', { source: 'live' });
      expect(features.map(({ name }) => name)).toContain('x');
      kit = await kit.reopen();
    }
  } finally {
    await kit.close();
  }
});

it('a prediction log that cannot be read keeps nobody from starting: what it held alone is counted as lost', async () => {
  const dir = await killed('logged-only');
  writeFileSync(join(dir, 'prediction-log', 'hot.duckdb'), 'not a database');
  const kit = await openKit({ dir });
  try {
    expect(await kit.monitoring.getMonitor('e')).toMatchObject({ predictions: 40 });
    expect((await kit.store.getMonitor('e'))?.lost).toBe(37);
  } finally {
    await kit.close();
  }
});
