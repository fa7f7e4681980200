import { invalid } from './errors.ts';

/** An opaque page token that carries a key, never an offset, so that concurrent inserts move nothing. */
export const encodePageToken = (key: unknown): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/** The key of a token; undefined for the first page. Throws `invalid` (invalid_page_token); the caller checks the key's shape. */
export function decodePageToken<T>(token: string | undefined | null): T | undefined {
  if (token === undefined || token === null || token === '') return undefined;
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as T;
  } catch (cause) {
    throw invalid('invalid_page_token', 'Invalid page token: it was not made by this server. Start again without one.', { cause });
  }
}

/** Some items in order; without a token they are the last. */
export interface Page<T> {
  items: T[];
  nextPageToken?: string | undefined;
}
