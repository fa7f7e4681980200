import { connect, createServer, type AddressInfo, type Server } from 'node:net';

/** A loopback port that leads to a Unix socket: how a container without any network is asked. */
export function openRelay(socketPath: string): Promise<{ port: number; close(): void }> {
  const open = new Set<{ destroy(): void }>();
  const server: Server = createServer({ noDelay: true }, (inside) => {
    const outside = connect(socketPath);
    for (const [one, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      open.add(one);
      one.once('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.on('error', () => other.destroy());
    }
    inside.pipe(outside).pipe(inside);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        close() {
          server.close();
          for (const socket of open) socket.destroy();
        },
      }),
    );
  });
}
