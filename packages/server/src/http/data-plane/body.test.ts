import { type ClientRequest, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BinnacleError } from '../../kernel/index.ts';
import { readBody } from './body.ts';

let held: (() => void) | undefined;
/** Requests announced with 900,000 bytes. */
let seen = 0;
const server = createServer(async (request, response) => {
  if (request.headers['content-length'] === '900000') seen++;
  try {
    const body = await readBody(request, { maxBytes: 1_000_000, maxInFlight: 200_000 });
    if (request.url === '/hold') await new Promise<void>((resolve) => (held = resolve));
    body.release();
    response.end('ok');
  } catch (error) {
    response.writeHead(429).end((error as BinnacleError).code);
  }
});
let port: number;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());

const post = (path: string, bytes: number, headers: Record<string, string> = { 'content-length': String(bytes) }): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = httpRequest({ port, path, method: 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (part) => (text += part));
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
    request.end(Buffer.alloc(bytes));
  });

it.each([
  ['of a declared length', undefined],
  ['sent in parts', { 'transfer-encoding': 'chunked' }],
])('bodies %s share a bound on memory, and a large one alone is let in', async (_what, headers) => {
  expect(await post('/', 900_000, headers)).toBe('ok');
  const holding = post('/hold', 150_000, headers);
  await expect.poll(() => held !== undefined).toBe(true);
  expect(await post('/', 100_000, headers)).toBe('bodies_full');
  expect(await post('/', 10_000, headers)).toBe('ok');
  // Beyond the bound, too: what a small body of a declared length takes is not worth counting.
  if (headers === undefined) expect(await post('/', 60_000, headers)).toBe('ok');
  held?.();
  held = undefined;
  expect(await holding).toBe('ok');
  expect(await post('/', 100_000, headers)).toBe('ok');
});

it('a body that was announced and does not come takes nothing from others', async () => {
  const silent = Array.from({ length: 3 }, (): ClientRequest => {
    const request = httpRequest({ port, path: '/', method: 'POST', headers: { 'content-length': '900000' } });
    request.on('error', () => {});
    request.flushHeaders();
    return request;
  });
  await expect.poll(() => seen).toBeGreaterThanOrEqual(3);
  expect(await post('/', 150_000)).toBe('ok');
  for (const request of silent) request.destroy();
});
