import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { graphFile, identity, sum } from '../support/onnx-graphs.ts';
import { binnacle, startServer } from '../support/server.ts';

it('an ensemble is pushed as an MLmodel file, deployed, and answers', { timeout: 60_000 }, async () => {
  const server = await startServer({ args: ['--grpc-port', '0'] });
  try {
    const env = { BINNACLE_URL: server.url };
    const run = async (...args: string[]): Promise<void> => {
      const { code, stderr, stdout } = await binnacle(args, { env });
      expect({ code, said: code === 0 ? '' : stderr + stdout }).toEqual({ code: 0, said: '' });
    };
    const file = join(mkdtempSync(join(tmpdir(), 'binnacle-ensemble-')), 'MLmodel');
    writeFileSync(
      file,
      `flavors:
  binnacle.ensemble:
    inputs: [{ name: x, datatype: FP32, shape: [-1, 2] }]
    outputs: [{ name: score, datatype: FP32, shape: [-1, 1] }]
    steps:
      - { model: scorer, inputs: { x: clean }, outputs: { y: score } }
      - { model: cleaner, inputs: { x: x }, outputs: { y: clean } }
`,
    );
    for (const [name, path] of [
      ['cleaner', graphFile(identity('FP32'))],
      ['scorer', graphFile(sum(2, 2))],
      ['both', file],
    ] as const) {
      await run('models', 'push', path, '--name', name);
      await run('deploy', `${name}/1`, '--endpoint', name);
    }
    const reply = await fetch(`${server.url}/v2/models/both/infer`, {
      method: 'POST',
      body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] }),
    });
    expect(await reply.json()).toMatchObject({ outputs: [{ name: 'score', shape: [1, 1], data: [6] }] });
  } finally {
    await server.stop();
  }
});
