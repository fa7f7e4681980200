import { createServer, type Server } from 'node:net';
import { chmodSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { binnacle, type RunningServer, startServer, temporaryFolder } from '../support/server.ts';

const get = (url: string, headers: Record<string, string> = {}, method = 'GET') =>
  new Promise<{ status: number; body: string; headers: Record<string, unknown> }>((resolve, reject) => {
    const req = request(url, { method, headers }, (response) => {
      let body = '';
      response.on('data', (data: Buffer) => (body += data.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    req.once('error', reject);
    req.end();
  });

describe('an empty server', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    await server.stop();
  });

  it('answers /health, says where its data lies and holds the Default experiment', async () => {
    expect((await get(`${server.url}/health`)).body).toBe('OK');
    const info = JSON.parse((await get(`${server.url}/api/binnacle/v1/info`)).body);
    expect(info).toMatchObject({ name: 'binnacle', dataDir: server.dataDir, authentication: 'none', counts: { experiments: 1, runs: 0, models: 0 } });
    expect(server.stderr()).toContain(`mlflow.set_tracking_uri("${server.url}")`);
  });

  it('describes every operation in its OpenAPI document', async () => {
    const document = JSON.parse((await get(`${server.url}/api/binnacle/v1/openapi.json`)).body);
    const ids = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>).flatMap((path) =>
      Object.values(path).map((op) => op.operationId),
    );
    const { operations } = await import('@binnacle/contract');
    expect(ids.sort()).toEqual(Object.keys(operations).sort());
  });

  it('has a handler behind every operation of the contract', async () => {
    const { operations, API_PREFIX } = await import('@binnacle/contract');
    for (const [id, op] of Object.entries(operations)) {
      const reply = await get(server.url + API_PREFIX + op.path.replace(/\{version\}/, '1').replace(/\{\w+\}/g, 'none'), {}, op.method);
      expect(reply.body, id).not.toContain('no_such_route');
    }
  });

  it('answers an unknown path and an unknown operation with a problem that says where to look', async () => {
    expect(JSON.parse((await get(`${server.url}/nope`)).body)).toMatchObject({ status: 404, code: 'no_such_route' });
    expect(JSON.parse((await get(`${server.url}/api/binnacle/v1/nope`)).body).detail).toContain('openapi.json');
  });

  it('leads MLflow’s links to the interface', async () => {
    const reply = await get(`${server.url}/`);
    expect([reply.status, reply.headers.location]).toEqual([302, '/ui/']);
  });

  it('refuses another host name, so that DNS rebinding reaches nothing', async () => {
    const reply = await get(`${server.url}/api/binnacle/v1/info`, { host: 'evil.example' });
    expect(reply.status).toBe(403);
    expect(reply.body).toContain('--allowed-host evil.example');
  });

  it('refuses a change that another origin’s page sends', async () => {
    const reply = await get(`${server.url}/api/2.0/mlflow/experiments/create`, { origin: 'http://evil.example' }, 'POST');
    expect(reply.status).toBe(403);
  });

  it('tells a second server on its directory who holds it', async () => {
    const second = await binnacle(['up', '--data', server.dataDir, '--port', '0']);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`is in use by the Binnacle with process id ${server.pid} at ${server.url}`);
  });

  it('is found by commands on its data directory', async () => {
    const { code, stdout } = await binnacle(['runs', 'ls', '--json', '--data', server.dataDir]);
    expect([code, JSON.parse(stdout)]).toEqual([0, []]);
  });
});

it('a stop signal ends the server with code 0 and frees the directory', async () => {
  const server = await startServer();
  expect(await server.stop()).toBe(0);
  const again = await startServer({ data: server.dataDir });
  expect(await again.stop('SIGINT')).toBe(0);
});

describe('a port that is in use', () => {
  let blocker: Server;
  let port: number;
  beforeAll(async () => {
    blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    port = (blocker.address() as { port: number }).port;
  });
  afterAll(() => blocker.close());

  it('is a clear error that names the flag', async () => {
    const { code, stderr } = await binnacle(['up', '--data', temporaryFolder(), '--port', String(port)]);
    expect(code).toBe(1);
    expect(stderr).toContain(`Port ${port} on 127.0.0.1 is in use`);
    expect(stderr).toContain('--port');
  });

  it('is one for gRPC, too, and says how to do without', async () => {
    const { code, stderr } = await binnacle(['up', '--data', temporaryFolder(), '--port', '0', '--grpc-port', String(port)]);
    expect(code).toBe(1);
    expect(stderr).toContain(`gRPC's port ${port} on 127.0.0.1 is in use`);
    expect(stderr).toContain('--grpc-port -1');
  });
});

describe('the port of gRPC', () => {
  it('is told at the start, and answers with the health of the server', async () => {
    const server = await startServer();
    const target = /gRPC\s+(127\.0\.0\.1:\d+)/.exec(server.stderr())?.[1];
    const client = new Client(target ?? '', credentials.createInsecure());
    const raw = (bytes: Buffer): Buffer => bytes;
    const status = await new Promise((resolve, reject) =>
      client.makeUnaryRequest('/grpc.health.v1.Health/Check', raw, raw, Buffer.alloc(0), (error, reply) =>
        error === null ? resolve(reply?.[1]) : reject(error),
      ),
    );
    // 1: serving, 2: not yet.
    expect([1, 2]).toContain(status);
    client.close();
    expect(await server.stop()).toBe(0);
  });

  it('does not start over a model repository that is not there', async () => {
    const { code, stderr } = await binnacle(['up', '--data', temporaryFolder(), '--port', '0', '--grpc-port', '0', '--model-repository', '/nowhere/models']);
    expect(code).toBe(1);
    expect(stderr).toContain('the model repository /nowhere/models cannot be read');
  });

  it('is none with --grpc-port -1', async () => {
    const server = await startServer({ args: ['--grpc-port', '-1'] });
    expect(server.stderr()).not.toContain('gRPC');
    await server.stop();
  });
});

