import type { Bucket } from './client.ts';

export interface ListedObject {
  /** In the store. */
  path: string;
  isDirectory: boolean;
  size: number;
  etag: string;
}

/**
 * What is below a path ('' is the root): direct children, or every object at any depth. The empty objects that some tools put where they show a folder are left
 * out, but for `markers`.
 */
export async function* entriesBelow(bucket: Bucket, path: string, options: { direct?: boolean; markers?: boolean } = {}): AsyncGenerator<ListedObject> {
  const { ListObjectsV2Command } = bucket.commands;
  const root = bucket.key('');
  const strip = root === '' ? 0 : root.length + 1;
  const base = bucket.key(path);
  const Prefix = base === '' ? '' : `${base}/`;
  let ContinuationToken: string | undefined;
  do {
    const page = await bucket.client.send(
      new ListObjectsV2Command({ Bucket: bucket.name, Prefix, ContinuationToken, ...(options.direct === true ? { Delimiter: '/' } : {}) }),
    );
    for (const { Prefix: folder = '' } of page.CommonPrefixes ?? [])
      if (folder.length > Prefix.length + 1) yield { path: folder.slice(strip, -1), isDirectory: true, size: 0, etag: '' };
    for (const { Key = '', Size = 0, ETag = '' } of page.Contents ?? [])
      if (options.markers === true || !Key.endsWith('/')) yield { path: Key.slice(strip), isDirectory: false, size: Size, etag: ETag };
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
}
