// A process that records predictions and is then killed: run by crash.test.ts.
import { openKit } from './kit.ts';

const [dir, rows] = [process.argv[2] as string, Number(process.argv[3])];
const kit = await openKit({ dir });
const record = (requestId: string, n: number) =>
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
    features: [{ name: 'x', values: new Float64Array(n) }],
    outputs: [{ name: 'label', values: new BigInt64Array(n) }],
  });
record('kept', rows);
await kit.monitoring.addGroundTruth('e', [{ predictionId: 'kept:0', label: 1 }]);
record('lost', 7);
// One turn, as any request has: the ledger is marked, nothing is flushed yet.
setImmediate(() => setImmediate(() => process.stdout.write('recorded\n')));
setInterval(() => {}, 1000);
