import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sum } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit } from '../support/serving.ts';

const python = fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));

let kit: ServingKit;
beforeAll(async () => {
  kit = await servingKit({ defaultEndpoint: 'areas' });
  const signature = { inputs: ['width', 'height'].map((name) => ({ name, type: 'double' })), outputs: [] };
  const { version } = await kit.registry.add('model', sum(2), signature);
  const config = { rateLimit: { requestsPerSecond: 500 } };
  await kit.serving.deploy('areas', { model: 'model', traffic: [{ version, weight: 100, shadow: false }], config });
});
afterAll(() => kit.close());

it('mlflow.deployments, MLflow’s scoring client and SageMaker’s runtime client work unmodified', async () => {
  const script = fileURLToPath(new URL('./python/scoring_clients.py', import.meta.url));
  const { stdout } = await promisify(execFile)(python, [script, kit.url, 'areas'], { maxBuffer: 2 ** 24, timeout: 200_000 });
  const records = [{ y: 0.75 }, { y: 1 }];
  const endpoint = {
    name: 'areas',
    endpoint_type: 'pyfunc/v1/invocations',
    model: { name: 'model', provider: 'binnacle' },
    endpoint_url: `${kit.url}/endpoints/areas/invocations`,
    limit: { calls: 500, key: null, renewal_period: 'second' },
  };
  expect(JSON.parse(stdout)).toEqual({
    list: [endpoint],
    get: endpoint,
    predict: { predictions: records },
    get_unknown: expect.stringMatching(/404 .*is not present or active/),
    predict_unknown: expect.stringMatching(/404 .*'nobody' is not found/),
    predict_wrong: expect.stringMatching(/400 .*exactly one of the input fields/),
    scoring_server: records,
    scoring_endpoint: records,
    version: '3.17.2',
    sagemaker_csv: ['text/csv; charset=utf-8', '0.75\n1\n'],
    sagemaker_json: ['application/json', { predictions: records }],
    parquet: { predictions: records },
    sagemaker_wrong: 400,
    sagemaker_mlflow: records,
  });
}, 240_000);
