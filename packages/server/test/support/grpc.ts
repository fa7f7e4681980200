import { Client, credentials, type ClientOptions, Metadata, type ServiceError, status } from '@grpc/grpc-js';
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
