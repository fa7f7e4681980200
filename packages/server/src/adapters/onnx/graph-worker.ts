import { parentPort, workerData } from 'node:worker_threads';
import { serializeError } from '../../kernel/index.ts';
import { readAndInspect } from './graph.ts';

/** Reads one graph, answers, ends. */
try {
  parentPort?.postMessage({ result: await readAndInspect(workerData as string) });
} catch (error) {
  parentPort?.postMessage({ error: serializeError(error) });
}
