import { request } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/kernel/index.ts';
import { parseRange } from '../../src/http/index.ts';
import { artifactRoutes, mlflowRoutes, registryRoutes } from '../../src/protocols/mlflow/index.ts';
import { openRegistryKit, type RegistryKit } from '../support/registry-kit.ts';

let kit: RegistryKit;
let app: FastifyInstance;
beforeAll(async () => {
  kit = await openRegistryKit({ maxUploadBytes: 5_000_000 });
  app = Fastify();
  await app.register(
    mlflowRoutes({ logger: silentLogger, routes: registryRoutes(kit), artifacts: artifactRoutes({ artifacts: kit.artifacts, maxUploadBytes: 5_000_000 }) }),
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  kit.runs.set('r1', { metrics: { auc: 0.7 } });
  await kit.putModel('1/r1/artifacts/model');
});
afterAll(async () => {
  await app.close();
  await kit.close();
});

type Json = Record<string, unknown>;
async function call(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  payload: Json = {},
  base = '/api/2.0/mlflow/',
): Promise<{ status: number; body: Json }> {
  const query = new URLSearchParams();
  if (method === 'GET') for (const [key, value] of Object.entries(payload)) for (const item of [value].flat()) query.append(key, String(item));
  const response = await app.inject({ method, url: `${base}${path}${method === 'GET' ? `?${query}` : ''}`, ...(method === 'GET' ? {} : { payload }) });
  return { status: response.statusCode, body: response.json() };
}
const error = (error_code: string, message: unknown) => expect.objectContaining({ error_code, message });

describe('registered models', () => {
  it('are created, read, described, tagged, renamed and deleted as MLflow answers', async () => {
    const made = await call('POST', 'registered-models/create', { name: 'life', tags: [{ key: 'team', value: 'red' }], description: 'd' });
    expect(made).toMatchObject({
      status: 200,
      body: { registered_model: { name: 'life', description: 'd', tags: [{ key: 'team', value: 'red' }], latest_versions: [], aliases: [] } },
    });
    expect(typeof (made.body.registered_model as Json).creation_timestamp).toBe('number');
    expect(await call('POST', 'registered-models/create', { name: 'life' })).toEqual({
      status: 400,
      body: error('RESOURCE_ALREADY_EXISTS', 'Registered Model (name=life) already exists.'),
    });
    expect((await call('PATCH', 'registered-models/update', { name: 'life', description: 'new' })).body).toMatchObject({
      registered_model: { description: 'new' },
    });
    expect((await call('POST', 'registered-models/set-tag', { name: 'life', key: 'a', value: 'b' })).body).toEqual({});
    expect((await call('DELETE', 'registered-models/delete-tag', { name: 'life', key: 'team' })).body).toEqual({});
    expect((await call('POST', 'registered-models/rename', { name: 'life', new_name: 'afterlife' })).body).toMatchObject({
      registered_model: { name: 'afterlife', tags: [{ key: 'a', value: 'b' }] },
    });
    expect(await call('GET', 'registered-models/get', { name: 'life' })).toEqual({
      status: 404,
      body: error('RESOURCE_DOES_NOT_EXIST', 'Registered Model with name=life not found'),
    });
    expect((await call('DELETE', 'registered-models/delete', { name: 'afterlife' })).body).toEqual({});
  });

  it('say what is missing or wrong in MLflow’s words', async () => {
    expect(await call('POST', 'registered-models/create', {})).toEqual({
      status: 400,
      body: error('INVALID_PARAMETER_VALUE', expect.stringContaining("Missing value for required parameter 'name'")),
    });
    expect((await call('POST', 'registered-models/create', { name: 'a/b' })).body).toEqual(
      error('INVALID_PARAMETER_VALUE', "Invalid model name 'a/b'. Names cannot contain '/' or ':'."),
    );
    expect((await call('GET', 'registered-models/search', { max_results: 1001 })).body).toEqual(
      error('INVALID_PARAMETER_VALUE', expect.stringContaining('max_results')),
    );
    expect((await call('GET', 'registered-models/search', { filter: 'what is this' })).status).toBe(400);
    expect(await call('GET', 'registered-models/nonsense')).toEqual({ status: 404, body: error('ENDPOINT_NOT_FOUND', expect.any(String)) });
  });

  it('are searched by GET and POST, on both prefixes, with prompts left out', async () => {
    for (const name of ['s1', 's2', 's3']) await call('POST', 'registered-models/create', { name, tags: [{ key: 'kind', value: 'search' }] });
    await call('POST', 'registered-models/create', { name: 's-prompt', tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] });
    const filter = "name LIKE 's%'";
    const names = (body: Json) => (body.registered_models as Json[]).map((m) => m.name);
    expect(names((await call('GET', 'registered-models/search', { filter })).body)).toEqual(['s1', 's2', 's3']);
    const first = (await call('POST', 'registered-models/search', { filter, max_results: '2', order_by: ['name DESC'] }, '/ajax-api/2.0/mlflow/')).body;
    expect(names(first)).toEqual(['s3', 's2']);
    expect(
      names((await call('POST', 'registered-models/search', { filter, max_results: 2, order_by: ['name DESC'], page_token: first.next_page_token })).body),
    ).toEqual(['s1']);
    expect(names((await call('GET', 'registered-models/search', { filter: "tags.`mlflow.prompt.is_prompt` = 'true'" })).body)).toEqual(['s-prompt']);
    expect(names((await call('GET', 'registered-models/search', { filter: "tags.`mlflow.prompt.is_prompt` = 'false' and name = 's1'" })).body)).toEqual(['s1']);
  });
});

