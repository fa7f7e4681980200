import { extname } from 'node:path/posix';

const TYPES: Readonly<Record<string, string>> = {
  '.txt': 'text/plain',
  '.log': 'text/plain',
  '.md': 'text/plain',
  '.yaml': 'text/plain',
  '.yml': 'text/plain',
  '.py': 'text/plain',
  '.csv': 'text/csv',
  '.html': 'text/html',
  '.json': 'application/json',
  '.pdf': 'application/pdf',
  '.parquet': 'application/vnd.apache.parquet',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.svg': 'image/svg+xml',
};

/**
 * What a file's name says that it is; undefined when it says nothing. HTML and SVG are somebody's own: whoever answers with them does so
 * in a sandbox (Content-Security-Policy), which runs no script.
 */
export const mediaTypeOf = (path: string): string | undefined =>
  path === 'MLmodel' || path.endsWith('/MLmodel') ? 'text/plain' : TYPES[extname(path).toLowerCase()];
