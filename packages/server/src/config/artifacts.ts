import { invalid } from '../kernel/index.ts';

/** A bucket that holds the artifacts. Credentials are not among it: they come from AWS's own variables, profile or role. */
export interface ArtifactBucket {
  bucket: string;
  /** Of all keys, without a slash at either end; '' for none. */
  prefix: string;
  endpoint: string | undefined;
  region: string | undefined;
  pathStyle: boolean | undefined;
  /** Whether clients may be sent to the bucket itself, by presigned links. */
  presigned: boolean;
}

const FORM = 's3://bucket/prefix?endpoint=https://…&region=…&path-style=true&presigned=false';

/** Reads `s3://bucket/prefix` with its options; undefined (nothing set) is the folder in the data directory. */
export function parseArtifacts(text: string | undefined): ArtifactBucket | undefined {
  if (text === undefined || text === '') return undefined;
  const refuse = (why: string) => invalid('config_value', `artifacts ${why}. Write ${FORM}, or leave it out for the folder in the data directory.`);
  const match = /^s3:\/\/([^/?#@:]*)((?:\/[^?#]*)?)(?:\?([^#]*))?$/.exec(text);
  // Not quoted: somebody may have put a password into it.
  if (match === null) throw refuse('must be the address of an S3 bucket');
  const [, bucket = '', path = '', query = ''] = match;
  if (!/^[a-z0-9][a-z0-9._-]{1,254}$/i.test(bucket)) throw refuse(`names the bucket ${JSON.stringify(bucket)}, which cannot be one`);
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments.some((segment) => segment === '.' || segment === '..')) throw refuse("must not have '.' or '..' in its prefix");
  const options = new URLSearchParams(query);
  for (const name of options.keys())
    if (!['endpoint', 'region', 'path-style', 'presigned'].includes(name)) throw refuse(`has an unknown option ${JSON.stringify(name)}`);
  const endpoint = options.get('endpoint') ?? undefined;
  if (endpoint !== undefined) {
    const url = URL.parse(endpoint);
    if (url === null || !/^https?:$/.test(url.protocol)) throw refuse('must have an http or https URL as endpoint');
    if (url.username !== '' || url.password !== '') throw refuse('must not have credentials in its endpoint; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  }
  const flag = (name: string): boolean | undefined => {
    const value = options.get(name);
    if (value === null) return undefined;
    if (value !== 'true' && value !== 'false') throw refuse(`must have true or false as ${name}`);
    return value === 'true';
  };
  return {
    bucket,
    prefix: segments.join('/'),
    endpoint,
    region: options.get('region') ?? undefined,
    pathStyle: flag('path-style'),
    presigned: flag('presigned') ?? true,
  };
}
