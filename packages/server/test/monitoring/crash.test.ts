import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openKit } from './kit.ts';

it('after kill -9 what was flushed and acknowledged is there, and what was not is counted as lost', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-crash-'));
  const child = spawn(process.execPath, [fileURLToPath(new URL('./crash-child.ts', import.meta.url)), dir, '40'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const kit = await openKit({ dir });
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
