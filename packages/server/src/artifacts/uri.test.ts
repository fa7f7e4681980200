import { expect, it } from 'vitest';
import { parseArtifactUri, resolveArtifactUri } from './uri.ts';

const lookup = {
  runArtifactUri: async (id: string) =>
    ({
      r1: 'mlflow-artifacts:/1/r1/artifacts',
      s3: 's3://bucket/x',
      loop: 'runs:/loop',
    })[id],
  loggedModelArtifactUri: async (id: string) => (id === 'm-1' ? 'mlflow-artifacts:/1/models/m-1/artifacts' : undefined),
};

it.each([
  ['mlflow-artifacts:/1/r1/artifacts/model', '1/r1/artifacts/model'],
  ['mlflow-artifacts:///1/r1', '1/r1'],
  ['mlflow-artifacts://tracker.example:8000/1/r1', '1/r1'],
  ['runs:/r1/model/sub', '1/r1/artifacts/model/sub'],
  ['runs:///r1/', '1/r1/artifacts'],
  ['models:/m-1', '1/models/m-1/artifacts'],
  ['models:/m-1/model.onnx', '1/models/m-1/artifacts/model.onnx'],
  ['mlflow-artifacts:/', ''],
])('%s is at %j', async (uri, path) => {
  expect(await resolveArtifactUri(uri, lookup)).toBe(path);
});

it.each([
  ['runs:/none/x', 'not_found', 'artifact_owner_not_found'],
  ['models:/m-9', 'not_found', 'artifact_owner_not_found'],
  ['models:/iris/3', 'invalid', 'artifact_uri_invalid'],
  ['s3://bucket/key', 'unsupported', 'artifact_uri_foreign'],
  ['/etc/passwd', 'unsupported', 'artifact_uri_foreign'],
  ['file:///etc/passwd', 'unsupported', 'artifact_uri_foreign'],
  ['runs:/s3/model', 'unsupported', 'artifact_uri_foreign'],
  ['runs:/loop/model', 'unsupported', 'artifact_uri_foreign'],
  ['runs:/r1/../../x', 'invalid', 'artifact_path_invalid'],
  ['mlflow-artifacts:/%2e%2e/x', 'invalid', 'artifact_path_invalid'],
  ['mlflow-artifacts://host/../x', 'invalid', 'artifact_path_invalid'],
])('%s is refused as %s (%s)', async (uri, kind, code) => {
  await expect(resolveArtifactUri(uri, lookup)).rejects.toMatchObject({
    kind,
    code,
  });
});

it('a URI is taken apart without asking anyone', () => {
  expect(parseArtifactUri('models:/m-abc/x')).toEqual({
    kind: 'logged-model',
    modelId: 'm-abc',
    path: 'x',
  });
});
