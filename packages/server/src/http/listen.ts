import type { AddressInfo, Server } from 'node:net';
import { invalid, unavailable } from '../kernel/index.ts';

export interface ListenOptions {
  host: string;
  port: number;
  /** What sets the port, for the errors. */
  flag: '--port' | '--grpc-port';
}

/** Opens the port. Throws `unavailable` (port_in_use, port_denied) and `invalid` (host_unknown), which name the flag. */
export function listen(server: Server, { host, port, flag }: ListenOptions): Promise<{ host: string; port: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ host: string; port: number }>();
  const what = flag === '--port' ? `Port ${port}` : `gRPC's port ${port}`;
  const none = flag === '--port' ? '' : ', or serve no gRPC with --grpc-port -1';
  const refused = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EADDRINUSE')
      reject(
        unavailable('port_in_use', `${what} on ${host} is in use. Stop what holds it, or choose another with ${flag} N (0 takes a free one)${none}.`, {
          cause: error,
        }),
      );
    else if (error.code === 'EACCES')
      reject(unavailable('port_denied', `${what} may not be used without more rights. Choose one above 1023 with ${flag} N.`, { cause: error }));
    else if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
      reject(invalid('host_unknown', `${host} is not an address of this machine. Use --host 127.0.0.1, or 0.0.0.0 with a token.`, { cause: error }));
    else reject(error);
  };
  server.once('error', refused);
  server.listen(port, host, () => {
    server.off('error', refused);
    resolve({ host, port: (server.address() as AddressInfo).port });
  });
  return promise;
}
