import { closeSync, constants, existsSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { conflict, exhausted, internal, invalid, notFound, unsupported } from '../../kernel/index.ts';
import type { MemorySpan } from './types.ts';

export interface SharedMemoryRegion {
  name: string;
  key: string;
  offset: number;
  byte_size: number;
}

/** Regions of POSIX shared memory that clients have registered (Triton's system shared memory extension). */
export interface SystemSharedMemory {
  /** Bytes that the inputs of one request may take, together. */
  readonly maxReadBytes?: number;
  /** False where clients may not use it: on a server that others reach, or on a system without /dev/shm. */
  readonly enabled: boolean;
  /** One region or all. Throws `not_found`. */
  status(name?: string): SharedMemoryRegion[];
  register(region: SharedMemoryRegion): void;
  /** One region, or all; one that is not registered is no error, as in Triton. */
  unregister(name?: string): void;
  /** The bytes of a span, copied. */
  read(span: MemorySpan): Buffer;
  /** Throws when the span is shorter than `bytes`. */
  write(span: MemorySpan, bytes: Buffer, output: string): void;
  close(): void;
}

/** Each holds a file descriptor. */
const MAX_REGIONS = 1024;

/**
 * Node cannot map memory, so a region is the file that backs it, read and written by position; it stays open until it is unregistered, as a
 * mapping would. Only plain files right under `root` are opened, links are not followed.
 */
export function createSharedMemory({
  enabled,
  root = '/dev/shm',
  maxReadBytes = 64 * 2 ** 20,
}: {
  enabled: boolean;
  root?: string;
  maxReadBytes?: number | undefined;
}): SystemSharedMemory {
  const regions = new Map<string, SharedMemoryRegion & { file: number }>();
  const usable = enabled && existsSync(root);

  const allowed = (): void => {
    if (!usable)
      throw unsupported(
        'shared_memory_off',
        'shared memory is not available to clients of this server: it needs a client on the same machine (on where only loopback listens; elsewhere --shared-memory turns it on)',
      );
  };
  const find = (name: string): SharedMemoryRegion & { file: number } => {
    allowed();
    const region = regions.get(name);
    if (region === undefined) throw notFound('region_not_found', `Unable to find shared memory region: '${name}'`);
    return region;
  };
  const place = ({ region: name, offset, byteSize }: MemorySpan): { file: number; at: number } => {
    const region = find(name);
    if (offset + byteSize > region.byte_size) throw invalid('region_range', `Invalid offset + byte size for shared memory region: '${name}'`);
    return { file: region.file, at: region.offset + offset };
  };
  const drop = (name: string): void => {
    const region = regions.get(name);
    if (region === undefined) return;
    regions.delete(name);
    closeSync(region.file);
  };

  return {
    enabled: usable,
    maxReadBytes,

    status(name) {
      if (!usable && name === undefined) return [];
      if (name !== undefined && !regions.has(name)) throw notFound('region_not_found', `Unable to find system shared memory region: '${name}'`);
      const chosen = name === undefined ? [...regions.values()] : [find(name)];
      return chosen.map(({ name: of, key, offset, byte_size }) => ({ name: of, key, offset, byte_size }));
    },

    register(region) {
      allowed();
      const { name, key, offset, byte_size: size } = region;
      if (regions.has(name)) throw conflict('region_exists', `shared memory region '${name}' already in manager`);
      if (regions.size >= MAX_REGIONS) throw exhausted('too_many_regions', `${MAX_REGIONS} shared memory regions are registered; unregister some`);
      if (!/^\/?[^/\0]{1,254}$/.test(key) || key.replace('/', '').startsWith('..') || key.replace('/', '') === '.')
        throw invalid(
          'region_key',
          `Unable to open shared memory region: '${key}'; a key is the name of one POSIX shared memory object, such as '/input_data'`,
        );
      let file: number;
      try {
        file = openSync(join(root, key), constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      } catch (cause) {
        throw invalid('region_open', `Unable to open shared memory region: '${key}'`, { cause });
      }
      const stat = fstatSync(file);
      if (!stat.isFile() || offset + size > stat.size || size === 0) {
        closeSync(file);
        throw invalid('region_invalid', `Invalid shared memory region: '${key}' (it has ${stat.size} bytes; offset ${offset}, size ${size})`);
      }
      regions.set(name, { ...region, file });
    },

    unregister(name) {
      if (name !== undefined) drop(name);
      else for (const each of regions.keys()) drop(each);
    },

    read(span) {
      const { file, at } = place(span);
      const bytes = Buffer.allocUnsafeSlow(span.byteSize);
      for (let done = 0; done < bytes.length; ) {
        const n = readSync(file, bytes, done, bytes.length - done, at + done);
        if (n === 0) throw invalid('region_range', `shared memory region '${span.region}' has become smaller than it was registered`);
        done += n;
      }
      return bytes;
    },

    write(span, bytes, output) {
      const { file, at } = place(span);
      if (bytes.length > span.byteSize)
        throw invalid(
          'region_range',
          `shared memory size specified with the request for output '${output}' (${span.byteSize} bytes) should be at least ${bytes.length} bytes to hold the results`,
        );
      // A write behind the end would make the client's file grow.
      if (at + bytes.length > fstatSync(file).size)
        throw invalid('region_range', `shared memory region '${span.region}' has become smaller than it was registered`);
      for (let done = 0; done < bytes.length; ) {
        const n = writeSync(file, bytes, done, bytes.length - done, at + done);
        if (n === 0) throw internal('region_write', `output '${output}' could not be written to the shared memory region '${span.region}'`);
        done += n;
      }
    },

    close() {
      for (const each of regions.keys()) drop(each);
    },
  };
}

/** The span that a tensor's parameters name; undefined when they name none. */
export function spanOf(parameters: Readonly<Record<string, unknown>>): MemorySpan | undefined {
  const { shared_memory_region: region, shared_memory_offset: offset, shared_memory_byte_size: size } = parameters;
  if (region === undefined) {
    if (size !== undefined) throw invalid('invalid_parameter', "'shared_memory_byte_size' is given without 'shared_memory_region'");
    return undefined;
  }
  if (typeof region !== 'string') throw invalid('invalid_parameter', "Unable to parse 'shared_memory_region': attempt to access JSON non-string as string");
  return { region, offset: offset === undefined ? 0 : bytesOf('shared_memory_offset', offset), byteSize: bytesOf('shared_memory_byte_size', size) };
}

function bytesOf(name: string, value: unknown): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw invalid(
    'invalid_parameter',
    `Unable to parse '${name}': attempt to access JSON non-unsigned-integer as unsigned-integer (it must be a number of bytes)`,
  );
}
