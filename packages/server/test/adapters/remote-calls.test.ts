import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { remoteRuntime } from '../../src/compose/remote-models.ts';
import type { RemoteSpec } from '../../src/registry/index.ts';
import type { LoadedModel, LoadOptions } from '../../src/serving/index.ts';
import { packageOf, tensor } from '../ports/package-runtime.suite.ts';

interface Seen {
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}
let seen: Seen[] = [];
let answer: (response: ServerResponse, call: number) => void;
/** An Open Inference server without extensions, which answers as a test says. */
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const path = request.url ?? '';
  if (path === '/v2') response.end('{"extensions":[]}');
  else if (path === '/v2/models/m')
    response.end('{"inputs":[{"name":"x","datatype":"FP32","shape":[-1]}],"outputs":[{"name":"y","datatype":"FP32","shape":[-1]}]}');
  else {
    seen.push({ path, headers: request.headers, body: Buffer.concat(chunks).toString() });
    answer(response, seen.length);
  }
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const open: LoadedModel[] = [];
afterAll(async () => {
  for (const model of open) await model.close();
  server.closeAllConnections();
  server.close();
});

const GOOD = '{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"data":[2]}]}';
beforeEach(() => {
  seen = [];
  answer = (response) => response.end(GOOD);
});

async function load(change: Partial<RemoteSpec> = {}, options: LoadOptions = {}): Promise<LoadedModel> {
  const runtime = remoteRuntime({ limits: { maxBodyBytes: 2 ** 20, maxJsonBytes: 0, maxUploadBytes: 0 }, remote: { hosts: [], secretsDir: undefined } });
  const model = await runtime.load(packageOf({ kind: 'remote', protocol: 'open-inference', url, model: 'm', ...change }), options);
  open.push(model);
  return model;
}
const x = () => [tensor('x', 'FP32', [1], [1])];
const failure = async (work: unknown) =>
  Promise.resolve(work).then(
    () => undefined,
    (error: unknown) => error,
  );
const refuse =
  (status: number, text: string, headers = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, headers).end(text);

it('priority, time-out, sequence and parameters are passed on', async () => {
  const model = await load();
  await model.execute(x(), ['y'], {
    priority: 2,
    timeoutMicros: 5000,
    sequence: { id: 18446744073709551615n, start: true, end: false },
    parameters: { temperature: 0.5, mode: 'a' },
  });
  expect(seen[0]?.body).toBe(
    '{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]}],"outputs":[{"name":"y"}],"parameters":{"temperature":0.5,"mode":"a","priority":2,"timeout":5000,"sequence_id":18446744073709551615,"sequence_start":true,"sequence_end":false}}',
  );
});

it('a token goes with every request, and into no error', async () => {
  process.env.BINNACLE_REMOTE_TOKEN_TEST = 'hunter2';
  try {
    const model = await load({ token: 'env:BINNACLE_REMOTE_TOKEN_TEST' });
    await model.execute(x(), ['y']);
    expect(seen[0]?.headers.authorization).toBe('Bearer hunter2');
    answer = refuse(401, '{"error":"who are you"}');
    const error = await failure(model.execute(x(), ['y']));
    expect(error).toMatchObject({ kind: 'unavailable', code: 'remote_denied', message: expect.stringContaining('who are you') });
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
    expect(model.problem).toContain('refuses this server');
  } finally {
    delete process.env.BINNACLE_REMOTE_TOKEN_TEST;
  }
});

it('a 503 with Retry-After is asked once more, where a request may be seen twice', async () => {
  const model = await load();
  answer = (response, call) => (call === 1 ? refuse(503, '{"error":"busy"}', { 'retry-after': '0' })(response) : void response.end(GOOD));
  expect(await model.execute(x(), ['y'])).toHaveLength(1);
  expect(seen).toHaveLength(2);
  seen = [];
  answer = refuse(503, '{"error":"busy"}', { 'retry-after': '0' });
  expect(await failure(model.execute(x(), ['y'], { sequence: { id: 'a', start: true, end: true } }))).toMatchObject({ code: 'remote_unavailable' });
  expect(seen).toHaveLength(1);
});

