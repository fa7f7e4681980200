import { afterAll, beforeAll, expect, it } from 'vitest';
import { grpcHealth } from '../../src/protocols/grpc-health/index.ts';
import { BinnacleError, notFound, unavailable } from '../../src/kernel/index.ts';
import { call, failure, type GrpcServerKit, startGrpc } from '../support/grpc.ts';
import { until } from '../support/serving.ts';

const models = new Map<string, BinnacleError | undefined>([
  ['ready', undefined],
  ['loading', unavailable('endpoint_not_ready', 'is being loaded')],
]);
const serving = {
  ready: false,
  served(name: string): never {
    const problem = models.has(name) ? models.get(name) : notFound('endpoint_not_found', 'unknown');
    if (problem !== undefined) throw problem;
    return undefined as never;
  },
};
const CHECK = '/grpc.health.v1.Health/Check';
const asked = (name: string): Buffer => (name === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from([10, name.length]), Buffer.from(name)]));
const SERVING = Buffer.from([8, 1]);
const NOT_SERVING = Buffer.from([8, 2]);

let kit: GrpcServerKit;
beforeAll(async () => {
  kit = await startGrpc([grpcHealth({ serving, services: ['inference.GRPCInferenceService'], pollMs: 10 })], { token: 'a token' });
});
afterAll(() => kit.close());

it('the server serves once everything has been tried', async () => {
  const client = kit.client();
  for (const [ready, status] of [
    [false, NOT_SERVING],
    [true, SERVING],
  ] as const) {
    serving.ready = ready;
    expect(await call(client, CHECK, asked(''))).toEqual(status);
    expect(await call(client, CHECK, asked('inference.GRPCInferenceService'))).toEqual(status);
  }
});

it('a model serves by its name', async () => {
  const client = kit.client();
  expect(await call(client, CHECK, asked('ready'))).toEqual(SERVING);
  expect(await call(client, CHECK, asked('loading'))).toEqual(NOT_SERVING);
  expect(await failure(call(client, CHECK, asked('nope')))).toBe("NOT_FOUND: there is no service or model 'nope' here");
});

it('needs no token, to watch neither', async () => {
  const watched = kit.client().makeServerStreamRequest(
    '/grpc.health.v1.Health/Watch',
    (b: Buffer) => b,
    (b: Buffer) => b,
    asked('ready'),
  );
  const first = await new Promise((resolve) => watched.on('data', resolve).on('error', resolve));
  watched.cancel();
  expect(first).toEqual(SERVING);
});

it('who watches is told of every change, and of the end', async () => {
  const own = await startGrpc([grpcHealth({ serving, services: [], pollMs: 10 })]);
  const seen: number[] = [];
  const watched = own.client().makeServerStreamRequest(
    '/grpc.health.v1.Health/Watch',
    (b: Buffer) => b,
    (b: Buffer) => b,
    asked('later'),
  );
  watched.on('data', (message: Buffer) => seen.push(message[1] as number));
  const ended = new Promise((resolve) => watched.on('end', resolve));
  await until(() => seen.length === 1);
  models.set('later', unavailable('endpoint_not_ready', 'is being loaded'));
  await until(() => seen.length === 2);
  models.set('later', undefined);
  await until(() => seen.length === 3);
  const closed = own.server.close(5000);
  await ended;
  await closed;
  expect(seen).toEqual([3, 2, 1, 2]);
  await own.close();
});
