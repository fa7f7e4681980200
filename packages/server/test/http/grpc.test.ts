import { connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { compressionAlgorithms } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MAX_IN_FLIGHT, Share } from '../../src/http/data-plane/share.ts';
import type { GrpcCall, GrpcService } from '../../src/http/grpc/index.ts';
import { invalid, unavailable } from '../../src/kernel/index.ts';
import { call, failure, type GrpcServerKit, startGrpc, stream } from '../support/grpc.ts';
import { until } from '../support/serving.ts';

const bytes = { decode: (message: Buffer) => message, encode: (reply: Uint8Array) => reply };
let calls: GrpcCall[] = [];
let release = Promise.withResolvers<void>();
let unread = 0;

const service: GrpcService = {
  name: 'test.Echo',
  load: async () => ({
    // The reply owns its memory, as a model's outputs do.
    Same: { kind: 'unary', ...bytes, handle: (message: Buffer) => Buffer.from(message) },
    Open: { kind: 'unary', ...bytes, open: true, handle: (message: Buffer) => Buffer.from(message) },
    Wait: {
      kind: 'unary',
      ...bytes,
      async handle(message: Buffer, call) {
        calls.push(call);
        await release.promise;
        return Buffer.from(message);
      },
    },
    Refuse: {
      kind: 'unary',
      ...bytes,
      handle(message: Buffer) {
        if (message.toString() === 'defect') throw new Error('a secret of ours');
        throw message.toString() === 'full' ? unavailable('queue_full', 'Exceeds maximum queue size') : invalid('wrong', 'größe: 100 % wrong\nand more');
      },
    },
    Unreadable: {
      kind: 'unary',
      ...bytes,
      decode: () => {
        throw new RangeError('index out of range');
      },
      handle: () => Buffer.alloc(0),
    },
    Count: {
      kind: 'server-stream',
      ...bytes,
      async handle(message: Buffer, call) {
        for (let i = 0; i < Number(message); i++) {
          const full = call.write(Buffer.alloc(100_000, i));
          if (full !== undefined) await full;
        }
      },
    },
    Both: {
      kind: 'bidi',
      ...bytes,
      start(call) {
        calls.push(call);
        return {
          async message(message: Buffer) {
            unread++;
            if (message.toString() === 'stop') throw invalid('stopped', 'no more of this');
            if (message.toString() === 'wait') await release.promise;
            unread--;
            await call.write(Buffer.from(message));
          },
        };
      },
    },
  }),
};

let kit: GrpcServerKit;
beforeAll(async () => {
  kit = await startGrpc([service], { maxMessageBytes: 2 ** 20 });
});
afterAll(() => kit.close());
beforeEach(() => {
  calls = [];
  unread = 0;
  release = Promise.withResolvers<void>();
});

const SAME = '/test.Echo/Same';
const tensor = (size: number): Buffer => Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31) & 0xff));

