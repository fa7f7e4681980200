import type { S3Client } from '@aws-sdk/client-s3';

export interface BucketOptions {
  bucket: string;
  /** Of all keys, without a slash at either end; '' for none. */
  prefix: string;
  /** Of a server other than AWS's; undefined: as AWS's own variables and profile say. */
  endpoint?: string | undefined;
  region?: string | undefined;
  /** The bucket in the path rather than in the host name; undefined: with an endpoint of one's own. */
  pathStyle?: boolean | undefined;
}

export type S3Commands = typeof import('@aws-sdk/client-s3');

/** A bucket, its client and the SDK's commands. */
export interface Bucket {
  name: string;
  client: S3Client;
  commands: S3Commands;
  /** The key of a path in the store. */
  key(path: string): string;
}

/** Loads the SDK. Credentials come from its own chain: variables, profile, container or instance role. */
export async function openBucket({ bucket, prefix, endpoint, region, pathStyle }: BucketOptions): Promise<Bucket> {
  const commands = await import('@aws-sdk/client-s3');
  const ownEndpoint = endpoint ?? process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
  const client = new commands.S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    // Servers that are not AWS's take any region, and a signature needs one.
    ...(region === undefined ? (ownEndpoint !== undefined && process.env.AWS_REGION === undefined ? { region: 'us-east-1' } : {}) : { region }),
    forcePathStyle: pathStyle ?? ownEndpoint !== undefined,
    // Checksums are ours to ask for: the SDK's default would put that of an empty body into a presigned link.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 5000, socketTimeout: 60_000, httpAgent: { maxSockets: 128 }, httpsAgent: { maxSockets: 128 } },
  });
  return { name: bucket, client, commands, key: (path) => [prefix, path].filter((part) => part !== '').join('/') };
}
