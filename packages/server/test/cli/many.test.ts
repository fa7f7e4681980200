import { afterAll, beforeAll, expect, it } from 'vitest';
import { binnacle, type RunningServer, startServer } from '../support/server.ts';

/** More than one page of everything. */
let server: RunningServer;
const post = async (path: string, body: unknown): Promise<void> => {
  const response = await fetch(`${server.url}/api/binnacle/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  await response.arrayBuffer();
};
beforeAll(async () => {
  server = await startServer();
  for (let from = 0; from < 1010; from += 101) {
    const names = Array.from({ length: 101 }, (_, i) => `n${from + i}`);
    await Promise.all(
      names.flatMap((name) => [post('/models', { name }), post('/runs', { experiment: name, name, startedAt: 1_700_000_000_000 + Number(name.slice(1)) })]),
    );
  }
}, 60_000);
afterAll(async () => {
  await server.stop();
});

it('models ls lists all of 1,010 models', async () => {
  const { stdout } = await binnacle(['models', 'ls', '--json', '--url', server.url]);
  expect(JSON.parse(stdout)).toHaveLength(1010);
});

it('runs ls looks into all of 1,011 experiments, newest first, and names each', async () => {
  const { stdout } = await binnacle(['runs', 'ls', '--json', '-n', '2000', '--url', server.url]);
  const runs = JSON.parse(stdout) as { name: string }[];
  expect(runs).toHaveLength(1010);
  expect([runs[0]?.name, runs.at(-1)?.name]).toEqual(['n1009', 'n0']);
  const few = JSON.parse((await binnacle(['runs', 'ls', '--json', '-n', '3', '--url', server.url])).stdout) as { name: string }[];
  expect(few.map((r) => r.name)).toEqual(['n1009', 'n1008', 'n1007']);
  expect((await binnacle(['runs', 'ls', '-e', 'n0', '--url', server.url])).stdout).toContain('n0');
});

it('an order over more experiments than one question takes is refused with the way out', async () => {
  expect(await binnacle(['runs', 'ls', '-o', 'metrics.a DESC', '--url', server.url])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--experiment') as string,
  });
});
