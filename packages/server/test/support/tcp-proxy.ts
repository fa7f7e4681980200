import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Connections that are open now, and that there ever were. */
  readonly open: number;
  readonly made: number;
  /** Bytes that came from clients. */
  readonly received: number;
  /** The server behind is away: connections break, new ones are refused. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Holds what clients send, until it is set back. */
  hold(held: boolean): void;
  close(): Promise<void>;
}

/** A wire to a server that can be cut and held, whatever is spoken over it. */
export async function tcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let held = false;
  let made = 0;
  let received = 0;
  const server = createServer((client) => {
    made++;
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        (socket === client ? upstream : client).destroy();
      });
    }
    client.on('data', (bytes: Buffer) => {
      received += bytes.length;
      upstream.write(bytes);
    });
    upstream.pipe(client);
    if (held) upstream.cork();
    client.once('close', () => corked.delete(upstream));
    corked.add(upstream);
  });
  const corked = new Set<Socket>();
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  const shut = (): Promise<void> =>
    new Promise((resolve) => {
      if (server.listening) server.close(() => resolve());
      else resolve();
      for (const socket of sockets) socket.destroy();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    get open() {
      return sockets.size / 2;
    },
    get made() {
      return made;
    },
    get received() {
      return received;
    },
    cut: shut,
    restore: () => listen(port),
    hold(value) {
      held = value;
      for (const socket of corked) {
        if (value) socket.cork();
        else socket.uncork();
      }
    },
    close: shut,
  };
}
