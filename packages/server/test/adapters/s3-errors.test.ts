import { expect, it } from 'vitest';
import { mapS3Error } from '../../src/adapters/s3/errors.ts';

const sdk = (name: string, httpStatusCode?: number, more: object = {}) =>
  Object.assign(new Error(`${name} it is`), { name, $metadata: httpStatusCode === undefined ? {} : { httpStatusCode }, ...more });

it.each([
  [sdk('NoSuchKey', 404), 'not_found', 'artifact_not_found'],
  [sdk('NotFound', 404), 'not_found', 'artifact_not_found'],
  [sdk('NoSuchBucket', 404), 'not_found', 'artifact_bucket_not_found'],
  [sdk('NoSuchUpload', 404), 'not_found', 'multipart_upload_not_found'],
  [sdk('AccessDenied', 403), 'denied', 'artifact_access'],
  [sdk('Forbidden', 403), 'denied', 'artifact_access'],
  [sdk('InvalidAccessKeyId', 403), 'denied', 'artifact_credentials_refused'],
  [sdk('SignatureDoesNotMatch', 403), 'denied', 'artifact_credentials_refused'],
  [sdk('ExpiredToken', 400), 'denied', 'artifact_credentials_refused'],
  [sdk('CredentialsProviderError'), 'denied', 'artifact_credentials_missing'],
  [new Error('Region is missing'), 'invalid', 'artifact_region_missing'],
  [sdk('PermanentRedirect', 301), 'invalid', 'artifact_region_wrong'],
  [sdk('InvalidPart', 400), 'invalid', 'artifact_upload_refused'],
  [sdk('SlowDown', 503), 'unavailable', 'artifact_store_unreachable'],
  [sdk('InternalError', 500), 'unavailable', 'artifact_store_unreachable'],
  [sdk('Error', undefined, { code: 'ECONNREFUSED' }), 'unavailable', 'artifact_store_unreachable'],
  [sdk('Error', undefined, { code: 'ENOTFOUND' }), 'unavailable', 'artifact_store_unreachable'],
  [sdk('TimeoutError'), 'unavailable', 'artifact_store_unreachable'],
  [sdk('Error', undefined, { code: 'ENOSPC' }), 'exhausted', 'disk_full'],
  [sdk('Strange', 418), 'internal', 'artifact_store_failed'],
])('%s is %s (%s)', (error, kind, code) => {
  const mapped = mapS3Error(error, 'a/b', 'bucket') as Error & { cause?: unknown };
  expect(mapped).toMatchObject({ kind, code });
  expect(mapped.cause).not.toBe(error);
});

it('what is no failure of the store comes through as it is', () => {
  const own = new Error('the client went away');
  expect(mapS3Error(own, 'a', 'bucket')).toBe(own);
});
