import { spawnSync } from 'node:child_process';
import { readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { serializeError } from '../../../kernel/index.ts';
import type { Tensor } from '../../../serving/index.ts';
import { loadRuntime } from '../binding.ts';
import type { SessionSettings } from '../session-settings.ts';
import { openAndProbe } from '../open.ts';
import { decode, decodeHead, encode, type Frame, HEAD_BYTES } from './frame.ts';

/**
 * The process of a model. It knows one thing at a time, so it reads and writes its socket (file descriptor 3) synchronously: no event loop in
 * between, and it ends by itself when the server does.
 */
const SOCKET = 3;
/** Inputs up to this size are read into the same memory each time. */
const KEPT_BYTES = 16 * 2 ** 20;

/** The text of the frame that opens a model. */
export interface OpenRequest {
  file: string;
  settings: SessionSettings;
  /** The names of the sample's tensors; undefined without a sample. */
  sample: string[] | undefined;
  memoryLimitMiB: number | undefined;
  /** Linux, 0 to 1000: which process goes first when the machine has no memory left. */
  oomScore: number;
}

/** False at the end of the stream. */
function fill(buffer: Uint8Array): boolean {
  for (let at = 0; at < buffer.byteLength; ) {
    const count = readSync(SOCKET, buffer, at, buffer.byteLength - at, null);
    if (count === 0) return false;
    at += count;
  }
  return true;
}

function send(parts: Uint8Array[]): void {
  for (const part of parts) for (let at = 0; at < part.byteLength; ) at += writeSync(SOCKET, part, at, part.byteLength - at);
}

const head = new Uint8Array(HEAD_BYTES);
let kept = new ArrayBuffer(0);

function receive(): Frame | undefined {
  if (!fill(head)) return undefined;
  const parsed = decodeHead(head);
  const rest = new Uint8Array(parsed.textBytes + parsed.numbers * 8);
  let body: ArrayBuffer;
  if (parsed.bodyBytes > KEPT_BYTES) body = new ArrayBuffer(parsed.bodyBytes);
  else {
    if (kept.byteLength < parsed.bodyBytes) kept = new ArrayBuffer(Math.min(KEPT_BYTES, parsed.bodyBytes * 2));
    body = kept;
  }
  return fill(rest) && fill(new Uint8Array(body, 0, parsed.bodyBytes)) ? decode(parsed, rest, body) : undefined;
}

const kilobytes = (status: string, name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN);

/**
 * Has the kernel refuse memory beyond the limit, so that ONNX Runtime fails with an error before anything is killed. Twice as much may be reserved
 * as may be used; the server watches what is used.
 */
function limitMemory(limitMiB: number): void {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const room = limitMiB * 1024 * 2 - kilobytes(status, 'VmRSS');
    const bytes = (kilobytes(status, 'VmData') + room) * 1024;
    if (Number.isFinite(bytes)) spawnSync('prlimit', ['--pid', String(process.pid), `--data=${Math.round(bytes)}`], { stdio: 'ignore' });
  } catch {
    // Not Linux: what is used is still watched.
  }
}

async function serve(): Promise<void> {
  const first = receive();
  if (first === undefined) return;
  const request = JSON.parse(first.text) as OpenRequest;
  const sample = request.sample?.map((name, i): Tensor => ({ ...(first.tensors[i]?.tensor as Tensor), name }));
  try {
    writeFileSync('/proc/self/oom_score_adj', String(request.oomScore));
  } catch {
    // Linux alone has it.
  }
  let session: Awaited<ReturnType<typeof openAndProbe>>['session'];
  try {
    await loadRuntime();
    if (request.memoryLimitMiB !== undefined) limitMemory(request.memoryLimitMiB);
    const made = await openAndProbe(request.file, request.settings, sample);
    session = made.session;
    send(encode({ kind: 'opened', text: JSON.stringify(made.opened) }));
  } catch (error) {
    send(encode({ kind: 'failed', text: JSON.stringify(serializeError(error)) }));
    return;
  }
  const names = session.outputs.map((output) => output.name);
  for (let frame = receive(); frame !== undefined; frame = receive()) {
    const { id } = frame;
    try {
      const inputs = frame.tensors.map(({ place, tensor }) => ({ ...tensor, name: session.inputs[place]?.name ?? '' }));
      const started = performance.now();
      const outputs = session.run(
        inputs,
        frame.outputs.map((place) => names[place] ?? ''),
      );
      const micros = (performance.now() - started) * 1000;
      const tensors = outputs.map((tensor, i) => ({ place: frame?.outputs[i] ?? 0, tensor }));
      send(encode({ kind: 'result', id, micros, tensors }));
    } catch (error) {
      send(encode({ kind: 'error', id, text: JSON.stringify(serializeError(error)) }));
    }
  }
}

try {
  await serve();
} catch {
  // The server has gone while something was written to it.
}
process.exit(0);
