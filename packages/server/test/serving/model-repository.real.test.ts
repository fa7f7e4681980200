import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RepositoryFolder } from '../support/model-repository.ts';
import { graphFile, sum } from '../support/onnx-graphs.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { until } from '../support/serving.ts';
import { simpleRepository } from '../support/triton-simple-models.ts';

/** A folder with Triton's examples as they are (triton-inference-server/client, src/python/examples); they are not ours to bring along. */
const examples = process.env.BINNACLE_TRITON_EXAMPLES ?? '';
const python = fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));

interface Ran {
  code: number;
  said: string;
}
async function run(args: string[]): Promise<Ran> {
  const result = await promisify(execFile)(python, args, { timeout: 120_000 }).catch((error: { stdout: string; stderr: string; code: number }) => error);
  return { code: 'code' in result ? result.code : 0, said: `${result.stdout}${result.stderr}` };
}

let server: RunningServer;
let folder: RepositoryFolder;
let http: string;
let grpc: string;
beforeAll(async () => {
  folder = new RepositoryFolder(simpleRepository());
  server = await startServer({ args: ['--model-repository', folder.dir, '--model-control-mode', 'explicit', '--load-model', '*', '--grpc-port', '0'] });
  http = server.url.replace('http://', '');
  grpc = /gRPC\D+([\d.]+:\d+)/.exec(server.stderr())?.[1] ?? '';
  await until(async () => (await fetch(`${server.url}/v2/health/ready`)).status === 200, 60_000);
}, 90_000);
afterAll(() => server.stop());

/** What tritonclient sees of the models, and of sequences over one stream. */
const SCRIPT = `
import queue, sys
import numpy as np
import tritonclient.grpc as grpc, tritonclient.http as http
h = http.InferenceServerClient(sys.argv[1])
g = grpc.InferenceServerClient(sys.argv[2])
index = {m["name"]: m for m in h.get_model_repository_index()}
assert index["simple"]["state"] == "READY", index
assert {m.name for m in g.get_model_repository_index().models} == set(index)
config = h.get_model_config("simple")
assert config["max_batch_size"] == 8 and config["input"][0]["dims"] == [16] and config["platform"] == "onnxruntime_onnx", config
assert g.get_model_config("simple").config.input[0].dims[0] == 16
assert h.get_model_metadata("simple")["inputs"][0]["shape"] == [-1, 16]

# Two sequences over one stream.
results = queue.Queue()
g.start_stream(lambda result, error: results.put(error or result))
for step, value in enumerate([5, 6, 7]):
    for sequence in [21, 22]:
        tensor = grpc.InferInput("INPUT", [1, 1], "INT32"); tensor.set_data_from_numpy(np.array([[value + sequence]], np.int32))
        g.async_stream_infer("simple_dyna_sequence", [tensor], request_id=f"{sequence}", sequence_id=sequence, sequence_start=step == 0, sequence_end=step == 2)
seen = {"21": [], "22": []}
for _ in range(6):
    answer = results.get(timeout=30)
    assert not isinstance(answer, Exception), answer
    seen[answer.get_response().id].append(int(answer.as_numpy("OUTPUT")[0][0]))
g.stop_stream()
assert seen == {"21": [27, 27, 49], "22": [28, 28, 51]}, seen

# States by a string id, over REST; and the refusal.
def ask(value, **of):
    tensor = http.InferInput("INPUT", [1, 1], "INT32"); tensor.set_data_from_numpy(np.array([[value]], np.int32))
    return int(h.infer("simple_string_dyna_sequence", [tensor], **of).as_numpy("OUTPUT")[0][0])
assert [ask(1, sequence_id="7", sequence_start=True), ask(2, sequence_id="7"), ask(3, sequence_id="7", sequence_end=True)] == [1, 3, 13]
try:
    ask(1, sequence_id="8"); raise SystemExit("not refused")
except Exception as error:
    assert "inference request for sequence 8 to model 'simple_string_dyna_sequence' must specify the START flag" in str(error), error

# Load with configuration and files, over both.
content = open(sys.argv[3], "rb").read()
for client in [h, g]:
    client.load_model("brought", config='{"max_batch_size": 2}', files={"file:3/model.onnx": content})
    assert client.is_model_ready("brought", "3")
    client.unload_model("brought")
    assert not client.is_model_ready("brought")
try:
    h.load_model("nowhere"); raise SystemExit("not refused")
except Exception as error:
    assert "failed to load 'nowhere', failed to poll from model repository" in str(error), error
print("ALL WELL")
`;

describe('binnacle up --model-repository', () => {
  it('is Triton to tritonclient', { timeout: 120_000 }, async () => {
    expect(grpc).not.toBe('');
    expect(await run(['-c', SCRIPT, http, grpc, graphFile(sum(2))])).toMatchObject({ code: 0, said: expect.stringContaining('ALL WELL') });
  });

  it.runIf(examples !== '').each(['http', 'grpc'])(
    'Triton’s simple_%s_string_infer_client.py up to its strings with NULs',
    { timeout: 120_000 },
    async (protocol) => {
      const { said } = await run([join(examples, `simple_${protocol}_string_infer_client.py`), '-u', protocol === 'grpc' ? grpc : http]);
      expect(said).toMatch(/b'15' - b'1' = (b'14'|14)/);
      // ONNX Runtime's binding ends a string at its first NUL.
      expect(said).toContain("input 'INPUT0' for model 'simple_identity': string 0 holds a NUL character");
    },
  );

  it.runIf(examples !== '').each([
    ['simple_http_infer_client.py', []],
    ['simple_http_async_infer_client.py', []],
    ['simple_http_aio_infer_client.py', []],
    ['simple_http_shm_client.py', []],
    ['simple_http_shm_string_client.py', []],
    ['simple_http_sequence_sync_infer_client.py', []],
    ['simple_http_sequence_sync_infer_client.py', ['--dyna']],
    ['simple_grpc_infer_client.py', []],
    ['simple_grpc_async_infer_client.py', []],
    ['simple_grpc_aio_infer_client.py', []],
    ['simple_grpc_shm_client.py', []],
    ['simple_grpc_shm_string_client.py', []],
    ['simple_grpc_keepalive_client.py', []],
    ['simple_grpc_custom_args_client.py', []],
    ['simple_grpc_sequence_stream_infer_client.py', []],
    ['simple_grpc_sequence_stream_infer_client.py', ['--dyna']],
    ['simple_grpc_aio_sequence_stream_infer_client.py', []],
    ['simple_grpc_aio_sequence_stream_infer_client.py', ['--dyna']],
    ['simple_grpc_sequence_sync_infer_client.py', []],
    ['simple_grpc_sequence_sync_infer_client.py', ['--dyna']],
    ['grpc_explicit_int_content_client.py', []],
    ['grpc_explicit_int8_content_client.py', []],
    ['grpc_explicit_byte_content_client.py', []],
    // The last: they end with 'simple' unloaded.
    ['simple_http_model_control.py', []],
    ['simple_grpc_model_control.py', []],
  ])('Triton’s %s %s, as it is', { timeout: 120_000 }, async (script, more) => {
    expect(existsSync(join(examples, script))).toBe(true);
    const overGrpc = script.includes('grpc');
    // One expects seven models in the repository, the other eight.
    if (script === 'simple_grpc_model_control.py') folder.write('later/1/model.onnx', sum(2));
    const { code, said } = await run([join(examples, script), ...(script.startsWith('reuse') ? [] : ['-u', overGrpc ? grpc : http]), ...more]);
    expect({ code, said: code === 0 ? '' : said.slice(-2000) }).toEqual({ code: 0, said: '' });
  });
});