describe('model versions', () => {
  beforeAll(async () => {
    await call('POST', 'registered-models/create', { name: 'flights' });
    await call('POST', 'model-versions/create', {
      name: 'flights',
      source: 'runs:/r1/model',
      run_id: 'r1',
      tags: [{ key: 'a', value: '1' }],
      description: 'first',
    });
  });

  it('are created with a number as text, READY, and read back', async () => {
    const version = {
      name: 'flights',
      version: '1',
      source: 'runs:/r1/model',
      run_id: 'r1',
      status: 'READY',
      current_stage: 'None',
      tags: [{ key: 'a', value: '1' }],
      description: 'first',
      aliases: [],
    };
    expect((await call('GET', 'model-versions/get', { name: 'flights', version: '1' })).body).toMatchObject({ model_version: version });
    expect((await call('GET', 'model-versions/get-download-uri', { name: 'flights', version: '1' })).body).toEqual({
      artifact_uri: 'mlflow-artifacts:/1/r1/artifacts/model',
    });
    expect((await call('GET', 'registered-models/get', { name: 'flights' })).body).toMatchObject({ registered_model: { latest_versions: [version] } });
    expect((await call('GET', 'model-versions/search', { filter: "name='flights' and run_id='r1'" })).body).toMatchObject({ model_versions: [version] });
  });

  it('that do not exist, or are no numbers, are refused in MLflow’s words', async () => {
    expect((await call('GET', 'model-versions/get', { name: 'flights', version: '99' })).body).toEqual(
      error('RESOURCE_DOES_NOT_EXIST', 'Model Version (name=flights, version=99) not found'),
    );
    expect((await call('GET', 'model-versions/get', { name: 'flights', version: 'one' })).body).toEqual(
      error('INVALID_PARAMETER_VALUE', "Parameter 'version' must be an integer, got 'one'."),
    );
    expect((await call('GET', 'model-versions/get', { name: 'flights' })).body).toEqual(
      error('INVALID_PARAMETER_VALUE', expect.stringContaining("Missing value for required parameter 'version'")),
    );
    expect((await call('POST', 'model-versions/create', { name: 'flights', source: 'mlflow-artifacts:/../x' })).body).toEqual(
      error('INVALID_PARAMETER_VALUE', expect.stringContaining('Invalid model version source')),
    );
    expect((await call('POST', 'model-versions/create', { name: 'none', source: 'runs:/r1/model' })).status).toBe(404);
  });

  it('take aliases, also as numbers, and are found by them', async () => {
    expect((await call('POST', 'registered-models/alias', { name: 'flights', alias: 'champion', version: 1 })).body).toEqual({});
    expect((await call('GET', 'registered-models/alias', { name: 'flights', alias: 'champion' })).body).toMatchObject({
      model_version: { version: '1', aliases: ['champion'] },
    });
    expect((await call('GET', 'registered-models/alias', { name: 'flights', alias: 'latest' })).body).toMatchObject({ model_version: { version: '1' } });
    expect((await call('GET', 'registered-models/get', { name: 'flights' })).body).toMatchObject({
      registered_model: { aliases: [{ alias: 'champion', version: '1' }] },
    });
    expect(await call('GET', 'registered-models/alias', { name: 'flights', alias: 'none' })).toEqual({
      status: 400,
      body: error('INVALID_PARAMETER_VALUE', 'Registered model alias none not found.'),
    });
    expect((await call('POST', 'registered-models/alias', { name: 'flights', alias: 'v3', version: '1' })).body).toEqual(
      error('INVALID_PARAMETER_VALUE', "Version alias name 'v3' is reserved."),
    );
    expect((await call('DELETE', 'registered-models/alias', { name: 'flights', alias: 'champion' })).body).toEqual({});
  });

  it('move through stages, and the latest of each is listed', async () => {
    await call('POST', 'model-versions/create', { name: 'flights', source: 'runs:/r1/model' });
    expect(
      (await call('POST', 'model-versions/transition-stage', { name: 'flights', version: '1', stage: 'production', archive_existing_versions: 'true' })).body,
    ).toMatchObject({ model_version: { current_stage: 'Production' } });
    const latest = async (stages: string[]) =>
      ((await call('POST', 'registered-models/get-latest-versions', { name: 'flights', stages })).body.model_versions as Json[] | undefined)?.map((v) => [
        v.version,
        v.current_stage,
      ]);
    expect(await latest(['Production'])).toEqual([['1', 'Production']]);
    expect(await latest([])).toEqual([
      ['1', 'Production'],
      ['2', 'None'],
    ]);
    expect((await call('GET', 'registered-models/get-latest-versions', { name: 'flights', stages: 'Production' })).body.model_versions).toHaveLength(1);
    expect((await call('POST', 'model-versions/transition-stage', { name: 'flights', version: '1', stage: 'x' })).body).toEqual(
      error('INVALID_PARAMETER_VALUE', expect.stringContaining('Invalid Model Version stage: x.')),
    );
  });

  it('a failing gate is 400 INVALID_PARAMETER_VALUE with the name of the gate', async () => {
    await kit.registry.setGatePolicy('flights', { aliases: ['champion'], metric: { key: 'auc', direction: 'higher', margin: 0, atLeast: 0.9 } });
    expect(await call('POST', 'registered-models/alias', { name: 'flights', alias: 'champion', version: '1' })).toEqual({
      status: 400,
      body: error('INVALID_PARAMETER_VALUE', expect.stringMatching(/the gate 'metric' failed.*0\.2 below 0\.9/)),
    });
  });

  it('are described, tagged and deleted; a served one is not', async () => {
    expect((await call('PATCH', 'model-versions/update', { name: 'flights', version: '2', description: 'd' })).body).toMatchObject({
      model_version: { description: 'd' },
    });
    await call('POST', 'model-versions/set-tag', { name: 'flights', version: '2', key: 'k', value: 'v' });
    await call('DELETE', 'model-versions/delete-tag', { name: 'flights', version: '2', key: 'k' });
    kit.endpoints.push({ model: 'flights', endpoint: 'live', versions: [2] });
    expect(await call('DELETE', 'model-versions/delete', { name: 'flights', version: '2' })).toEqual({
      status: 409,
      body: error('RESOURCE_CONFLICT', expect.stringContaining('the endpoint live')),
    });
    kit.endpoints.length = 0;
    expect((await call('DELETE', 'model-versions/delete', { name: 'flights', version: '2' })).body).toEqual({});
  });
});

