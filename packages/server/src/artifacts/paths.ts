import { invalid } from '../kernel/index.ts';

/** Top folder of what Binnacle derives itself (rewired graphs); the outside can neither read nor write it. */
export const RESERVED_FOLDER = '.binnacle';

const MAX_SEGMENT_BYTES = 255;
const MAX_PATH_BYTES = 3800;
/** A name may be escaped more than once on its way here; each layer is looked at, up to this many. */
const MAX_ESCAPES = 5;

/**
 * The canonical form of an artifact path: relative, '/'-separated, no empty or '.' segments, '' for the root.
 * Throws `invalid` (code `artifact_path_invalid`) for everything that could leave the root or cannot be a file name: '..' (also escaped,
 * also twice), a leading '/', a backslash, a drive letter, NUL, lone surrogates, names over 255 bytes. Unicode and '%' are fine.
 */
export function checkArtifactPath(raw: string, options: { allowRoot?: boolean; allowReserved?: boolean } = {}): string {
  const refuse = (why: string) =>
    invalid('artifact_path_invalid', `Invalid path: ${shown(raw)} ${why}.`, {
      details: { path: shown(raw) },
    });
  if (typeof raw !== 'string') throw invalid('artifact_path_invalid', 'Invalid path: it must be a string.');
  if (!raw.isWellFormed()) throw refuse('is not valid Unicode');
  for (const layer of decodedLayers(raw)) {
    if (layer.includes('\0')) throw refuse('contains a NUL character');
    if (layer.includes('\\')) throw refuse("contains a backslash; separate folders with '/'");
    if (layer.startsWith('/')) throw refuse('is absolute; give a path relative to the artifact root');
    if (/^[A-Za-z]:($|\/)/.test(layer)) throw refuse('starts with a drive letter');
    if (layer.split('/').includes('..')) throw refuse("contains '..'");
  }
  const segments = raw.split('/').filter((segment) => segment !== '' && segment !== '.');
  for (const segment of segments) if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) throw refuse(`has a name longer than ${MAX_SEGMENT_BYTES} bytes`);
  const path = segments.join('/');
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw refuse(`is longer than ${MAX_PATH_BYTES} bytes`);
  if (path === '' && options.allowRoot !== true) throw refuse('names no file');
  if (segments[0] === RESERVED_FOLDER && options.allowReserved !== true) throw refuse(`is reserved: '${RESERVED_FOLDER}' belongs to the server`);
  return path;
}

/** Joins checked pieces; '' pieces vanish. */
export const joinArtifactPath = (...parts: string[]): string => parts.filter((part) => part !== '').join('/');

function* decodedLayers(raw: string): Iterable<string> {
  let layer = raw;
  for (let i = 0; i <= MAX_ESCAPES; i++) {
    yield layer;
    if (!layer.includes('%')) return;
    // Sequences that are not escapes ('100%') stay as they are, beside those that are.
    const next = layer.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    if (next === layer) return;
    layer = next;
  }
  throw invalid('artifact_path_invalid', `Invalid path: ${shown(raw)} is percent-encoded too many times.`);
}

const shown = (raw: unknown): string => {
  const text = JSON.stringify(String(raw).toWellFormed());
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
};
