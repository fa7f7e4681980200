import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startServer, temporaryFolder } from '../support/server.ts';

const WRITERS = 16;
/** Rounds of writing, killing and reading; `BINNACLE_KILLS=50` for the long version. */
const ROUNDS = Number(process.env.BINNACLE_KILLS ?? 2);

// Answers are looked into freely; a wrong path fails the test.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = Record<string, any>;
async function call(url: string, path: string, body?: object): Promise<{ status: number; json: Json }> {
  const response = await fetch(
    `${url}/api/2.0/mlflow/${path}`,
    body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  );
  return { status: response.status, json: (await response.json()) as Json };
}

it(
  'what was acknowledged is there after kill -9 under sixteen writers, and nothing is torn',
  async () => {
    const dataDir = temporaryFolder('kill');
    /** Acknowledged batches by run: batch b of a run is 20 points of "m" at steps b*20…, a param and a tag. */
    const acknowledged = new Map<string, Set<number>>();
    const sent = new Map<string, number>();
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const server = await startServer({ data: dataDir });
        const writing = { on: true };
        const writer = async () => {
          const { json } = await call(server.url, 'runs/create', { experiment_id: '0' });
          const runId = json.run.info.run_id as string;
          acknowledged.set(runId, new Set());
          for (let b = 0; writing.on; b++) {
            sent.set(runId, b + 1);
            const { status } = await call(server.url, 'runs/log-batch', {
              run_id: runId,
              metrics: Array.from({ length: 20 }, (_, i) => ({ key: 'm', value: b, timestamp: b * 20 + i, step: b * 20 + i })),
              params: [{ key: `p${b}`, value: String(b) }],
              tags: [{ key: 'last', value: String(b) }],
            });
            if (status === 200) acknowledged.get(runId)?.add(b);
          }
        };
        const writers = Array.from({ length: WRITERS }, () => writer().catch(() => {}));
        await new Promise((resolve) => setTimeout(resolve, 400 + round * 37));
        await server.stop('SIGKILL');
        writing.on = false;
        await Promise.all(writers);
      }
      const server = await startServer({ data: dataDir });
      let batches = 0;
      for (const [runId, done] of acknowledged) {
        const { json } = await call(server.url, `runs/get?run_id=${runId}`);
        const params = new Map<string, string>(json.run.data.params.map((p: { key: string; value: string }) => [p.key, p.value]));
        const history = await call(server.url, `metrics/get-history?run_id=${runId}&metric_key=m`);
        const steps = new Set<number>(history.json.metrics.map((m: { step: number }) => m.step));
        expect(steps.size).toBe(history.json.metrics.length);
        for (let b = 0; b < (sent.get(runId) ?? 0); b++) {
          const there = Array.from({ length: 20 }, (_, i) => steps.has(b * 20 + i)).filter(Boolean).length;
          // A batch is whole, points and param, or not there at all; an acknowledged one is there.
          expect(there === 20 ? params.get(`p${b}`) === String(b) : there === 0 && !params.has(`p${b}`), `batch ${b} of ${runId}`).toBe(true);
          if (done.has(b)) expect(there, `acknowledged batch ${b} of ${runId}`).toBe(20);
          batches += done.has(b) ? 1 : 0;
        }
      }
      expect(batches).toBeGreaterThan(0);
      await server.stop();
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
  60_000 + ROUNDS * 20_000,
);
