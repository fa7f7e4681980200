import { connect } from 'node:net';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createArtifactService } from '../../src/artifacts/index.ts';
import { openFolderArtifactStore } from '../../src/adapters/fs/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { silentLogger } from '../../src/kernel/index.ts';
import { artifactRoutes, mlflowRoutes } from '../../src/protocols/mlflow/index.ts';
import { createHttpServer, type HttpServer } from '../../src/http/server.ts';

let server: HttpServer;
let port: number;
const root = mkdtempSync(join(tmpdir(), 'binnacle-http-'));

beforeAll(async () => {
  const artifacts = createArtifactService({ store: await openFolderArtifactStore({ root }), maxUploadBytes: 1e9 });
  const echo = { method: 'POST' as const, path: 'echo', handler: async () => ({}) };
  server = await createHttpServer({
    config: await loadConfig({ port: 0 }, {}),
    logger: silentLogger,
    dataPlanes: [
      (_request, _response, path) => {
        if (path === '/throws') throw new Error('a secret');
        return false;
      },
    ],
    plugins: [{ prefix: '', plugin: mlflowRoutes({ logger: silentLogger, routes: [echo], artifacts: artifactRoutes({ artifacts, maxUploadBytes: 1e9 }) }) }],
    metrics: async () => '',
    uiDir: undefined,
    stallMs: 300,
  });
  ({ port } = await server.listen());
});
afterAll(() => server.close(0));

/** What comes back until the server closes the connection. */
const talk = (text: string, more?: (socket: ReturnType<typeof connect>) => void) =>
  new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1', () => more?.(socket)));
    let reply = '';
    socket.on('data', (data) => (reply += data.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(reply));
  });
const alive = async () => expect(await talk('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 200/);

it.each([
  ['POST /api/2.0/mlflow/echo', '{"a'],
  ['PUT /api/2.0/mlflow-artifacts/artifacts/x', 'half'],
])('the body of %s that stalls is given up with 408 in the shape of the protocol, and the connection closed', async (line, part) => {
  const reply = await talk(`${line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n${part}`);
  expect(reply).toMatch(/^HTTP\/1.1 408 /);
  expect(reply).toMatch(/\{"error_code":"TEMPORARILY_UNAVAILABLE","message":"The request body did not arrive in time\."\}/);
  await alive();
});

it('a body that comes slowly, but comes, is taken', async () => {
  const reply = await talk('POST /api/2.0/mlflow/echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 6\r\n\r\n', (socket) => {
    [...'{"a":1'].slice(0, 5).forEach((char, i) => setTimeout(() => socket.write(char), 150 * i));
    setTimeout(() => socket.write('}'), 800);
  });
  // {"a":} is no JSON: that it was read at all is what counts.
  expect(reply).toMatch(/^HTTP\/1.1 400 /);
  expect(reply).toContain('not valid JSON');
});

it('what a front-end throws is answered, not told, and ends nothing', async () => {
  const reply = await talk('GET /throws HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  expect(reply).toMatch(/^HTTP\/1.1 500 /);
  expect(reply).not.toContain('secret');
  await alive();
});

it('a path that cannot be read is an error with the fields of every protocol', async () => {
  for (const path of ['/%zz', '/api/2.0/mlflow/%ff', '/ui/%']) {
    const reply = await talk(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(reply).toMatch(/^HTTP\/1.1 400 /);
    expect(JSON.parse(reply.slice(reply.indexOf('{'), reply.lastIndexOf('}') + 1))).toMatchObject({
      code: 'invalid_path',
      error_code: 'BAD_REQUEST',
      error: expect.any(String),
    });
  }
});

it('a server that stops finishes what it has, refuses what comes on open connections with 503, and closes them', async () => {
  const finish: (() => void)[] = [];
  const stopping = await createHttpServer({
    config: await loadConfig({ port: 0 }, {}),
    logger: silentLogger,
    dataPlanes: [
      (_request, response, path) => {
        if (path === '/held') finish.push(() => response.end('whole'));
        return path === '/held';
      },
    ],
    plugins: [],
    metrics: async () => '',
    uiDir: undefined,
  });
  const { port: own } = await stopping.listen();
  const talker = () => {
    const socket = connect(own, '127.0.0.1');
    const state = { text: '', closed: false, ask: (path: string) => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`) };
    socket.on('data', (data) => (state.text += data.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => (state.closed = true));
    return state;
  };
  const [held, piped] = [talker(), talker()];
  held.ask('/held');
  await expect.poll(() => finish.length).toBe(1);
  piped.ask('/held');
  await expect.poll(() => finish.length).toBe(2);
  const closed = stopping.close(10_000);
  piped.ask('/health');
  // The request is to be there before its connection could count as idle.
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  finish[1]?.();
  await expect.poll(() => piped.closed).toBe(true);
  expect(piped.text).toContain('whole');
  expect(piped.text).toMatch(/HTTP\/1.1 503 [^]*retry-after: 1\r\n/i);
  expect(piped.text).toContain('"error":"The server is stopping.');
  expect(held.closed).toBe(false);
  finish[0]?.();
  await closed;
  await expect.poll(() => held.closed).toBe(true);
  expect(held.text).toContain('whole');
});
