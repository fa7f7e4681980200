import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { createOnnxRuntime } from '../../src/adapters/onnx/index.ts';
import { backendServer } from './server.ts';
import { failures, type Outcome, page } from './table.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const python = here('../../../../.cache/venv/bin/python');

/** What Open Inference has no tensors for, or the runtime's binding no way: the only reasons that count. */
const ALLOWED = [/ is (a sequence|a map|an optional); only dense tensors/, /has the element type (bfloat16|float8|float4|u?int[24]|complex)/];

it('every graph of ONNX that the runtime passes, passes through the server, over REST and gRPC', async () => {
  const server = await backendServer(createOnnxRuntime());
  try {
    const run = promisify(execFile);
    const { stdout } = await run(python, [here('./backend_tests.py'), ...server.addresses], { maxBuffer: 2 ** 28 });
    const { versions, outcomes } = JSON.parse(stdout) as { versions: string; outcomes: Outcome[] };
    expect(failures(outcomes, ALLOWED)).toEqual([]);
    const passed = (way: string) => outcomes.filter(({ served }) => served?.[way] === null).length;
    // A broken list of cases would pass with nothing.
    for (const way of ['REST, JSON', 'REST, binary', 'gRPC']) expect(passed(way)).toBeGreaterThan(1200);
    // Whatever a tensor's rank, serving went on to log what was asked.
    expect(server.predictions.length).toBeGreaterThan(1000);
    if (process.env['BINNACLE_WRITE_DOCS'] !== undefined) writeFileSync(here('../../../../docs/onnx-backend-tests.md'), page(outcomes, versions));
  } finally {
    await server.close();
  }
}, 1_200_000);
