import { parentPort, workerData } from 'node:worker_threads';
import { releaseBuffer, type SerializedError, serializeError } from '../../kernel/index.ts';
import type { Tensor } from '../../serving/index.ts';
import type { Session } from './binding.ts';
import { type Opened, openAndProbe } from './open.ts';
import type { ProbeResult } from './probe.ts';
import type { SessionSettings } from './session-settings.ts';

export interface SessionWorkerData {
  file: string;
  settings: SessionSettings;
  sample: Tensor[] | undefined;
  /** Measured already, elsewhere. */
  known?: ProbeResult | undefined;
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
  const { file, settings, sample, known } = workerData as SessionWorkerData;
  try {
    const { session, opened } = await openAndProbe(file, settings, sample, known);
    serve(port, session);
    port.postMessage({ kind: 'opened', opened } satisfies FromWorker);
  } catch (error) {
    port.postMessage({ kind: 'failed', error: serializeError(error) } satisfies FromWorker);
    port.close();
  }
}
