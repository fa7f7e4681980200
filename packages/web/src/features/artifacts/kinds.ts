/** How a file is looked at, by its name. Pure; tested in kinds.test.ts. */
export type ViewKind =
  | 'image'
  | 'audio'
  | 'video'
  | 'html'
  | 'markdown'
  | 'json'
  | 'json-lines'
  | 'rows'
  | 'diff'
  | 'mlmodel'
  | 'npy'
  | 'text'
  /** Its name says nothing: text when it reads like text. */
  | 'unknown'
  | 'none';

const KINDS: [ViewKind, string][] = [
  ['image', 'png jpg jpeg gif webp avif bmp svg'],
  ['audio', 'mp3 wav flac ogg m4a'],
  ['video', 'mp4 webm'],
  ['html', 'html htm'],
  ['markdown', 'md markdown'],
  ['json', 'json'],
  ['json-lines', 'jsonl ndjson'],
  ['rows', 'csv tsv parquet pq'],
  ['diff', 'diff patch'],
  ['mlmodel', 'mlmodel'],
  ['npy', 'npy'],
  [
    'text',
    'txt log out err py pyi r js mjs cjs ts tsx jsx sh bash zsh yaml yml toml ini cfg conf properties xml css scss sql ipynb dockerfile requirements lock env rst tex c h cpp hpp cu rs go java kt scala rb jl m proto cmake gitignore license readme makefile',
  ],
  ['none', 'onnx pkl pickle pt pth bin safetensors h5 hdf5 npz zip gz tar tgz zst bz2 xz 7z joblib model pb tflite pdf exe so whl'],
];
const BY_ENDING = new Map(KINDS.flatMap(([kind, endings]) => endings.split(' ').map((ending) => [ending, kind] as const)));

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

function endingOf(path: string): string {
  const name = nameOf(path).toLowerCase();
  return name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : name;
}

export function viewKind(path: string): ViewKind {
  // Text tables may be compressed.
  if (/\.(csv|tsv)\.(gz|zst)$/i.test(path)) return 'rows';
  return BY_ENDING.get(endingOf(path)) ?? 'unknown';
}

/**
 * A name as it can be read: signs that show nothing, or turn the direction of what follows, by their number. Joiners stay, since emoji and some
 * scripts are written with them.
 */
export const shownName = (name: string): string =>
  name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, (sign) =>
    sign === '\u200c' || sign === '\u200d' ? sign : `⟨U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );

/** Whether bytes read like text: UTF-8 (but for a character that the end cuts) without control characters. */
export function looksLikeText(bytes: Uint8Array): boolean {
  try {
    return !/[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true }));
  } catch {
    return false;
  }
}