describe('a unary call', () => {
  it.each([0, 1, 1000, 16_384, 65_536, 1_000_000])('of %i bytes comes back as it was', async (size) => {
    expect((await call(kit.client(), SAME, tensor(size))).equals(tensor(size))).toBe(true);
  });

  it('is one of many on a connection', async () => {
    const client = kit.client();
    const sizes = Array.from({ length: 200 }, (_, i) => (i * 997) % 200_000);
    const replies = await Promise.all(sizes.map((size) => call(client, SAME, tensor(size))));
    expect(replies.map((reply, i) => reply.equals(tensor(sizes[i] as number))).every(Boolean)).toBe(true);
  });

  it.each([
    ['gzip', compressionAlgorithms.gzip],
    ['deflate', compressionAlgorithms.deflate],
  ])('may be packed with %s, and its reply is, too', async (_name, algorithm) => {
    const client = kit.client({ 'grpc.default_compression_algorithm': algorithm });
    expect((await call(client, SAME, tensor(200_000))).equals(tensor(200_000))).toBe(true);
    expect((await call(client, SAME, Buffer.from('small'))).toString()).toBe('small');
  });

  it('of a packed message that would unpack to more than is taken is refused', async () => {
    const client = kit.client({ 'grpc.default_compression_algorithm': compressionAlgorithms.gzip });
    expect(await failure(call(client, SAME, Buffer.alloc(8 * 2 ** 20)))).toMatch(/^RESOURCE_EXHAUSTED: .*exceeds the maximum allowed value of 1048576 bytes/);
  });

  it('that is too large is refused with what to do', async () => {
    expect(await failure(call(kit.client(), SAME, tensor(2 ** 20 + 1)))).toMatch(
      /^RESOURCE_EXHAUSTED: Received message larger than max \(1048577 vs\. 1048576 bytes\).*maxBodyBytes/,
    );
  });

  it('tells errors by status and text', async () => {
    const client = kit.client();
    const refuse = (text: string) => failure(call(client, '/test.Echo/Refuse', Buffer.from(text)));
    expect(await refuse('wrong')).toBe('INVALID_ARGUMENT: größe: 100 % wrong\nand more');
    expect(await refuse('full')).toBe('UNAVAILABLE: Exceeds maximum queue size');
    expect(await refuse('defect')).toBe('INTERNAL: the server made a mistake; its log says more');
    expect(await failure(call(client, '/test.Echo/Unreadable', tensor(3)))).toBe('INTERNAL: the request could not be read: index out of range');
  });

  it.each(['/test.Echo/Nothing', '/test.Other/Same', '/nonsense', '/test.Echo/constructor'])('of %s is unimplemented', async (path) => {
    expect(await failure(call(kit.client(), path, tensor(1)))).toBe(`UNIMPLEMENTED: unknown method ${path}: this server does not have it`);
  });

  it('whose deadline is over says so, and its handler knows', async () => {
    const client = kit.client();
    const failed = failure(call(client, '/test.Echo/Wait', tensor(1), { deadlineMs: 50 }));
    expect(await failed).toMatch(/^DEADLINE_EXCEEDED/);
    await until(() => calls[0]?.signal.aborted ?? false);
    release.resolve();
  });

  it('that is cancelled aborts its signal', async () => {
    const client = kit.client();
    const request = client.makeUnaryRequest(
      '/test.Echo/Wait',
      (b: Buffer) => b,
      (b: Buffer) => b,
      tensor(1),
      () => {},
    );
    await until(() => calls.length === 1);
    expect(calls[0]?.signal.aborted).toBe(false);
    request.cancel();
    await until(() => calls[0]?.signal.aborted ?? false);
    release.resolve();
  });
});

describe('a stream', () => {
  const collect = async (client = kit.client(), send: string[] = [], end = true): Promise<{ got: string[]; error: string }> => {
    const both = stream(client, '/test.Echo/Both');
    const got: string[] = [];
    both.on('data', (message: Buffer) => got.push(message.toString()));
    for (const text of send) both.write(Buffer.from(text));
    if (end) both.end();
    const error = await failure(new Promise((resolve, reject) => both.on('error', reject).on('end', resolve as () => void)));
    return { got, error };
  };

  it('goes both ways and ends when all is answered', async () => {
    expect(await collect(undefined, ['a', 'b', 'c'])).toEqual({ got: ['a', 'b', 'c'], error: 'nothing' });
    expect(await collect(undefined, [])).toEqual({ got: [], error: 'nothing' });
  });

  it('of packed messages keeps their order', async () => {
    const client = kit.client({ 'grpc.default_compression_algorithm': compressionAlgorithms.gzip });
    const texts = Array.from({ length: 20 }, (_, i) => `${i} `.repeat(50 * (20 - i)));
    expect((await collect(client, texts)).got).toEqual(texts);
  });

  it('ends with the error that a message made', async () => {
    expect(await collect(undefined, ['a', 'stop'], false)).toEqual({ got: ['a'], error: 'INVALID_ARGUMENT: no more of this' });
  });

  it('is read no further while many messages are under way', async () => {
    const both = stream(kit.client(), '/test.Echo/Both');
    const got: Buffer[] = [];
    both.on('data', (message: Buffer) => got.push(message));
    const wait = Buffer.concat([Buffer.from('wait')]);
    for (let i = 0; i < 500; i++) both.write(wait);
    both.write(Buffer.alloc(500_000));
    for (let i = 0; i < 5; i++) both.write(Buffer.alloc(900_000));
    both.end();
    await until(() => unread >= 64);
    release.resolve();
    await until(() => got.length === 506);
  });

  it('and calls beside it on one connection keep each byte, though buffers are freed on the way', async () => {
    const client = kit.client();
    // Messages that wait, so that the stream is paused with frames in front of it.
    const both = stream(client, '/test.Echo/Both');
    const got: Buffer[] = [];
    both.on('data', (message: Buffer) => got.push(message));
    const sent = Array.from({ length: 300 }, (_, i) => (i < 70 ? Buffer.from('wait') : tensor(1 + ((i * 7919) % 60_000))));
    for (const message of sent) both.write(message);
    both.end();
    await until(() => unread >= 64);
    const sizes = Array.from({ length: 150 }, (_, i) => (i % 3 === 0 ? i : (i * 104_729) % 400_000));
    const replies = await Promise.all(sizes.map((size) => call(client, SAME, tensor(size))));
    expect(replies.filter((reply, i) => !reply.equals(tensor(sizes[i] as number)))).toEqual([]);
    release.resolve();
    await until(() => got.length === sent.length, 20_000);
    expect(got.filter((message) => !sent.some((one) => one.equals(message)))).toEqual([]);
    const again = await Promise.all(sizes.map((size) => call(client, SAME, tensor(size + 1))));
    expect(again.filter((reply, i) => !reply.equals(tensor((sizes[i] as number) + 1)))).toEqual([]);
  }, 30_000);

  it('from the server alone waits for a client that reads slowly', async () => {
    const counted = kit.client().makeServerStreamRequest(
      '/test.Echo/Count',
      (b: Buffer) => b,
      (b: Buffer) => b,
      Buffer.from('100'),
    );
    let size = 0;
    for await (const message of counted) size += (message as Buffer).length;
    expect(size).toBe(100 * 100_000);
  });
});

