import { extname } from 'node:path/posix';

const TYPES: Readonly<Record<string, string>> = {
  '.txt': 'text/plain',
  '.log': 'text/plain',
  '.md': 'text/plain',
  '.yaml': 'text/plain',
  '.yml': 'text/plain',
  '.py': 'text/plain',
  '.csv': 'text/csv',
  '.tsv': 'text/tab-separated-values',
  '.html': 'text/html',
  '.htm': 'text/html',
  '.json': 'application/json',
  '.pdf': 'application/pdf',
  '.parquet': 'application/vnd.apache.parquet',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.bmp': 'image/bmp',
  '.svg': 'image/svg+xml',
  '.mp3': 'audio/mpeg',
  '.wav': 'audio/wav',
  '.flac': 'audio/flac',
  '.ogg': 'audio/ogg',
  '.m4a': 'audio/mp4',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
};

/**
 * What a file's name says that it is; undefined when it says nothing. HTML and SVG are somebody's own: whoever answers with them does so
 * in a sandbox (Content-Security-Policy), which runs no script.
 */
export const mediaTypeOf = (path: string): string | undefined =>
  path === 'MLmodel' || path.endsWith('/MLmodel') ? 'text/plain' : TYPES[extname(path).toLowerCase()];
