import { Client, credentials, type ClientOptions, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Type } from 'protobufjs';
import { loadProtos } from '../../src/http/grpc/index.ts';
import { createGrpcServer, type GrpcService } from '../../src/http/index.ts';
import { silentLogger } from '../../src/kernel/index.ts';

export type GrpcServerKit = Awaited<ReturnType<typeof startGrpc>>;

/** A gRPC server on a free port of loopback, and a client of raw messages. */
export async function startGrpc(services: GrpcService[], options: Partial<Parameters<typeof createGrpcServer>[0]> = {}) {
  const server = await createGrpcServer({
    host: '127.0.0.1',
    port: 0,
    token: undefined,
    allowedHosts: [],
    services,
    maxMessageBytes: 64 * 2 ** 20,
    logger: silentLogger,
    ...options,
  });
  const { port } = await server.listen();
  const target = `127.0.0.1:${port}`;
  const clients: Client[] = [];
  return {
    server,
    port,
    target,
    client(clientOptions: ClientOptions = {}): Client {
      const client = new Client(target, credentials.createInsecure(), {
        'grpc.max_receive_message_length': -1,
        'grpc.max_send_message_length': -1,
        ...clientOptions,
      });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      await server.close(0);
    },
  };
}

const raw = (bytes: Buffer): Buffer => bytes;

/** A unary call of raw bytes; rejects with grpc-js's ServiceError. */
export function call(client: Client, path: string, request: Buffer, options: { metadata?: Record<string, string>; deadlineMs?: number } = {}): Promise<Buffer> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(options.metadata ?? {})) metadata.set(name, value);
  const callOptions = options.deadlineMs === undefined ? {} : { deadline: Date.now() + options.deadlineMs };
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, raw, raw, request, metadata, callOptions, (error, reply) => (error === null ? resolve(reply as Buffer) : reject(error)));
  });
}

/** A bidirectional stream of raw bytes. */
export const stream = (client: Client, path: string) => client.makeBidiStreamRequest(path, raw, raw);

/** What went wrong, as `NAME: text`. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'nothing';
  } catch (error) {
    const { code, details } = error as ServiceError;
    return `${status[code]}: ${details}`;
  }
}

/** A message as protobufjs tells it. */
type Plain = ReturnType<Type['toObject']>;

/** Calls a service by its .proto: plain objects in and out, 64-bit integers as numbers, enums by name. */
export async function protoClient(file: string, service: string, client: Client) {
  const root = await loadProtos(file);
  const { methods } = root.lookupService(service);
  const typesOf = (name: string) => {
    const method = methods[name];
    if (!method?.resolvedRequestType || !method.resolvedResponseType) throw new Error(`no method ${name}`);
    return { request: method.resolvedRequestType, response: method.resolvedResponseType };
  };
  const plain = (type: Type, bytes: Buffer) => type.toObject(type.decode(bytes), { longs: Number, enums: String, defaults: true, oneofs: false });
  return {
    async call(name: string, message: object = {}, options: Parameters<typeof call>[3] = {}): Promise<Plain> {
      const { request, response } = typesOf(name);
      return plain(response, await call(client, `/${service}/${name}`, Buffer.from(request.encode(request.fromObject(message)).finish()), options));
    },
    stream(name: string, metadata: Record<string, string> = {}) {
      const { request, response } = typesOf(name);
      const sent = new Metadata();
      for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
      const raw = (bytes: Buffer): Buffer => bytes;
      const both = client.makeBidiStreamRequest(`/${service}/${name}`, raw, raw, sent);
      const got: Plain[] = [];
      both.on('data', (bytes: Buffer) => got.push(plain(response, bytes)));
      const ended = new Promise<void>((resolve, reject) => both.on('error', reject).on('end', resolve));
      // Looked at by those who wait for it.
      ended.catch(() => {});
      return {
        got,
        ended,
        write: (message: object) => both.write(Buffer.from(request.encode(request.fromObject(message)).finish())),
        end: () => both.end(),
        cancel: () => both.cancel(),
      };
    },
  };
}
export type ProtoClient = Awaited<ReturnType<typeof protoClient>>;
