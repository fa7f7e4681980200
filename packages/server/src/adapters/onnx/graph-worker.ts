import { parentPort, workerData } from 'node:worker_threads';
import { serializeError } from '../../kernel/index.ts';
import { threadGivesWay } from '../../launcher/index.ts';
import { readAndInspect } from './graph.ts';

// Nobody waits for it as clients wait for their answers.
threadGivesWay(10);

/** Reads one graph, answers, ends. */
try {
  parentPort?.postMessage({ result: await readAndInspect(workerData as string) });
} catch (error) {
  parentPort?.postMessage({ error: serializeError(error) });
}
