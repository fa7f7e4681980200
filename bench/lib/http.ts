import { Agent, request } from 'node:http';

export interface Reply {
  status: number;
  body: Buffer;
  /** From the first byte sent to the last byte received, milliseconds. */
  ms: number;
}

/** A plain HTTP client with one kept-alive connection: the same few lines stand before every server that is measured. */
export class Connection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #base: URL;

  constructor(base: string) {
    this.#base = new URL(base);
  }

  send(method: string, path: string, body?: Buffer | string, type = 'application/json'): Promise<Reply> {
    const payload = body === undefined ? undefined : Buffer.from(body);
    return new Promise((resolve, reject) => {
      const begun = performance.now();
      const outgoing = request(
        {
          host: this.#base.hostname,
          port: this.#base.port,
          method,
          path,
          agent: this.#agent,
          headers: payload === undefined ? {} : { 'content-type': type, 'content-length': payload.length },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks), ms: performance.now() - begun }));
        },
      );
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  }

  /** Sends JSON, takes JSON. @throws when the status is not 200. */
  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const reply = await this.send(method, path, body === undefined ? undefined : JSON.stringify(body));
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${reply.body.toString('utf8', 0, 500)}`);
    return JSON.parse(reply.body.toString('utf8')) as T;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Runs `clients` loops side by side, each with a connection of its own, and closes them. */
export async function withClients<T>(base: string, clients: number, loop: (connection: Connection, client: number) => Promise<T>): Promise<T[]> {
  const connections = Array.from({ length: clients }, () => new Connection(base));
  try {
    return await Promise.all(connections.map((connection, client) => loop(connection, client)));
  } finally {
    for (const connection of connections) connection.close();
  }
}
