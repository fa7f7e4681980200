import { mkdirSync } from 'node:fs';
import { link, lstat, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';

/** More than one model is asked at a time; a local program that opens more takes none of the server's. */
const MAX_CONNECTIONS = 256;

/** Where the relay keeps its own names of the socket: beside the container's folder, which it cannot reach. */
export const relayDirOf = (socketDir: string): string => `${socketDir}.r`;

/**
 * A loopback port that leads to a Unix socket: how a container without any network is asked. The container may write to the socket's folder,
 * and could put a link to another socket of this machine in its place.
 */
export function openRelay(socketPath: string): Promise<{ port: number; close(): void }> {
  const own = relayDirOf(dirname(socketPath));
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const open = new Set<{ destroy(): void }>();
  let count = 0;
  let closed = false;

  async function lead(inside: Socket): Promise<void> {
    // As long as the container's own name at most: sockets have short paths.
    const name = join(own, (count++ >>> 0).toString(36));
    try {
      const outside = await enter(socketPath, name);
      if (closed || inside.destroyed) return void outside.destroy();
      couple(inside, outside, open);
    } catch {
      // Not there yet, or no socket: as if nobody listened.
      inside.destroy();
    } finally {
      await rm(name, { force: true }).catch(() => {});
    }
  }

  const server: Server = createServer({ noDelay: true }, (inside) => {
    open.add(inside);
    inside.once('close', () => open.delete(inside));
    inside.on('error', () => inside.destroy());
    void lead(inside);
  });
  server.maxConnections = MAX_CONNECTIONS;
  return new Promise((resolve, reject) => {
    // Stays: a connection that cannot be accepted later (no file descriptor left) is that connection's end only.
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        close() {
          closed = true;
          server.close();
          for (const socket of open) socket.destroy();
          void rm(own, { recursive: true, force: true }).catch(() => {});
        },
      }),
    );
  });
}

/** Connects to the socket by a name that only we can change: what is looked at under it is what is connected to. Throws for a link. */
async function enter(socketPath: string, name: string): Promise<Socket> {
  // Before: some systems' link() follows links.
  await checkSocket(socketPath);
  await link(socketPath, name);
  await checkSocket(name);
  const outside = connect(name);
  await new Promise<void>((resolve, reject) => {
    outside.once('connect', resolve);
    outside.once('error', reject);
  });
  return outside;
}

async function checkSocket(path: string): Promise<void> {
  if (!(await lstat(path)).isSocket()) throw new Error(`${path} is no socket`);
}

function couple(inside: Socket, outside: Socket, open: Set<{ destroy(): void }>): void {
  open.add(outside);
  inside.once('close', () => outside.destroy());
  outside.once('close', () => {
    open.delete(outside);
    inside.destroy();
  });
  outside.on('error', () => inside.destroy());
  inside.pipe(outside).pipe(inside);
}