describe('with a token', () => {
  let guarded: GrpcServerKit;
  beforeAll(async () => {
    guarded = await startGrpc([service], { token: 'right' });
  });
  afterAll(() => guarded.close());

  it('calls need it, each by itself', async () => {
    const client = guarded.client();
    const as = (authorization: string, path = SAME) => failure(call(client, path, tensor(1), { metadata: { authorization } }));
    expect(await failure(call(client, SAME, tensor(1)))).toMatch(/^UNAUTHENTICATED: A token is required/);
    expect(await as('Bearer wrong')).toMatch(/^UNAUTHENTICATED/);
    expect(await as('Bearer right')).toBe('nothing');
    expect(await as('Bearer right')).toBe('nothing');
    expect(await as('Bearer wrong')).toMatch(/^UNAUTHENTICATED/);
    expect(await failure(call(client, SAME, tensor(1)))).toMatch(/^UNAUTHENTICATED/);
  });

  it('probes do not, and open nothing else', async () => {
    const client = guarded.client();
    expect(await failure(call(client, '/test.Echo/Open', tensor(1)))).toBe('nothing');
    expect(await failure(call(client, SAME, tensor(1)))).toMatch(/^UNAUTHENTICATED/);
  });
});

it('another host name is refused where only loopback listens', async () => {
  const client = kit.client({ 'grpc.default_authority': 'evil.example:8001' });
  expect(await failure(call(client, SAME, tensor(1)))).toMatch(/^PERMISSION_DENIED: .*evil\.example/);
});