describe('the artifact proxy', () => {
  const at = (path: string) => `/api/2.0/mlflow-artifacts/artifacts/${path}`;
  const put = (path: string, payload: Buffer | string, headers: Record<string, string> = {}) => app.inject({ method: 'PUT', url: at(path), payload, headers });
  const url = (path: string) => `http://127.0.0.1:${(app.server.address() as { port: number }).port}${at(path)}`;

  it('stores a body of any content type and gives the bytes back as an attachment', async () => {
    for (const type of ['application/json', 'text/plain', 'application/octet-stream', 'application/x-www-form-urlencoded', 'nonsense']) {
      const stored = await put('p/файл 1.json', '{"a":', { 'content-type': type });
      expect([stored.statusCode, stored.json()]).toEqual([200, {}]);
    }
    const read = await app.inject({ method: 'GET', url: at(encodeURI('p/файл 1.json')) });
    expect(read.body).toBe('{"a":');
    expect(read.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-type': 'application/json',
      'content-length': '5',
      'accept-ranges': 'bytes',
      'content-disposition': 'attachment; filename="____ 1.json"; filename*=UTF-8\'\'%D1%84%D0%B0%D0%B9%D0%BB%201.json',
    });
    const html = await put('p/x.html', '<script>alert(1)</script>').then(() => app.inject({ method: 'GET', url: at('p/x.html') }));
    expect(html.headers).toMatchObject({
      'content-security-policy': "default-src 'none'; sandbox",
      'content-disposition': expect.stringContaining('attachment'),
    });
  });

  it('stores empty files', async () => {
    expect((await app.inject({ method: 'PUT', url: at('p/empty'), headers: { 'content-length': '0' } })).statusCode).toBe(200);
    expect((await app.inject({ method: 'GET', url: at('p/empty') })).headers['content-length']).toBe('0');
  });

  it('lists basenames with sizes, folders without', async () => {
    await put('l/b/c.txt', 'x');
    await put('l/a.txt', 'xy');
    const listed = async (path: string) =>
      (await app.inject({ method: 'GET', url: `/ajax-api/2.0/mlflow-artifacts/artifacts?path=${encodeURIComponent(path)}` })).json();
    expect(await listed('l')).toEqual({
      files: [
        { path: 'a.txt', is_dir: false, file_size: 2 },
        { path: 'b', is_dir: true },
      ],
    });
    expect(await listed('l/none')).toEqual({ files: [] });
    expect((await listed('')).files.map((f: { path: string }) => f.path)).toContain('l');
  });

  it('answers ranges, and HEAD without a body', async () => {
    await put('r', '0123456789');
    const range = async (header: string) => {
      const response = await app.inject({ method: 'GET', url: at('r'), headers: { range: header } });
      return [response.statusCode, response.headers['content-range'], response.statusCode === 416 ? '' : response.body];
    };
    expect(await range('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234']);
    expect(await range('bytes=-3')).toEqual([206, 'bytes 7-9/10', '789']);
    expect(await range('bytes=8-')).toEqual([206, 'bytes 8-9/10', '89']);
    expect(await range('bytes=8-99')).toEqual([206, 'bytes 8-9/10', '89']);
    expect(await range('bytes=10-')).toEqual([416, 'bytes */10', '']);
    expect(await range('bytes=1-2,4-5')).toEqual([200, undefined, '0123456789']);
    expect(await range('lines=1-2')).toEqual([200, undefined, '0123456789']);
    const head = await app.inject({ method: 'HEAD', url: at('r') });
    expect([head.statusCode, head.headers['content-length'], head.body]).toEqual([200, '10', '']);
    expect((await app.inject({ method: 'HEAD', url: at('none') })).statusCode).toBe(404);
    expect(parseRange('bytes=-0', 10)).toBe('unsatisfiable');
    expect(parseRange('bytes=4-2', 10)).toBeUndefined();
  });

  it('deletes files and folders; what is not there is said so', async () => {
    await put('d/e/f', 'x');
    expect((await app.inject({ method: 'DELETE', url: at('d'), headers: { 'content-type': 'application/json' } })).json()).toEqual({});
    const again = await app.inject({ method: 'DELETE', url: at('d') });
    expect([again.statusCode, again.json().error_code]).toEqual([404, 'RESOURCE_DOES_NOT_EXIST']);
    const missing = await app.inject({ method: 'GET', url: at('d/e/f') });
    expect([missing.statusCode, missing.json().error_code]).toEqual([404, 'RESOURCE_DOES_NOT_EXIST']);
  });

  it('refuses every path that could leave the root, and its own folder', async () => {
    // A bare request: other clients tidy such paths before they send them.
    const bare = (method: string, path: string) =>
      new Promise<[number | undefined, string]>((resolve, reject) => {
        const sent = request({ method, host: '127.0.0.1', port: (app.server.address() as { port: number }).port, path: at(path), agent: false }, (response) => {
          const chunks: Buffer[] = [];
          response
            .on('data', (chunk) => chunks.push(chunk))
            .on('end', () => resolve([response.statusCode, JSON.parse(Buffer.concat(chunks).toString()).error_code]));
        });
        sent.on('error', reject).end(method === 'PUT' ? 'x' : undefined);
      });
    for (const path of [
      '../x',
      '%2e%2e/x',
      '..%2fx',
      '%252e%252e%252fx',
      'a/%2e%2e/%2e%2e/x',
      '%2fetc/passwd',
      'a%5c..%5cx',
      'a%00b',
      '.binnacle/graphs/x',
      '%2ebinnacle/x',
    ]) {
      for (const method of ['GET', 'PUT', 'DELETE']) expect(await bare(method, path), `${method} ${path}`).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    }
    expect((await app.inject({ method: 'GET', url: '/api/2.0/mlflow-artifacts/artifacts?path=../..' })).statusCode).toBe(400);
  });

  it('refuses a body over the limit with 413, declared or not, and stays usable', async () => {
    const declared = await fetch(url('big'), { method: 'PUT', body: new Uint8Array(5_000_001) });
    expect([declared.status, (await declared.json()).error_code]).toEqual([413, 'INVALID_PARAMETER_VALUE']);
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 60; i++) controller.enqueue(new Uint8Array(100_000));
        controller.close();
      },
    });
    const undeclared = await fetch(url('big'), { method: 'PUT', body: stream, duplex: 'half' } as RequestInit);
    expect([undeclared.status, (await undeclared.json()).error_code]).toEqual([413, 'INVALID_PARAMETER_VALUE']);
    expect((await fetch(url('big'))).status).toBe(404);
  });

  it('a client that goes away in the middle leaves nothing', async () => {
    const { connect } = await import('node:net');
    const socket = connect((app.server.address() as { port: number }).port, '127.0.0.1');
    socket.write(`PUT ${at('half')} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(500)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await fetch(url('half'))).status).toBe(404);
    expect((await app.inject({ method: 'GET', url: '/api/2.0/mlflow-artifacts/artifacts' })).json().files.map((f: { path: string }) => f.path)).not.toContain(
      'half',
    );
  });

  it('says that multipart uploads and presigned links are not supported', async () => {
    const multipart = await app.inject({ method: 'POST', url: '/api/2.0/mlflow-artifacts/mpu/create/a/b', payload: { path: 'x', num_parts: 2 } });
    expect([multipart.statusCode, multipart.json().error_code]).toEqual([501, 'NOT_IMPLEMENTED']);
    expect(multipart.json().message).toMatch(/^Multipart upload is not supported for the current artifact repository/);
    const presigned = await app.inject({ method: 'GET', url: '/api/2.0/mlflow-artifacts/presigned/a/b' });
    expect([presigned.statusCode, presigned.json().error_code]).toEqual([501, 'NOT_IMPLEMENTED']);
    expect((await app.inject({ method: 'GET', url: '/api/2.0/mlflow-artifacts/none' })).json().error_code).toBe('ENDPOINT_NOT_FOUND');
  });
});
