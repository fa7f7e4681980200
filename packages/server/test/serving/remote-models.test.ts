import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sum } from '../support/onnx-graphs.ts';
import { binnacle, type RunningServer, startServer, temporaryFolder } from '../support/server.ts';
import { send, until } from '../support/serving.ts';

const TOKEN = 'a-token-that-nobody-may-see';
let elsewhere: RunningServer;
let front: RunningServer;

beforeAll(async () => {
  const folder = temporaryFolder('remote');
  const file = join(folder, 'sum.onnx');
  writeFileSync(file, sum(2));
  elsewhere = await startServer({ args: ['--token', TOKEN, '--grpc-port', '-1'] });
  front = await startServer({ args: ['--grpc-port', '-1'], env: { BINNACLE_REMOTE_TOKEN_B: TOKEN } });
  const there = { BINNACLE_URL: elsewhere.url, BINNACLE_TOKEN: TOKEN };
  expect(await binnacle(['models', 'push', file, '--name', 'sum'], { env: there })).toMatchObject({ code: 0 });
  expect(await binnacle(['deploy', 'sum/1', '--endpoint', 'sum'], { env: there })).toMatchObject({ code: 0 });
  expect(await binnacle(['models', 'push', file, '--name', 'sum'], { env: { BINNACLE_URL: front.url } })).toMatchObject({ code: 0 });
}, 60_000);
afterAll(async () => {
  await front?.stop();
  await elsewhere?.stop('SIGKILL');
});

const infer = (x: number[], version?: number) =>
  send(`${front.url}/v2/models/sum${version === undefined ? '' : `/versions/${version}`}/infer`, {
    body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [x.length / 2, 2], data: x }] }),
    headers: { 'content-type': 'application/json' },
  });
const api = async (path: string, body?: unknown, method?: string) =>
  send(`${front.url}/api/binnacle/v1${path}`, {
    ...(method === undefined ? {} : { method }),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
const endpoint = async () => (await api('/endpoints/sum')).json();

it('a model elsewhere is pushed by the command line, told of its tensors, and its secret stays a reference', async () => {
  const pushed = await binnacle(['models', 'push', '--remote', elsewhere.url, '--name', 'sum', '--token', 'env:BINNACLE_REMOTE_TOKEN_B', '--json'], {
    env: { BINNACLE_URL: front.url },
  });
  expect(pushed).toMatchObject({ code: 0 });
  expect(JSON.parse(pushed.stdout)).toMatchObject({
    version: 2,
    servable: true,
    flavors: ['binnacle.remote'],
    tensors: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }], outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }] },
  });
  expect(pushed.stdout + front.stderr()).not.toContain(TOKEN);
});

it('what could be served nowhere is refused when it is pushed', async () => {
  const refused = async (body: object) => {
    const { status, json } = await api('/models/other/versions/remote', body);
    return `${status} ${String(json().detail)}`;
  };
  expect(await refused({ url: 'ftp://x' })).toContain('400 The remote model is refused: its url must begin with http:// or https://');
  expect(await refused({ url: 'http://user:pw@x' })).toContain('must not hold credentials');
  expect(await refused({ url: 'http://169.254.169.254' })).toContain('400 This server may not call 169.254.169.254');
  expect(await refused({ url: 'http://127.0.0.1:1', token: 'env:HOME' })).toContain('400 The token env:HOME');
  expect(await refused({ url: 'http://127.0.0.1:1', token: 'file:/etc/passwd' })).toContain('--remote-secrets');
  expect(await refused({ url: 'http://127.0.0.1:1', protocol: 'mlflow' })).toContain('put a signature into the MLmodel file');
  expect((await api('/models/other')).status).toBe(404);
});

it('a version here and one elsewhere share the traffic, and give the same', async () => {
  const deployed = await api(
    '/endpoints/sum',
    {
      model: 'sum',
      traffic: [
        { version: 1, weight: 50, shadow: false },
        { version: 2, weight: 50, shadow: false },
      ],
    },
    'PUT',
  );
  expect(deployed.json()).toMatchObject({
    state: 'ready',
    versions: [
      { version: 1, tier: 'inline' },
      { version: 2, tier: 'remote' },
    ],
  });
  const x = Array.from({ length: 200 }, (_, i) => Math.fround(Math.sin(i) * 1000));
  const [here, there] = [await infer(x, 1), await infer(x, 2)];
  expect([here.status, there.status]).toEqual([200, 200]);
  expect(there.json().outputs).toEqual(here.json().outputs);
  const versions = new Set<string>();
  for (let i = 0; i < 40; i++) versions.add((await infer([1, 2])).json().model_version);
  expect([...versions].sort()).toEqual(['1', '2']);
  // Tables reach it as well.
  const table = await send(`${front.url}/endpoints/sum/invocations`, {
    body: JSON.stringify({ inputs: [[1, 2]] }),
    headers: { 'content-type': 'application/json' },
  });
  expect([table.status, table.body.toString()]).toEqual([200, expect.stringContaining('3')]);
});

it('a server elsewhere that is killed under load costs its own requests only, is seen, and is taken back', async () => {
  const port = new URL(elsewhere.url).port;
  const seen: Record<string, number> = {};
  const texts = new Set<string>();
  const state = { stop: false };
  const load = async (version: number) => {
    while (!state.stop) {
      const { status, body } = await infer([1, 2], version);
      const key = `${version} ${status}`;
      seen[key] = (seen[key] ?? 0) + 1;
      if (status !== 200) texts.add(JSON.parse(body.toString()).error);
    }
  };
  const clients = [load(1), load(2), load(2)];
  try {
    await until(() => (seen['2 200'] ?? 0) > 20, 20_000);
    await elsewhere.stop('SIGKILL');
    await until(async () => (seen['2 503'] ?? 0) > 5 && (await endpoint()).state === 'degraded', 20_000);
    const { message, stats, versions } = await endpoint();
    expect(message).toContain('cannot be reached');
    expect(stats.errors).toBeGreaterThan(0);
    expect(versions).toHaveLength(2);
    const before = seen['1 200'] ?? 0;
    await until(() => (seen['1 200'] ?? 0) > before + 20, 20_000);
    expect(seen['1 503']).toBeUndefined();
    elsewhere = await startServer({ data: elsewhere.dataDir, args: ['--token', TOKEN, '--grpc-port', '-1', '--port', port] });
    const failed = seen['2 200'] ?? 0;
    await until(async () => (await endpoint()).state === 'ready' && (seen['2 200'] ?? 0) > failed + 20, 30_000);
  } finally {
    state.stop = true;
    await Promise.all(clients);
  }
  // While it starts, it is there and has no model yet.
  expect([...texts].filter((text) => !/cannot be reached|is not available/.test(text))).toEqual([]);
  expect(Object.keys(seen).filter((key) => !/ (200|503)$/.test(key))).toEqual([]);
}, 60_000);
