// reload-cycles.ts FILE TIER CYCLES EVERY REQUESTS ROW: a process of its own for the benchmark of reloads (serving-memory.ts): loads a model, asks it, closes it, again and again; a line of JSON every so often.
import { createOnnxRuntime } from '../packages/server/src/adapters/onnx/index.ts';
import type { LoadOptions, Tensor } from '../packages/server/src/serving/index.ts';

const [file = '', tier = 'inline', cycles = '10', every = '5', requests = '4', row = ''] = process.argv.slice(2);
const options: LoadOptions = tier === 'process' ? { isolation: 'process' } : { tier: tier as 'inline' | 'worker' };
const runtime = createOnnxRuntime();

async function cycle(): Promise<void> {
  const model = await runtime.load(file, options);
  const names = model.outputs.map(({ name }) => name);
  for (let i = 0; i < Number(requests); i++) {
    const rows = 1 + (i % 4);
    const inputs = model.inputs.map((spec): Tensor => {
      const shape = [rows, ...row.split(',').map(Number)];
      return { name: spec.name, datatype: 'FP32', shape, data: new Float32Array(shape.reduce((n, dimension) => n * dimension, 1)).fill(i) };
    });
    await model.execute(inputs, names);
  }
  await model.close();
}

for (let done = 0; done <= Number(cycles); done++) {
  if (done % Number(every) === 0) process.stdout.write(`${JSON.stringify({ cycles: done, rss: process.memoryUsage.rss() })}\n`);
  if (done < Number(cycles)) await cycle();
}
