import { parentPort, workerData } from 'node:worker_threads';
import { deserializeError, serializeError } from '../../kernel/index.ts';
import { threadGivesWay } from '../../launcher/index.ts';
import type { LogSegment } from '../../monitoring/prediction-log.port.ts';
import { predictionLogHere } from './prediction-log.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './prediction-log-wire.ts';

const port = parentPort;
if (port === null) throw new Error('runs in a worker thread only');
const send = (message: FromWorker) => port.postMessage(message);

// Where cores are short, predicting goes before writing down what was predicted.
threadGivesWay(5);

let calls = 0;
const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
function ask<T>(method: 'listSegments' | 'changeSegments', args: [] | [LogSegment[], string[]]): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  waiting.set(++calls, { resolve, reject });
  send({ call: calls, method, args });
  return promise as Promise<T>;
}

const log = predictionLogHere({
  ...(workerData as WorkerOptions),
  manifest: { listSegments: () => ask('listSegments', []), changeSegments: (add, remove) => ask('changeSegments', [add, remove]) },
});

async function run(method: string, args: unknown[]): Promise<unknown> {
  return (log[method as 'list'] as (...args: unknown[]) => Promise<unknown>)(...args);
}

port.on('message', (message: ToWorker) => {
  if ('answer' in message) {
    const pending = waiting.get(message.answer);
    waiting.delete(message.answer);
    if (message.error === undefined) pending?.resolve(message.value);
    else pending?.reject(deserializeError(message.error));
    return;
  }
  const { call, method, args } = message;
  run(method, args).then(
    (value) => {
      send({ answer: call, value });
      if (method === 'close') port.close();
    },
    (error: unknown) => send({ answer: call, error: serializeError(error) }),
  );
});
