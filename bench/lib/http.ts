import { connect, type Socket } from 'node:net';

export interface Reply {
  status: number;
  body: Buffer;
  /** From the first byte sent to the last byte received, milliseconds. */
  ms: number;
}

interface Waiting {
  begun: number;
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

/**
 * A plain HTTP client with one kept-alive connection and one request at a time: the same few lines stand before every server that is measured.
 * On a bare socket, since node:http takes longer for a request than a fast server for its answer.
 */
export class Connection {
  readonly #url: URL;
  #socket: Socket | undefined;
  #received: Buffer[] = [];
  #waiting: Waiting | undefined;

  constructor(base: string) {
    this.#url = new URL(base);
  }

  send(method: string, path: string, body?: Buffer | string, type = 'application/json'): Promise<Reply> {
    if (this.#waiting !== undefined) return Promise.reject(new Error('a connection takes one request at a time'));
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const socket = this.#open();
    const payload = body === undefined ? undefined : typeof body === 'string' ? Buffer.from(body) : body;
    const content = payload === undefined ? '' : `content-type: ${type}\r\ncontent-length: ${payload.length}\r\n`;
    const head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#url.host}\r\n${content}\r\n`;
    this.#waiting = { begun: performance.now(), resolve, reject };
    socket.write(payload === undefined ? head : Buffer.concat([Buffer.from(head, 'latin1'), payload]));
    return promise;
  }

  /** Sends JSON, takes JSON. @throws when the status is not 200. */
  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const reply = await this.send(method, path, body === undefined ? undefined : JSON.stringify(body));
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${reply.body.toString('utf8', 0, 500)}`);
    return JSON.parse(reply.body.toString('utf8')) as T;
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    if (this.#socket?.writable === true) return this.#socket;
    const socket = connect(Number(this.#url.port), this.#url.hostname);
    socket.setNoDelay(true);
    const fail = (error: Error) => {
      if (socket !== this.#socket) return;
      this.#socket = undefined;
      this.#received = [];
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.reject(error);
    };
    socket.on('data', (data) => this.#take(data));
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the server closed the connection')));
    this.#socket = socket;
    return socket;
  }

  #take(data: Buffer): void {
    this.#received.push(data);
    const all = this.#received.length === 1 ? data : Buffer.concat(this.#received);
    const reply = parse(all);
    if (reply === undefined) {
      this.#received = [all];
      return;
    }
    this.#received = [];
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (reply.close) {
      this.#socket?.destroy();
      this.#socket = undefined;
    }
    waiting?.resolve({ status: reply.status, body: reply.body, ms: performance.now() - waiting.begun });
  }
}

/** One whole reply, or undefined while some of it is missing. */
function parse(data: Buffer): { status: number; body: Buffer; close: boolean } | undefined {
  const end = data.indexOf(HEAD_END);
  if (end === -1) return undefined;
  const head = data.toString('latin1', 0, end);
  const status = Number(head.slice(9, 12));
  const close = /\r\nconnection: close/i.test(head);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const from = end + HEAD_END.length;
  if (length !== undefined) return data.length < from + Number(length) ? undefined : { status, body: data.subarray(from, from + Number(length)), close };
  const body = /\r\ntransfer-encoding: chunked/i.test(head) ? unchunked(data, from) : data.subarray(from, from);
  return body === undefined ? undefined : { status, body, close };
}

/** The body of chunks; undefined while some of them are missing. */
function unchunked(data: Buffer, from: number): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = from; ; ) {
    const line = data.indexOf(LINE_END, at);
    if (line === -1) return undefined;
    const size = Number.parseInt(data.toString('latin1', at, line), 16);
    const begin = line + LINE_END.length;
    at = begin + size + LINE_END.length;
    if (data.length < at) return undefined;
    if (size === 0) return Buffer.concat(parts);
    parts.push(data.subarray(begin, begin + size));
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