it('a connection that breaks under a request is tried once more, but not a step of a sequence', async () => {
  const model = await load();
  await model.execute(x(), ['y']);
  seen = [];
  answer = (response, call) => (call === 1 ? void response.destroy() : void response.end(GOOD));
  expect(await model.execute(x(), ['y'])).toHaveLength(1);
  seen = [];
  answer = (response) => void response.destroy();
  await failure(model.execute(x(), ['y'], { sequence: { id: 'a', start: true, end: true } }));
  expect(seen).toHaveLength(1);
});

it.each([
  [400, 'invalid', 'remote_refused'],
  [404, 'unavailable', 'remote_model_missing'],
  [413, 'invalid', 'remote_refused'],
  [429, 'exhausted', 'remote_exhausted'],
  [500, 'internal', 'remote_failed'],
  [501, 'unsupported', 'remote_unsupported'],
  [504, 'unavailable', 'remote_timeout'],
])('its status %i is %s here', async (status, kind, code) => {
  const model = await load();
  answer = refuse(status, '{"error":"because"}');
  expect(await failure(model.execute(x(), ['y']))).toMatchObject({ kind, code, message: expect.stringContaining('because') });
});

it("what a server's error says is passed on in one line and no longer than need be", async () => {
  const model = await load();
  answer = refuse(500, `<html>\n<b>bad\u0000\u001b[31m</b>\n${'x'.repeat(100_000)}</html>`);
  const { message } = (await failure(model.execute(x(), ['y']))) as Error;
  expect(message).toContain('bad');
  expect(message.length).toBeLessThan(1500);
  expect(message).not.toMatch(/\p{C}|</u);
});

it.each([
  ['no JSON', 'oops'],
  ['no outputs', '{}'],
  ['another output', '{"outputs":[{"name":"z","datatype":"FP32","shape":[1],"data":[2]}]}'],
  ['too few values', '{"outputs":[{"name":"y","datatype":"FP32","shape":[3],"data":[2]}]}'],
  ['BF16', '{"outputs":[{"name":"y","datatype":"BF16","shape":[1],"data":[2]}]}'],
  ['a shape that is none', '{"outputs":[{"name":"y","datatype":"FP32","shape":[-1],"data":[2]}]}'],
  ['binary beyond the body', '{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}'],
])('an answer with %s is an error in words', async (_what, body) => {
  const model = await load();
  answer = (response) => response.end(body);
  expect(await failure(model.execute(x(), ['y']))).toMatchObject({ kind: 'internal', code: 'remote_reply_invalid' });
});

it('what JSON has no form for is refused before it is sent', async () => {
  const model = await load();
  expect(await failure(model.execute([tensor('x', 'FP32', [1], [Number.NaN])], ['y']))).toMatchObject({ kind: 'invalid', code: 'no_json_form' });
  expect(seen).toHaveLength(0);
});

it('while the server is known to be away, nobody waits for a connection', async () => {
  const away = createServer((request, response) =>
    response.end(request.url === '/v2' ? '{"extensions":[]}' : '{"inputs":[{"name":"x","datatype":"FP32","shape":[-1]}],"outputs":[]}'),
  );
  await new Promise<void>((resolve) => away.listen(0, '127.0.0.1', resolve));
  const model = await load({ url: `http://127.0.0.1:${(away.address() as AddressInfo).port}` });
  away.closeAllConnections();
  await new Promise((resolve) => away.close(resolve));
  const started = performance.now();
  expect(await failure(model.execute(x(), []))).toMatchObject({ code: 'remote_unreachable' });
  // Another try at a connection after 200 ms.
  expect(performance.now() - started).toBeGreaterThan(190);
  const errors = await Promise.all(Array.from({ length: 20 }, () => failure(model.execute(x(), []))));
  expect(new Set(errors.map((error) => (error as { code: string }).code))).toEqual(new Set(['remote_unreachable']));
  const times = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const begun = performance.now();
      await failure(model.execute(x(), []));
      return performance.now() - begun;
    }),
  );
  expect(Math.min(...times)).toBeLessThan(200);
});

it('as many requests at a time as the endpoint is configured for', async () => {
  expect((await load({}, { instances: 3 })).slots).toBe(3);
  expect((await load()).slots).toBe(64);
});
