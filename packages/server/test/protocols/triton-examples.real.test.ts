import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { byteKeeper } from '../support/byte-keeper.ts';
import { graph, identity, value } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit } from '../support/serving.ts';

/** A folder with Triton's examples as they are (triton-inference-server/client, src/python/examples); they are not ours to bring along. */
const examples = process.env.BINNACLE_TRITON_EXAMPLES ?? '';
const python = fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));

/** OUTPUT0 = INPUT0 + INPUT1, OUTPUT1 = INPUT0 - INPUT1, of integers or of integers as strings. */
function simple(strings: boolean): Uint8Array {
  const type = strings ? 'BYTES' : 'INT32';
  const cast = (input: string, output: string, to: number) => ({
    opType: 'Cast',
    input: [input],
    output: [output],
    attribute: [{ name: 'to', type: 2, i: to }],
  });
  const [a, b, total, difference] = strings ? ['a', 'b', 'total', 'difference'] : ['INPUT0', 'INPUT1', 'OUTPUT0', 'OUTPUT1'];
  const work = [
    { opType: 'Add', input: [a, b], output: [total] },
    { opType: 'Sub', input: [a, b], output: [difference] },
  ];
  const before = strings ? [cast('INPUT0', 'a', 6), cast('INPUT1', 'b', 6)] : [];
  const after = strings ? [cast('total', 'OUTPUT0', 8), cast('difference', 'OUTPUT1', 8)] : [];
  return graph({
    nodes: [...before, ...work, ...after] as never,
    inputs: [value('INPUT0', type, ['N', 16]), value('INPUT1', type, ['N', 16])],
    outputs: [value('OUTPUT0', type, ['N', 16]), value('OUTPUT1', type, ['N', 16])],
  });
}

let kit: ServingKit;
beforeAll(async () => {
  // With bytes that are no text, which ONNX Runtime cannot keep.
  kit = await servingKit({ runtimes: { remote: byteKeeper({ input: 'INPUT0', output: 'OUTPUT0', shape: [-1, 16] }) } });
  await kit.deploy('simple', simple(false));
  await kit.deploy('simple_string', simple(true));
  await kit.deployOther('simple_identity', { kind: 'remote', protocol: 'open-inference', url: 'http://127.0.0.1:1', model: 'simple_identity' });
  // One of the examples counts the models of the repository.
  for (const name of ['simple_4', 'simple_5', 'simple_6', 'simple_7']) await kit.deploy(name, identity('FP32'));
});
afterAll(() => kit.close());

it.runIf(examples !== '').each([
  ['simple_http_infer_client.py', [], /15 - -1 = 16/],
  ['simple_http_infer_client.py', ['--request-compression-algorithm', 'gzip', '--response-compression-algorithm', 'deflate'], /15 - -1 = 16/],
  ['simple_http_async_infer_client.py', [], /15 \+ 1 = 16/],
  ['simple_http_aio_infer_client.py', [], /PASS/],
  ['simple_http_string_infer_client.py', [], /PASS/],
  ['simple_http_shm_client.py', [], /PASS: system shared memory/],
  ['simple_http_shm_string_client.py', [], /PASS: system shared memory/],
  // It wants the server's name to be 'triton', and ours is not.
  ['simple_http_health_metadata.py', [], /^FAILED : get_server_metadata\n$/],
  ['simple_http_model_control.py', [], /PASS: model control/],
])('Triton’s %s %s, as it is', async (script, more, said) => {
  expect(existsSync(join(examples, script))).toBe(true);
  const run = promisify(execFile)(python, [join(examples, script), '-u', kit.url.replace('http://', ''), ...more], { timeout: 60_000 });
  const result = await run.catch((error: { stdout: string; stderr: string; code: number }) => ({ ...error }));
  expect(`${result.stdout}${result.stderr}`).toMatch(said);
  if (script !== 'simple_http_health_metadata.py') expect((result as { code?: number }).code ?? 0).toBe(0);
});
