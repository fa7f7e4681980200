import { fileURLToPath } from 'node:url';
import type { Root, Type } from 'protobufjs';
import type { BidiMethod, GrpcMethod, ServerStreamMethod, UnaryMethod } from './method.ts';

/** Beside `src` in a checkout and beside `dist` in the package. */
const FOLDER = fileURLToPath(new URL('../../../protos/', import.meta.url));

const loaded = new Map<string, Promise<Root>>();

/**
 * The types of .proto files in packages/server/protos, imports included; parsed once for each set of files, and protobufjs itself is loaded
 * then. Fields keep their names (snake_case); 64-bit integers are `Long`.
 */
export function loadProtos(...files: string[]): Promise<Root> {
  const key = files.join();
  let root = loaded.get(key);
  if (root === undefined) {
    root = parse(files);
    loaded.set(key, root);
    root.catch(() => loaded.delete(key));
  }
  return root;
}

async function parse(files: string[]): Promise<Root> {
  const { default: protobuf } = await import('protobufjs');
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith('google/protobuf/') ? target : `${FOLDER}${target}`);
  await root.load(files, { keepCase: true });
  root.resolveAll();
  return root;
}

/** What a service does, by the names of its methods; how its messages look is said by the .proto file. */
export type Handlers = Record<
  string,
  Pick<UnaryMethod, 'kind' | 'handle' | 'open'> | Pick<ServerStreamMethod, 'kind' | 'handle' | 'open'> | Pick<BidiMethod, 'kind' | 'start' | 'open'>
>;

/** A message type's codec: plain objects with the .proto's field names in and out. */
const messageCodec = (type: Type) => ({
  decode: (bytes: Buffer): unknown => type.decode(bytes),
  encode: (reply: unknown): Uint8Array => type.encode(reply as Record<string, unknown>).finish(),
});

/** The methods of `service` (`package.Service`) that there is a handler for, with the codecs of their types. */
export function serviceMethods(root: Root, service: string, handlers: Handlers): Record<string, GrpcMethod> {
  const { methods } = root.lookupService(service);
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => {
      const method = methods[name];
      method?.resolve();
      if (method === undefined || method.resolvedRequestType === null || method.resolvedResponseType === null)
        throw new Error(`${service} has no method ${name}`);
      const { decode } = messageCodec(method.resolvedRequestType);
      const { encode } = messageCodec(method.resolvedResponseType);
      return [name, { ...handler, decode, encode } as GrpcMethod];
    }),
  );
}
