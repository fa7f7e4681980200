import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { TensorSpec } from '@binnacle/contract';
import { BinnacleError, deserializeError, invalid, messageOf, type SerializedError, siblingModule } from '../../kernel/index.ts';
import type { GraphInspector } from '../../registry/graph-inspector.port.ts';
import { checkExternalFiles, type ExternalFile, externalFiles, ofNode } from './external-data.ts';
import { tensorSpec, UnservableValue } from './graph-types.ts';
import { type Field, fields, last, stringOf, WireError } from './wire.ts';
import { rewireZipMaps } from './zip-map.ts';

/** Protobuf's own limit of one message; larger models keep their weights in external files. */
const MAX_GRAPH_BYTES = 2 ** 31 - 1;

const broken = (file: string, what: string, cause?: unknown): BinnacleError =>
  invalid('onnx_invalid', `${basename(file)} cannot be served: ${what}.`, { cause });

/** Larger files are read in a thread: hashing, and walking through many small fields, would hold up the server. */
const INLINE_BYTES = 256 * 1024;
/** Of the thread: what a hostile file makes of more is its own end, not the server's. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };
const THREAD_MS = 60_000;

export interface InspectedFile extends Awaited<ReturnType<GraphInspector['inspect']>> {
  /** SHA-256 of the graph and of the sizes of its external files, base64. */
  digest: string;
}

/** Reads ONNX graphs by their wire format, without a runtime and without decoding weights. */
export const createGraphInspector = (): GraphInspector => ({
  async inspect(file) {
    const { digest: _, ...result } = await inspectFile(file);
    return result;
  },
});

/** Large files that were read lately: an upload is looked at when it arrives, when it is registered and when it is loaded. */
const recent = new Map<string, InspectedFile>();
const RECENT = 32;

/** As GraphInspector says, with a digest. */
export async function inspectFile(file: string): Promise<InspectedFile> {
  const info = await stat(file, { bigint: true }).catch((cause: unknown) => {
    throw broken(file, 'the file does not exist', cause);
  });
  if (!info.isFile()) throw broken(file, 'it is not a file');
  if (info.size === 0n) throw broken(file, 'the file is empty');
  if (info.size > MAX_GRAPH_BYTES) throw broken(file, 'it is larger than 2 GB, the limit of the format; export the weights to an external file');
  if (info.size <= INLINE_BYTES) return readAndInspect(file);
  // Whatever is written into it gives it another ctime, which no program can set back.
  const key = [info.dev, info.ino, info.size, info.mtimeNs, info.ctimeNs].join(' ');
  const known = recent.get(key);
  if (known !== undefined) return structuredClone(known);
  const read = await inThread(file);
  // What depends on other files, or is large itself, is not kept.
  if (read.external.length === 0 && read.rewritten === null) {
    recent.set(key, structuredClone(read));
    for (const oldest of [...recent.keys()].slice(0, recent.size - RECENT)) recent.delete(oldest);
  }
  return read;
}

async function inThread(file: string): Promise<InspectedFile> {
  const worker = new Worker(siblingModule('./graph-worker', import.meta.url), { workerData: file, resourceLimits: THREAD_LIMITS, name: 'onnx-graph' });
  const { promise, resolve, reject } = Promise.withResolvers<InspectedFile>();
  worker.once('message', (message: { result: InspectedFile } | { error: SerializedError }) =>
    'result' in message ? resolve(message.result) : reject(deserializeError(message.error)),
  );
  worker.once('error', (cause: unknown) => reject(broken(file, 'reading it takes more memory than a model of its size would', cause)));
  worker.once('exit', () => reject(broken(file, 'reading it failed')));
  const late = setTimeout(() => reject(broken(file, `reading it takes longer than ${THREAD_MS / 1000} s`)), THREAD_MS);
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    // Nothing native runs in it: ending it does no harm.
    await worker.terminate();
  }
}

export async function readAndInspect(file: string): Promise<InspectedFile> {
  try {
    const bytes = await readFile(file);
    const { external, ...result } = inspectBytes(bytes);
    const complaint = await checkExternalFiles(file, external);
    if (complaint !== undefined) throw broken(file, complaint);
    // The rewired graph is kept apart from the author's files, and so would not find them.
    if (result.rewritten !== null && external.length > 0)
      throw broken(file, "it ends in a ZipMap and keeps weights in other files; convert it with options={'zipmap': False}, or into one file");
    const names = [...new Set(external.map(({ location }) => location))].sort();
    const hash = createHash('sha256').update(bytes);
    for (const name of names) hash.update(`\n${name} ${(await stat(join(dirname(file), name))).size}`);
    return { ...result, external: names, digest: hash.digest('base64url') };
  } catch (error) {
    if (error instanceof BinnacleError) throw error;
    if (error instanceof WireError) throw broken(file, `it is not a whole ONNX file (${error.message})`, error);
    throw broken(file, messageOf(error), error);
  }
}

interface Inspection {
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  rewritten: Uint8Array | null;
  labels: Record<string, string[]>;
  external: ExternalFile[];
}

/** A ModelProto's bytes. Throws WireError or UnservableValue. */
export function inspectBytes(bytes: Uint8Array): Inspection {
  const original = fields(bytes);
  const graphField = last(original, 7);
  if (graphField === undefined || graphField.wire !== 2) throw new UnservableValue('it holds no graph, so it is not an ONNX model');
  if (last(original, 1) === undefined && !original.some((f) => f.number === 8))
    throw new UnservableValue('it names neither an IR version nor an operator set, so it is not an ONNX model');
  const rewired = rewireZipMaps(original, fields(graphField.bytes));
  const graph = rewired?.graph ?? fields(graphField.bytes);
  const model = rewired?.model ?? original;
  if (!graph.some((f) => f.number === 1 || f.number === 12)) throw new UnservableValue('its graph is empty');
  const weights = new Set(graph.filter((f) => f.number === 5).map((f) => stringOf(fields(f.bytes, [8]), 8)));
  const values = (number: number): TensorSpec[] => graph.filter((f) => f.number === number).map((f) => tensorSpec(fields(f.bytes)));
  // Before IR version 4 weights were listed among the inputs.
  const inputs = graph.filter((f) => f.number === 11 && !weights.has(stringOf(fields(f.bytes), 1))).map((f) => tensorSpec(fields(f.bytes)));
  const outputs = values(12);
  if (outputs.length === 0) throw new UnservableValue('its graph has no output');
  for (const list of [inputs, outputs]) {
    const twice = list.find((spec, i) => spec.name === '' || list.findIndex((other) => other.name === spec.name) !== i);
    if (twice !== undefined) throw new UnservableValue(twice.name === '' ? 'an input or output has no name' : `the name '${twice.name}' is used twice`);
  }
  return { inputs, outputs, rewritten: rewired?.bytes ?? null, labels: rewired?.labels ?? {}, external: [...externalFiles(graph), ...functionFiles(model)] };
}

/** External files named in the model's local functions (ModelProto.functions, nodes in field 7). */
const functionFiles = (model: Field[]): ExternalFile[] =>
  model
    .filter((f) => f.number === 25)
    .flatMap((f) =>
      fields(f.bytes)
        .filter((part) => part.number === 7)
        .flatMap((node) => ofNode(node.bytes, 0)),
    );
