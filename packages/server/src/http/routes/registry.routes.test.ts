import { connect } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRegistryKit, type RegistryKit, recordedFile } from '../../../test/support/registry-kit.ts';
import { silentLogger } from '../../kernel/index.ts';
import { nativeRoutes } from '../native.ts';
import { registryHandlers } from './registry.routes.ts';

let kit: RegistryKit;
let app: FastifyInstance;
let port = 0;
const onnx = recordedFile('linear/model/model.onnx');
const api = '/api/binnacle/v1';

beforeAll(async () => {
  kit = await openRegistryKit({ maxUploadBytes: 200_000 });
  app = Fastify();
  await app.register(nativeRoutes(registryHandlers(kit), { version: '0', logger: silentLogger }), { prefix: api });
  await app.listen({ port: 0, host: '127.0.0.1' });
  port = (app.server.address() as { port: number }).port;
  kit.runs.set('r1', { metrics: { auc: 0.5, loss: Number.NaN } });
});
afterAll(async () => {
  await app.close();
  await kit.close();
});

async function call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, payload?: object) {
  const response = await app.inject({ method, url: api + path, ...(payload === undefined ? {} : { payload }) });
  return { status: response.statusCode, body: response.json() };
}
const push = (model: string, body: RequestInit['body'], query = '') =>
  fetch(`http://127.0.0.1:${port}${api}/models/${model}/versions${query}`, {
    method: 'POST',
    body: body ?? null,
    headers: { 'content-type': 'application/octet-stream' },
    duplex: 'half',
  } as RequestInit);

it('an ONNX file is pushed, shown whole, promoted past its gates by force only, and deleted', async () => {
  const pushed = await push('clf', new Uint8Array(onnx), '?filename=clf.onnx&runId=r1&description=first');
  expect([pushed.status, await pushed.json()]).toEqual([
    200,
    expect.objectContaining({
      model: 'clf',
      version: 1,
      servable: true,
      description: 'first',
      runId: 'r1',
      metrics: { auc: 0.5, loss: 'NaN' },
      hasProfile: false,
      goldenExamples: 0,
      files: expect.arrayContaining([{ path: 'clf.onnx', isDirectory: false, size: onnx.length }]),
    }),
  ]);
  expect((await call('PUT', '/models/clf/gate-policy', { policy: { metric: { key: 'auc', atLeast: 0.6 } } })).body).toMatchObject({
    policy: { aliases: ['champion'], metric: { margin: 0, direction: 'higher' } },
  });
  const refused = await call('PUT', '/models/clf/aliases/champion', { version: 1 });
  expect(refused).toMatchObject({
    status: 400,
    body: { code: 'gate_failed', details: { report: { passed: false, results: [{ gate: 'metric', measured: 0.5, bound: 0.6 }] } } },
  });
  expect(await call('PUT', '/models/clf/aliases/champion', { version: 1, force: true })).toMatchObject({ status: 400, body: { code: 'reason_required' } });
  expect(await call('PUT', '/models/clf/aliases/champion', { version: 1, force: true, reason: 'demo' })).toMatchObject({
    status: 200,
    body: { report: { forced: true, reason: 'demo' } },
  });
  expect((await call('GET', '/models/clf')).body).toMatchObject({ aliases: { champion: 1 }, versions: [{ version: 1, lastGateReport: { forced: true } }] });
  expect((await call('GET', '/models/clf/versions/1/gates')).body.reports.map((r: { forced: boolean }) => r.forced)).toEqual([true, false]);
  expect((await call('GET', '/models?q=CL')).body.models.map((m: { name: string }) => m.name)).toEqual(['clf']);
  expect((await call('PATCH', '/models/clf/versions/1', { tags: { a: 'b' } })).body.tags).toEqual({ a: 'b' });
  expect((await call('DELETE', '/models/clf/aliases/champion')).status).toBe(200);
  expect((await call('DELETE', '/models/clf')).status).toBe(200);
  expect((await call('GET', '/models/clf')).status).toBe(404);
});

it('what cannot be served, or is too long, is refused with its reason and registers nothing', async () => {
  const stream = () =>
    new ReadableStream({
      start(controller) {
        for (let i = 0; i < 30; i++) controller.enqueue(new Uint8Array(10_000));
        controller.close();
      },
    });
  for (const [body, query, status, code] of [
    [new Uint8Array(Buffer.from('not onnx')), '', 400, 'onnx_invalid'],
    [stream(), '', 413, 'artifact_too_large'],
    [new Uint8Array(onnx), '?filename=../../x.onnx', 400, 'artifact_path_invalid'],
    [new Uint8Array(onnx), '?runId=none', 404, 'run_not_found'],
  ] as const) {
    const response = await push('no', body, query);
    expect([response.status, (await response.json()).code]).toEqual([status, code]);
  }
  expect((await call('GET', '/models/no')).status).toBe(404);
  expect(await kit.artifacts.listFiles('registry')).toEqual([]);
});

it('a push that breaks off leaves nothing', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.write(`POST ${api}/models/half/versions HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: ${onnx.length}\r\n\r\n`);
  socket.write(onnx.subarray(0, onnx.length / 2));
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await call('GET', '/models/half')).status).toBe(404);
  expect(await kit.artifacts.listFiles('registry')).toEqual([]);
});

it('unknown fields and malformed values are refused', async () => {
  expect((await call('POST', '/models', { name: 'x', nonsense: 1 })).status).toBe(400);
  expect((await call('PUT', '/models/x/gate-policy', { policy: { metric: { margin: 0.1 } } })).status).toBe(400);
  expect((await call('GET', '/models/x/versions/zero')).status).toBe(400);
  expect((await call('POST', '/models/x/versions/from-source', { source: '/etc/passwd' })).status).toBe(404);
});
