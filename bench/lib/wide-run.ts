import { Connection } from './http.ts';

const API = '/api/binnacle/v1';

/** Runs with so many metric keys each, nested by layers as a network's are; their experiment and their ids. */
export async function logWideRuns(url: string, keys: number, runs: number): Promise<{ experiment: string; runIds: string[] }> {
  const connection = new Connection(url);
  try {
    const runIds: string[] = [];
    let experiment = '';
    for (let r = 0; r < runs; r++) {
      const run = await connection.json<{ id: string; experimentId: string }>('POST', `${API}/runs`, { experiment: 'wide', name: `wide-${r}` });
      experiment = run.experimentId;
      runIds.push(run.id);
      for (let from = 0; from < keys; from += 4000)
        await connection.json('POST', `${API}/runs/${run.id}/log`, {
          metrics: Array.from({ length: Math.min(4000, keys - from) }, (_, i) => ({
            key: `layer_${Math.floor((from + i) / 40)}/unit_${(from + i) % 40}`,
            value: Math.sin(from + i + r),
            step: 0,
          })),
        });
      await connection.json('PATCH', `${API}/runs/${run.id}`, { status: 'FINISHED' });
    }
    return { experiment, runIds };
  } finally {
    connection.close();
  }
}
