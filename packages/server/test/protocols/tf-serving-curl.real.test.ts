import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { classifier, identity, sum } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit } from '../support/serving.ts';

let kit: ServingKit;
beforeAll(async () => {
  kit = await servingKit();
  await kit.deploy('half_plus_two', sum(1));
  await kit.deploy('floats', identity('FP32'));
  await kit.deploy('classifier', classifier());
});
afterAll(() => kit.close());

/** curl as the documentation of TensorFlow Serving uses it: no content type is named, so that curl sends a form's. */
async function curl(path: string, ...options: string[]): Promise<{ status: string; body: string }> {
  const { stdout } = await promisify(execFile)('curl', ['-sS', '-w', '\n%{http_code}', ...options, `${kit.url}${path}`]);
  const end = stdout.lastIndexOf('\n');
  return { status: stdout.slice(end + 1), body: stdout.slice(0, end) };
}

it('answers the calls of TensorFlow Serving’s documentation', async () => {
  expect(await curl('/v1/models/half_plus_two:predict', '-d', '{"instances": [1.0, 2.0, 5.0]}')).toEqual({
    status: '200',
    body: '{"predictions":[[1.0],[2.0],[5.0]]}',
  });
  expect(await curl('/v1/models/half_plus_two/versions/1:predict', '-X', 'POST', '-d', '{"signature_name": "serving_default", "inputs": [[1.0]]}')).toEqual({
    status: '200',
    body: '{"outputs":[[1.0]]}',
  });
  expect((await curl('/v1/models/classifier:classify', '-d', '{"examples": [{"x": [0.5, 0.5]}]}')).body).toBe('{"results":[[["0",0.5],["1",0.5]]]}');
  expect((await curl('/v1/models/half_plus_two:regress', '-d', '{"examples": [{"x": 1.0}, {"x": 2.0}]}')).body).toBe('{"results":[1.0,2.0]}');
  expect(JSON.parse((await curl('/v1/models/half_plus_two')).body)).toEqual({
    model_version_status: [{ version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } }],
  });
  expect(JSON.parse((await curl('/v1/models/half_plus_two/metadata')).body).model_spec).toEqual({ name: 'half_plus_two', signature_name: '', version: '1' });
});

it('answers errors and compressed requests', async () => {
  expect(await curl('/v1/models/nobody:predict', '-d', '{}')).toEqual({
    status: '404',
    body: '{\n    "error": "Servable not found for request: Latest(nobody)"\n}',
  });
  expect((await curl('/v1/models/floats:predict', '-d', '{"instances": [[NaN, -Infinity]]}')).body).toBe('{"predictions":[[NaN,-Infinity]]}');
  expect(await curl('/v1/models/floats:predict', '--compressed', '-H', 'accept-encoding: gzip', '-d', '{"instances": [[1, 2]]}')).toEqual({
    status: '200',
    body: '{"predictions":[[1.0,2.0]]}',
  });
});