it('a database that cannot be opened ends the server at once, and says why', async () => {
  const data = temporaryFolder();
  writeFileSync(join(data, 'binnacle.db'), 'no database '.repeat(1000));
  const { code, stderr } = await binnacle(['up', '--data', data, '--port', '0']);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`The database ${join(data, 'binnacle.db')} is damaged`) });
});

it('a data directory that cannot be written is a clear error', async () => {
  const dir = temporaryFolder();
  chmodSync(dir, 0o500);
  // Root may write anywhere: become nobody where the test runs as root.
  const { code, stderr } = await binnacle(['up', '--data', `${dir}/data`, '--port', '0'], process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {});
  expect(stderr).toContain(`The data directory ${dir}/data cannot be written (EACCES)`);
  expect(code).toBe(1);
});

describe('listening wider than loopback', () => {
  it('is refused without a token', async () => {
    const { code, stderr } = await binnacle(['up', '--data', temporaryFolder(), '--port', '0', '--host', '0.0.0.0']);
    expect(code).toBe(1);
    expect(stderr).toContain('--token');
  });

  it('asks every client for the token, in each of its forms, but answers probes', async () => {
    const server = await startServer({ args: ['--token', 's3cret'] });
    try {
      const info = `${server.url}/api/binnacle/v1/info`;
      expect((await get(info)).status).toBe(401);
      expect((await get(info, { authorization: 'Bearer wrong' })).status).toBe(401);
      expect((await get(info, { authorization: 'Bearer s3cret' })).status).toBe(200);
      expect((await get(info, { authorization: `Basic ${Buffer.from('me:s3cret').toString('base64')}` })).status).toBe(200);
      expect((await get(`${server.url}/v2/models/x/infer`, {}, 'POST')).status).toBe(401);
      expect((await get(`${server.url}/health`)).status).toBe(200);
      const signIn = await get(`${server.url}/ui/?token=s3cret`);
      expect([signIn.status, signIn.headers.location]).toEqual([302, '/ui/']);
      expect(String(signIn.headers['set-cookie'])).toContain('HttpOnly');
      expect((await get(info, { cookie: 'binnacle_token=s3cret' })).status).toBe(200);
      expect(server.stderr()).not.toContain('s3cret');
    } finally {
      await server.stop();
    }
  });

  it('shows the interface to a browser without the token, which signs in there; nothing else opens', async () => {
    const server = await startServer({ args: ['--token', 's3cret'] });
    try {
      for (const path of ['/', '/ui', '/ui/', '/ui/runs/1?tab=charts']) expect((await get(server.url + path)).status, path).not.toBe(401);
      for (const path of ['/metrics', '/uimetrics', '/ui/../api/binnacle/v1/info', '/api/binnacle/v1/openapi.json', '/v2', '/endpoints/e/invocations'])
        expect((await get(server.url + path)).status, path).toBe(401);
      expect((await get(`${server.url}/ui/`, {}, 'POST')).status).toBe(401);
      expect((await get(`${server.url}/ui/`, { host: 'evil.example' })).status).toBe(403);

      const deep = await get(`${server.url}/ui/experiments/1?filter=metrics.a%20%3E%201&token=s3cret&diff=true`);
      expect([deep.status, deep.headers.location]).toEqual([302, '/ui/experiments/1?filter=metrics.a+%3E+1&diff=true']);
      expect(String(deep.headers['set-cookie'])).toMatch(/^binnacle_token=s3cret; HttpOnly; SameSite=Strict/);
      const wrong = await get(`${server.url}/ui/?token=guess`);
      expect([wrong.headers['set-cookie'], wrong.headers.location]).toEqual([undefined, undefined]);
      // A browser that is signed in already does not keep the token in its address bar either.
      expect((await get(`${server.url}/ui/?token=s3cret`, { cookie: 'binnacle_token=s3cret' })).status).toBe(302);
    } finally {
      await server.stop();
    }
  });
});

describe('used wrongly', () => {
  it.each([
    [['nonsense'], 'unknown command'],
    [['models', 'promote', 'm', '--alias', 'champion'], 'Name a version: m/1'],
    [['up', '--port', 'http'], 'http is not a whole number'],
    [['models', 'push', 'missing.onnx', '--name', 'm'], 'missing.onnx is not a file'],
    [['deploy', 'm', '--canary', '100%'], 'between 0 and 100'],
  ])('%j exits with 2 and says why', async (args, message) => {
    const { code, stderr, stdout } = await binnacle(args, { env: { BINNACLE_DATA: temporaryFolder() } });
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });

  it('a server that does not answer is named', async () => {
    const { code, stderr } = await binnacle(['models', 'ls', '--url', 'http://127.0.0.1:9']);
    expect(code).toBe(1);
    expect(stderr).toContain('http://127.0.0.1:9');
  });
});
