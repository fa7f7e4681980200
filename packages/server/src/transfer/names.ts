import { createHash } from 'node:crypto';

const MAX_KEY = 250;
const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

/** A key that the tracker takes: the same when it can be, else without what it does not take, and told apart by a hash of the whole. */
export function trackerKey(path: string): string {
  const cleaned = path
    .normalize('NFC')
    .replace(/[^/\p{L}\p{N}_.\- :\p{M}]/gu, '_')
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (part === '.' || part === '..' ? part.replaceAll('.', '_') : part))
    .join('/');
  if (cleaned === path && [...path].length <= MAX_KEY) return path;
  return `${[...(cleaned === '' ? '_' : cleaned)].slice(0, MAX_KEY - 9).join('')}_${digest(path)}`;
}

/** The same for a path among a run's artifacts. */
export function artifactName(path: string): string {
  const cleaned = path
    .split('/')
    .filter((part) => part !== '')
    // Percent signs are kept off: a path with them may be read as an escaped one.
    .map((part) => part.replace(/[\\\0%:]/g, '_').replace(/^\.+$/, (dots) => '_'.repeat(dots.length)))
    .map((part) => (Buffer.byteLength(part) > 200 ? `${Buffer.from(part).subarray(0, 180).toString('utf8').replaceAll('\ufffd', '')}_${digest(part)}` : part))
    .join('/');
  return cleaned === path ? path : `${cleaned === '' ? '_' : cleaned}_${digest(path)}`;
}
