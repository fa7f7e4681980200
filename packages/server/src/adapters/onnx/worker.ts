import { parentPort, workerData } from 'node:worker_threads';
import type { TensorSpec } from '@binnacle/contract';
import { releaseBuffer, type SerializedError, serializeError } from '../../kernel/index.ts';
import type { Tensor } from '../../serving/index.ts';
import { loadRuntime, openSession, type Session } from './binding.ts';
import { type ProbeResult, probe } from './probe.ts';

export interface SessionWorkerData {
  file: string;
  threads: number;
  sample: Tensor[] | undefined;
}
export interface Opened extends ProbeResult {
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  /** Milliseconds of processor time that making the session took, which is about how long it would block another thread. */
  openMs: number;
}
export type ToWorker = { kind: 'run'; id: number; inputs: Tensor[]; outputs: string[] } | { kind: 'close' };
export type FromWorker =
  | { kind: 'opened'; opened: Opened }
  | { kind: 'failed'; error: SerializedError }
  | { kind: 'result'; id: number; outputs: Tensor[]; micros: number }
  | { kind: 'error'; id: number; error: SerializedError };

/** Buffers to move rather than copy, each once. */
export function buffersOf(tensors: readonly Tensor[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of tensors) if (!Array.isArray(data) && data.buffer instanceof ArrayBuffer) buffers.add(data.buffer);
  return [...buffers];
}

function serve(port: NonNullable<typeof parentPort>, session: Session): void {
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'close') {
      session.release();
      // With the port closed nothing keeps the thread: it ends by itself, never in the middle of a run.
      port.close();
      return;
    }
    try {
      const started = performance.now();
      const outputs = session.run(message.inputs, message.outputs);
      const micros = (performance.now() - started) * 1000;
      // They were moved or copied here, and nobody else has them.
      for (const { data } of message.inputs) if (!Array.isArray(data)) releaseBuffer(data);
      port.postMessage({ kind: 'result', id: message.id, outputs, micros } satisfies FromWorker, buffersOf(outputs));
    } catch (error) {
      port.postMessage({ kind: 'error', id: message.id, error: serializeError(error) } satisfies FromWorker);
    }
  });
}

if (parentPort !== null) {
  const port = parentPort;
  const { file, threads, sample } = workerData as SessionWorkerData;
  try {
    await loadRuntime();
    // Processor time: a busy machine must not make a small model look large.
    const before = process.threadCpuUsage();
    const session = await openSession(file, threads);
    const spent = process.threadCpuUsage(before);
    const openMs = (spent.user + spent.system) / 1000;
    const result = probe(session, sample);
    serve(port, session);
    port.postMessage({ kind: 'opened', opened: { ...result, inputs: session.inputs, outputs: session.outputs, openMs } } satisfies FromWorker);
  } catch (error) {
    port.postMessage({ kind: 'failed', error: serializeError(error) } satisfies FromWorker);
    port.close();
  }
}
