import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sum } from '../support/onnx-graphs.ts';
import { type RunningServer, startServer, temporaryFolder } from '../support/server.ts';
import { send, type ServingKit, servingKit } from '../support/serving.ts';

const python = fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));
let elsewhere: ServingKit;
let front: RunningServer;
beforeAll(async () => {
  elsewhere = await servingKit();
  await elsewhere.deploy('sum', sum(2));
  front = await startServer({ args: ['--grpc-port', '-1'] });
}, 60_000);
afterAll(async () => {
  await front?.stop();
  await elsewhere?.close();
});

it('the mlflow client logs a package by hand, registers it, and it is served; changed afterwards it is not', async () => {
  const folder = temporaryFolder('remote');
  writeFileSync(join(folder, 'MLmodel'), `flavors:\n  binnacle.remote:\n    url: ${elsewhere.url}\n    model: sum\n`);
  const script = `
import mlflow, sys
mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
with mlflow.start_run() as run:
    mlflow.log_artifact(sys.argv[2] + "/MLmodel", "model")
client.create_registered_model("sum")
print(client.create_model_version("sum", source=f"runs:/{run.info.run_id}/model", run_id=run.info.run_id).version, run.info.run_id)
`;
  const { stdout } = await promisify(execFile)(python, ['-c', script, front.url, folder], { env: { ...process.env, GIT_PYTHON_REFRESH: 'quiet' } });
  const [version, runId] = stdout.trim().split('\n').at(-1)?.split(' ') ?? [];
  expect(version).toBe('1');
  const deploy = async () =>
    (
      await send(`${front.url}/api/binnacle/v1/endpoints/sum`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'sum', traffic: [{ version: 1, weight: 100, shadow: false }] }),
      })
    ).json();
  expect(await deploy()).toMatchObject({
    state: 'ready',
    versions: [{ tier: 'remote' }],
    tensors: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }] },
  });
  const answer = await send(`${front.url}/v2/models/sum/infer`, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] }),
  });
  expect(answer.json()).toMatchObject({ outputs: [{ name: 'y', shape: [1, 1], data: [3] }] });
  // Whoever may write artifacts must not send a registered model's traffic elsewhere.
  writeFileSync(join(folder, 'MLmodel'), `flavors:\n  binnacle.remote:\n    url: ${elsewhere.url}\n    model: another\n`);
  const overwrite = `import mlflow, sys\nmlflow.set_tracking_uri(sys.argv[1])\nmlflow.MlflowClient().log_artifact(sys.argv[3], sys.argv[2] + "/MLmodel", "model")\n`;
  await promisify(execFile)(python, ['-c', overwrite, front.url, folder, runId ?? ''], { env: { ...process.env, GIT_PYTHON_REFRESH: 'quiet' } });
  const again = await deploy();
  expect(JSON.stringify(again)).toContain('was changed after it was registered');
});
