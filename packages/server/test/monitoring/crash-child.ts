// A process that records predictions and is then killed: run by crash.test.ts.
import { setTimeout as sleep } from 'node:timers/promises';
import { openKit } from './kit.ts';

const [dir, rows, mode] = [process.argv[2] as string, Number(process.argv[3]), process.argv[4]];
// Rows go to the log ten at a time, and to the profiles not before the process is killed.
const kit = await openKit({ dir, ...(mode === 'logged-only' ? { limits: { logRowsAtOnce: 10, flushMs: 600_000 } } : {}) });
const record = (requestId: string, n: number, x: (i: number) => number = () => 0) =>
  kit.monitoring.sink.record({
    endpoint: 'e',
    model: 'm',
    version: 1,
    source: 'live',
    shadow: false,
    requestId,
    receivedAt: kit.clock.now,
    eventTime: kit.clock.now,
    latencyMs: 1,
    rows: n,
    features: [{ name: 'x', values: Float64Array.from({ length: n }, (_, i) => x(i)) }],
    outputs: [{ name: 'label', values: BigInt64Array.from({ length: n }, (_, i) => BigInt(x(i) % 2)) }],
  });
record('kept', rows);
await kit.monitoring.addGroundTruth('e', [{ predictionId: 'kept:0', label: 1 }]);
if (mode === 'logged-only') {
  record('logged', 30, (i) => i);
  await sleep(700);
}
record('lost', 7);
// One turn, as any request has: the ledger is marked, nothing is flushed yet.
setImmediate(() => setImmediate(() => process.stdout.write('recorded\n')));
setInterval(() => {}, 1000);