/** A raw HTTP/2 stream: status, trailers and body of the answer. */
function raw(headers: Record<string, string>, body: Buffer[], target = kit.target): Promise<{ headers: Record<string, unknown>; rst: number }> {
  const session = connect(`http://${target}`);
  const request = session.request({ ':method': 'POST', ':path': SAME, 'content-type': 'application/grpc', te: 'trailers', ...headers });
  return new Promise((resolve) => {
    let seen: Record<string, unknown> = {};
    request.on('response', (headers) => {
      seen = { ...seen, ...headers };
    });
    request.on('trailers', (trailers) => {
      seen = { ...seen, ...trailers };
    });
    request.on('error', () => {});
    request.on('close', () => {
      session.close();
      resolve({ headers: seen, rst: request.rstCode ?? 0 });
    });
    request.resume();
    for (const part of body) request.write(part);
    request.end();
  });
}
const prefixed = (message: Buffer, flag = 0): Buffer => {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

describe('what is no gRPC', () => {
  it.each<[string, Record<string, string>, Buffer[], Record<string, unknown>]>([
    ['another content type', { 'content-type': 'application/json' }, [], { ':status': 415 }],
    ['no message', {}, [], { 'grpc-status': '13', 'grpc-message': 'the call ended without a message' }],
    ['half a message', {}, [prefixed(Buffer.alloc(10)).subarray(0, 9)], { 'grpc-status': '13' }],
    ['two messages', {}, [prefixed(Buffer.alloc(0)), prefixed(Buffer.alloc(0), 1)], { ':status': 200 }],
    ['a flag that is none', {}, [prefixed(Buffer.alloc(1), 7)], { 'grpc-status': '13' }],
    ['a packed message without an encoding', {}, [prefixed(Buffer.alloc(1), 1)], { 'grpc-status': '13' }],
    ['what is not gzip', { 'grpc-encoding': 'gzip' }, [prefixed(Buffer.from('plain'), 1)], { 'grpc-status': '3' }],
    [
      'an encoding that nobody knows',
      { 'grpc-encoding': 'snappy' },
      [prefixed(Buffer.alloc(1), 1)],
      { 'grpc-status': '12', 'grpc-accept-encoding': 'identity,deflate,gzip' },
    ],
    ['a time-out that is none', { 'grpc-timeout': 'soon' }, [prefixed(Buffer.alloc(1))], { 'grpc-status': '3' }],
  ])('%s', async (_name, headers, body, expected) => {
    expect((await raw(headers, body)).headers).toMatchObject(expected);
  });

  it.each<[string, Record<string, string>, Buffer[]]>([
    ['packed without an encoding', {}, [prefixed(Buffer.alloc(500_000), 1)]],
    ['one too many, behind one that is unpacked', { 'grpc-encoding': 'gzip' }, [Buffer.concat([prefixed(gzipSync('x'), 1), prefixed(Buffer.alloc(500_000))])]],
    ['one too many', {}, [prefixed(Buffer.alloc(0)), prefixed(Buffer.alloc(500_000))]],
  ])('gives back the memory of a message that is %s', async (_name, headers, body) => {
    await raw(headers, body);
    // The first share gets whatever it asks for, and only the first.
    const all = new Share();
    await until(() => all.take(MAX_IN_FLIGHT) === undefined);
    all.give();
  });

  it('leaves the server as it was', async () => {
    expect((await call(kit.client(), SAME, tensor(10))).length).toBe(10);
  });
});

describe('a client that stalls', () => {
  it('in the middle of its message is given up', async () => {
    const slow = await startGrpc([service], { stallMs: 200 });
    const session = connect(`http://${slow.target}`);
    const request = session.request({ ':method': 'POST', ':path': SAME, 'content-type': 'application/grpc' });
    request.on('error', () => {});
    request.write(prefixed(tensor(500_000)).subarray(0, 300_000));
    const headers = await new Promise<Record<string, unknown>>((resolve) => request.on('response', resolve));
    expect(headers).toMatchObject({ 'grpc-status': '14', 'grpc-message': 'The request did not arrive in time.' });
    session.destroy();
    await slow.close();
  });

  it('by sending its message a byte at a time is given up, and one that sends it fast enough is not', async () => {
    const slow = await startGrpc([service], { stallMs: 400 });
    const session = connect(`http://${slow.target}`);
    const begin = () => {
      const request = session.request({ ':method': 'POST', ':path': SAME, 'content-type': 'application/grpc' });
      request.on('error', () => {});
      return { request, headers: new Promise<Record<string, unknown>>((resolve) => request.on('response', resolve)) };
    };
    const message = prefixed(tensor(100_000));
    const [trickle, steady] = [begin(), begin()];
    trickle.request.write(message.subarray(0, 100));
    let at = 0;
    const timer = setInterval(() => {
      trickle.request.write(message.subarray(100, 101));
      // Through within what 100,000 bytes may take, but not within the stall alone.
      if (at < message.length) steady.request.write(message.subarray(at, (at += 10_000)));
      else if (!steady.request.writableEnded) steady.request.end();
    }, 100);
    expect(await trickle.headers).toMatchObject({ 'grpc-status': '14', 'grpc-message': 'The request did not arrive in time.' });
    expect(await steady.headers).toMatchObject({ ':status': 200 });
    expect((await steady.headers)['grpc-status']).toBeUndefined();
    clearInterval(timer);
    session.destroy();
    await slow.close();
  }, 20_000);

  it('and does not take its reply is given up, too', async () => {
    const slow = await startGrpc([service], { stallMs: 200 });
    const session = connect(`http://${slow.target}`, { settings: { initialWindowSize: 1000 } });
    const request = session.request({ ':method': 'POST', ':path': SAME, 'content-type': 'application/grpc' });
    request.on('error', () => {});
    request.end(prefixed(tensor(500_000)));
    // Nobody reads: the window stays closed.
    await new Promise<void>((resolve) => request.on('close', () => resolve()));
    expect(request.rstCode).toBe(8);
    session.destroy();
    await slow.close();
  }, 20_000);

  it('and does not take the replies of its stream is given up, also once it is read no further', async () => {
    const slow = await startGrpc([service], { stallMs: 200 });
    const session = connect(`http://${slow.target}`, { settings: { initialWindowSize: 1000 } });
    const request = session.request({ ':method': 'POST', ':path': '/test.Echo/Both', 'content-type': 'application/grpc' });
    request.on('error', () => {});
    // More than may be under way, the last of them not whole.
    for (let i = 0; i < 70; i++) request.write(prefixed(Buffer.alloc(10_000)));
    request.write(prefixed(Buffer.alloc(100_000)).subarray(0, 50_000));
    await new Promise<void>((resolve) => request.on('close', () => resolve()));
    expect(request.rstCode).toBe(8);
    session.destroy();
    await slow.close();
  }, 20_000);

  it('is not one while the server itself reads no further', async () => {
    const slow = await startGrpc([service], { stallMs: 200 });
    const session = connect(`http://${slow.target}`);
    const request = session.request({ ':method': 'POST', ':path': '/test.Echo/Both', 'content-type': 'application/grpc' });
    request.on('error', () => {});
    const status = new Promise<unknown>((resolve) => request.on('trailers', (trailers) => resolve(trailers['grpc-status'])));
    request.resume();
    release = Promise.withResolvers<void>();
    const last = prefixed(Buffer.alloc(100_000));
    for (let i = 0; i < 64; i++) request.write(prefixed(Buffer.from('wait')));
    request.write(last.subarray(0, 50_000));
    // Longer than a stall, and than that message may take.
    await new Promise((resolve) => setTimeout(resolve, 3500));
    release.resolve();
    request.end(last.subarray(50_000));
    expect(await status).toBe('0');
    session.destroy();
    await slow.close();
  }, 20_000);

  it('a connection that answers no ping is closed', async () => {
    const quick = await startGrpc([service], { keepaliveMs: 100 });
    const { connect: connectTcp } = await import('node:net');
    const socket = connectTcp(quick.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    // The preface and empty SETTINGS; nothing afterwards.
    socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]));
    await new Promise<void>((resolve) => socket.on('close', () => resolve()));
    await quick.close();
  });
});

