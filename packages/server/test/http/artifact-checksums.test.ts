import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../support/server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const post = async (path: string, body: object) => {
  const reply = await fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  expect(reply.ok, await reply.clone().text()).toBe(true);
  return (await reply.json()) as Record<string, unknown>;
};
const put = (path: string, body: BodyInit) => fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${path}`, { method: 'PUT', body });
/** Changes a stored file behind the server's back, to another of the same length. */
const damage = (path: string, content: string | Uint8Array) => writeFileSync(join(server.dataDir, 'artifacts', path), content);

it("a run's file that was damaged since is an error in words when it is small, and breaks off before its end when it is large", async () => {
  const run = (await post('/api/binnacle/v1/runs', { experimentId: '0' })) as { runId?: string; id?: string };
  const id = String(run.runId ?? run.id);
  const root = `0/${id}/artifacts`;
  const get = (path: string) => fetch(`${server.url}/api/binnacle/v1/runs/${id}/artifacts/content?path=${path}`);
  const large = new Uint8Array(3_000_000).fill(7);
  await put(`${root}/small.txt`, 'sound');
  await put(`${root}/empty.txt`, '');
  await put(`${root}/large.bin`, large);
  expect([await (await get('small.txt')).text(), await (await get('empty.txt')).text()]).toEqual(['sound', '']);
  expect(Buffer.from(await (await get('large.bin')).arrayBuffer()).equals(large)).toBe(true);
  damage(`${root}/small.txt`, 'SOUND');
  large[1_500_000] = 8;
  damage(`${root}/large.bin`, large);
  const small = await get('small.txt');
  expect([small.status, await small.json()]).toEqual([409, expect.objectContaining({ code: 'artifact_corrupted' })]);
  await expect(get('large.bin').then((reply) => reply.arrayBuffer())).rejects.toThrow();
});

it('a version whose files were damaged before it was registered says so, and is not served', async () => {
  await put('damaged/MLmodel', 'flavors: {}');
  damage('damaged/MLmodel', 'flavors: []');
  await post('/api/2.0/mlflow/registered-models/create', { name: 'damaged' });
  await post('/api/2.0/mlflow/model-versions/create', { name: 'damaged', source: 'mlflow-artifacts:/damaged' });
  const reply = await fetch(`${server.url}/api/binnacle/v1/models/damaged/versions/1`);
  expect(await reply.json()).toMatchObject({ servable: false, statusMessage: expect.stringContaining('"damaged/MLmodel" is corrupted') });
});
