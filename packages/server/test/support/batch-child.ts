import { batchKit, columns } from './batch.ts';
import { slow } from './onnx-graphs.ts';

// A process to be killed in the middle of a job: 20 chunks, each a little apart.
const [dir, input] = process.argv.slice(2) as [string, string];
const kit = await batchKit({ dir });
await kit.registry.add('slow', slow(12, 4), columns('a', 'b', 'n:long', 'a2'));
const open = kit.serving.openVersion.bind(kit.serving);
kit.serving.openVersion = async (...args) => {
  const version = await open(...args);
  const run = version.run.bind(version);
  version.run = async (...inputs) => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return run(...inputs);
  };
  return version;
};
await kit.run({ model: 'slow', input, output: kit.path('out'), chunkRows: 1000, workers: 1, select: '*, a AS a2' });
