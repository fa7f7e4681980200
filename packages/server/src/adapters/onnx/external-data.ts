import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { type Field, fields, stringOf, text } from './wire.ts';

export interface ExternalFile {
  tensor: string;
  location: string;
  offset: number;
  length: number | undefined;
}

/** Subgraphs nest; a real model never comes near this. */
const MAX_DEPTH = 32;

/** Every TensorProto of a graph that keeps its data in another file: initializers, attributes, subgraphs. `graph` is a GraphProto. */
export function externalFiles(graph: Field[], depth = 0): ExternalFile[] {
  if (depth > MAX_DEPTH) throw new Error(`its subgraphs nest deeper than ${MAX_DEPTH}`);
  const out: ExternalFile[] = [];
  for (const field of graph) {
    if (field.number === 1) out.push(...ofNode(field.bytes, depth));
    else if (field.number === 5) out.push(...ofTensor(field.bytes));
    else if (field.number === 15) for (const part of fields(field.bytes, [1, 2])) out.push(...ofTensor(part.bytes));
  }
  return out;
}

/** Of one NodeProto. Only the wanted fields are made: the attributes of a tree ensemble hold millions of numbers. */
export function ofNode(node: Uint8Array, depth: number): ExternalFile[] {
  const out: ExternalFile[] = [];
  for (const field of fields(node, [5])) {
    for (const part of fields(field.bytes, [5, 6, 10, 11])) {
      if (part.number === 5 || part.number === 10) out.push(...ofTensor(part.bytes));
      else out.push(...externalFiles(fields(part.bytes, [1, 5, 15]), depth + 1));
    }
  }
  return out;
}

function ofTensor(bytes: Uint8Array): ExternalFile[] {
  const tensor = fields(bytes, [8, 13, 14]);
  const entries = tensor.filter((f) => f.number === 13).map((f) => fields(f.bytes));
  if (entries.length === 0 && !tensor.some((f) => f.number === 14 && f.value === 1n)) return [];
  const settings = new Map(entries.map((entry) => [stringOf(entry, 1), stringOf(entry, 2)]));
  const name = tensor.find((f) => f.number === 8);
  const length = settings.get('length');
  return [
    {
      tensor: name === undefined ? '' : text(name.bytes),
      location: settings.get('location') ?? '',
      offset: Number(settings.get('offset') ?? 0),
      length: length === undefined ? undefined : Number(length),
    },
  ];
}

const inside = (root: string, path: string): boolean => {
  const way = relative(root, path);
  return way !== '' && !isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`);
};

/** Says what is wrong with the external files of a graph in `file`, or undefined. Symbolic links are followed before the check. */
export async function checkExternalFiles(file: string, files: ExternalFile[]): Promise<string | undefined> {
  if (files.length === 0) return undefined;
  const root = await realpath(dirname(file));
  const sizes = new Map<string, number>();
  for (const { tensor, location, offset, length } of files) {
    const where = `the weights '${tensor}' point to the external file '${location}'`;
    if (location === '' || location.includes('\0') || isAbsolute(location) || /^[A-Za-z]:|\\/.test(location)) return `${where}, which is not a relative path`;
    const path = join(root, location);
    if (!inside(root, path)) return `${where}, which is outside of the model's folder`;
    let size = sizes.get(path);
    if (size === undefined) {
      const real = await realpath(path).catch(() => undefined);
      if (real === undefined) return `${where}, which does not exist; upload it beside the graph`;
      if (!inside(root, real)) return `${where}, which leads outside of the model's folder`;
      const info = await stat(real);
      // A device or a pipe would never end.
      if (!info.isFile()) return `${where}, which is not a file`;
      size = info.size;
      sizes.set(path, size);
    }
    const end = offset + (length ?? 0);
    if (!Number.isSafeInteger(end) || offset < 0 || end > size) return `${where}, bytes ${offset} to ${end}, but it has ${size} bytes`;
  }
  return undefined;
}
