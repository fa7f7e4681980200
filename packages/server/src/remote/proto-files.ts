import { fileURLToPath } from 'node:url';
import type { Root } from 'protobufjs';

/** Beside `src` in a checkout and beside `dist` in the package. */
const FOLDER = fileURLToPath(new URL('../../protos/', import.meta.url));
const roots = new Map<string, Promise<Root>>();

/** Types of a .proto file in packages/server/protos, imports included; parsed once. Field names stay as they are written there. */
export function protosOf(file: string): Promise<Root> {
  let root = roots.get(file);
  if (root === undefined) {
    root = parse(file);
    roots.set(file, root);
    root.catch(() => roots.delete(file));
  }
  return root;
}

async function parse(file: string): Promise<Root> {
  const { default: protobuf } = await import('protobufjs');
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith('google/protobuf/') ? target : `${FOLDER}${target}`);
  await root.load(file, { keepCase: true });
  root.resolveAll();
  return root;
}
