import { BinnacleError, conflict, denied, exhausted, internal, invalid, notFound, unavailable } from '../../kernel/index.ts';

interface SdkError extends Error {
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

const UNREACHABLE =
  /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|TimeoutError|RequestTimeout|NetworkingError|AbortError)$/;
const BAD_CREDENTIALS = /^(InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|ExpiredTokenException|InvalidToken|AuthorizationHeaderMalformed)$/;

export const isMissing = (error: unknown): boolean => {
  const { name, $metadata } = (error ?? {}) as SdkError;
  return name === 'NoSuchKey' || name === 'NotFound' || (name !== 'NoSuchBucket' && name !== 'NoSuchUpload' && $metadata?.httpStatusCode === 404);
};

/** The object is another one than was asked for by its ETag. */
export const isChanged = (error: unknown): boolean => (error as SdkError)?.$metadata?.httpStatusCode === 412;

export const statusOf = (error: unknown): number | undefined => (error as SdkError)?.$metadata?.httpStatusCode;

/**
 * The kernel error of what the SDK or the cache's disk threw; `path` is the artifact's path. The SDK's own error does not come along as it is: it refers to the request, whose
 * headers and links are as good as a password.
 */
export function mapS3Error(error: unknown, path: string, bucket: string): unknown {
  if (error instanceof BinnacleError || !(error instanceof Error)) return error;
  const { name, code, message, $metadata } = error as SdkError;
  const status = $metadata?.httpStatusCode;
  const options = { cause: new Error(`${name}: ${message}`), details: { path, bucket, ...(status === undefined ? {} : { status }) } };
  const shown = JSON.stringify(path);
  if (name === 'NoSuchBucket')
    return notFound('artifact_bucket_not_found', `There is no bucket ${bucket} at the artifact store. Create it, or correct the artifacts setting.`, options);
  if (name === 'CredentialsProviderError')
    return denied(
      'artifact_credentials_missing',
      `No credentials for the bucket ${bucket} were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, for the server.`,
      options,
    );
  if (message === 'Region is missing')
    return invalid('artifact_region_missing', `The region of the bucket ${bucket} is not known. Set region in the artifacts setting, or AWS_REGION.`, options);
  if (BAD_CREDENTIALS.test(name))
    return denied('artifact_credentials_refused', `The artifact store refuses the server's credentials for the bucket ${bucket} (${name}).`, options);
  if (isMissing(error)) return notFound('artifact_not_found', `No artifact at ${shown}.`, options);
  if (name === 'NoSuchUpload')
    return notFound('multipart_upload_not_found', `There is no such multipart upload of ${shown}; it was completed or aborted. Begin again.`, options);
  if (/^(InvalidPart|InvalidPartOrder|EntityTooSmall|MalformedXML|BadDigest|InvalidDigest|KeyTooLongError|EntityTooLarge)$/.test(name))
    return invalid('artifact_upload_refused', `The artifact store refuses ${shown} (${name}: ${message}); nothing was stored.`, options);
  if (status === 401 || status === 403)
    return denied(
      'artifact_access',
      `The artifact store denies the server access to ${shown} in the bucket ${bucket} (${name}). Its credentials need GetObject, PutObject, DeleteObject, ListBucket and AbortMultipartUpload.`,
      options,
    );
  if (status === 301 || status === 307 || name === 'PermanentRedirect')
    return invalid('artifact_region_wrong', `The bucket ${bucket} is in another region. Set region in the artifacts setting, or AWS_REGION.`, options);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return exhausted('disk_full', `The disk with the cache of artifacts is full: ${shown} could not be copied to it. Free some space and try again.`, {
      ...options,
      retryAfterSeconds: 30,
    });
  if (UNREACHABLE.test(code ?? '') || UNREACHABLE.test(name) || name === 'SlowDown' || status === 429 || (status !== undefined && status >= 500))
    return unavailable('artifact_store_unreachable', `The artifact store (bucket ${bucket}) cannot be reached for ${shown} (${code ?? name}). Try again.`, {
      ...options,
      retryAfterSeconds: 5,
    });
  if (isChanged(error)) return conflict('artifact_changed', `${shown} was replaced while it was read. Try again.`, options);
  if (status !== undefined) return internal('artifact_store_failed', `The artifact store failed on ${shown} (${name}: ${message}).`, options);
  return error;
}
