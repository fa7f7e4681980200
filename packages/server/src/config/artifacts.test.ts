import { expect, it } from 'vitest';
import { parseArtifacts } from './artifacts.ts';

it('nothing set is the folder', () => {
  expect(parseArtifacts(undefined)).toBeUndefined();
  expect(parseArtifacts('')).toBeUndefined();
});

it('a bucket, a prefix, options', () => {
  expect(parseArtifacts('s3://models')).toEqual({
    bucket: 'models',
    prefix: '',
    endpoint: undefined,
    region: undefined,
    pathStyle: undefined,
    presigned: true,
  });
  expect(parseArtifacts('s3://models//team/a/?endpoint=http://127.0.0.1:9000&region=eu-west-1&path-style=false&presigned=false')).toEqual({
    bucket: 'models',
    prefix: 'team/a',
    endpoint: 'http://127.0.0.1:9000',
    region: 'eu-west-1',
    pathStyle: false,
    presigned: false,
  });
});

it.each([
  ['/srv/artifacts', 'must be the address of an S3 bucket'],
  ['gs://bucket', 'must be the address of an S3 bucket'],
  ['s3://', 'cannot be one'],
  ['s3://bucket/../x', "must not have '.' or '..'"],
  ['s3://bucket?endpiont=x', 'unknown option "endpiont"'],
  ['s3://bucket?endpoint=ftp://x', 'http or https URL'],
  ['s3://bucket?path-style=1', 'true or false as path-style'],
])('%s is refused', (text, why) => {
  expect(() => parseArtifacts(text)).toThrow(why);
});

it('credentials are refused wherever they stand, and not repeated', () => {
  for (const text of ['s3://key:hunter2@bucket', 's3://bucket?endpoint=https://key:hunter2@host']) {
    expect(() => parseArtifacts(text)).toThrow(/^(?!.*hunter2)/);
  }
});