describe('when the server stops', () => {
  it('what runs is answered, and nothing new begins', async () => {
    const stopping = await startGrpc([service]);
    const client = stopping.client();
    const running = call(client, '/test.Echo/Wait', tensor(7));
    await until(() => calls.length === 1);
    const both = stream(client, '/test.Echo/Both');
    const ended = failure(new Promise((resolve, reject) => both.on('error', reject).on('end', resolve as () => void)));
    both.resume();
    await until(() => calls.length === 2);
    const closed = stopping.server.close(10_000);
    expect(await ended).toBe('UNAVAILABLE: The server is shutting down.');
    release.resolve();
    expect((await running).length).toBe(7);
    await closed;
    await stopping.close();
  });

  it('what does not end is cut off', async () => {
    const stopping = await startGrpc([service]);
    const client = stopping.client();
    const running = failure(call(client, '/test.Echo/Wait', tensor(7)));
    await until(() => calls.length === 1);
    await stopping.server.close(50);
    expect(await running).toMatch(/^(UNAVAILABLE|CANCELLED|INTERNAL)/);
    expect(calls[0]?.signal.aborted).toBe(true);
    release.resolve();
    client.close();
  });
});

it('a port in use is told with its flag', async () => {
  await expect(startGrpc([service], { port: kit.port })).rejects.toMatchObject({ code: 'port_in_use', message: expect.stringContaining('--grpc-port') });
});
