import { batchKit, columns } from './batch.ts';
import { sum } from './onnx-graphs.ts';

// A process of its own for one job, which tells its peak of resident memory.
const [input, width] = process.argv.slice(2) as [string, string];
const kit = await batchKit();
await kit.registry.add('wide', sum(Number(width)), columns(...Array.from({ length: Number(width) }, (_, i) => `c${i}`)));
const { state, rowsDone, error } = await kit.run({ model: 'wide', input, output: kit.path('out'), workers: 2 });
await kit.close();
process.stdout.write(JSON.stringify({ state, rowsDone, error, peakBytes: process.resourceUsage().maxRSS * 1024 }));
