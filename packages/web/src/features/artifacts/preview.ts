/** What to do with a file that somebody wants to look at. Pure; tested in preview.test.ts. */
export type PreviewKind = 'image' | 'json' | 'table' | 'text' | 'none';

const IMAGES: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  bmp: 'image/bmp',
  svg: 'image/svg+xml',
};
const TEXT = new Set([
  'txt',
  'md',
  'log',
  'py',
  'r',
  'js',
  'ts',
  'sh',
  'yaml',
  'yml',
  'toml',
  'ini',
  'cfg',
  'xml',
  'html',
  'css',
  'sql',
  'ipynb',
  'mlmodel',
  'dockerfile',
  'requirements',
  'lock',
  'env',
  'jsonl',
  'ndjson',
]);
/** Larger files are only offered for download. */
export const PREVIEW_LIMIT = { text: 2_000_000, image: 20_000_000 } as const;

export const extension = (path: string): string => {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  return name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : name;
};
export const imageType = (path: string): string | undefined => IMAGES[extension(path)];

export function previewKind(path: string): PreviewKind {
  const ending = extension(path);
  if (imageType(path) !== undefined) return 'image';
  if (ending === 'json') return 'json';
  if (ending === 'csv' || ending === 'tsv') return 'table';
  return TEXT.has(ending) ? 'text' : 'none';
}

/** Reads delimited text with quotes (RFC 4180), at most `limit` rows. */
export function parseDelimited(text: string, delimiter: string, limit: number): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') {
        field += '"';
        i += 1;
      } else if (c === '"') quoted = false;
      else field += c;
    } else if (c === '"' && field === '') quoted = true;
    else if (c === delimiter) {
      row.push(field);
      field = '';
    } else if (c === '\n' || c === '\r') {
      if (c === '\r' && text[i + 1] === '\n') i += 1;
      row.push(field);
      rows.push(row);
      if (rows.length >= limit) return rows;
      row = [];
      field = '';
    } else field += c;
  }
  if (field !== '' || row.length > 0) rows.push([...row, field]);
  return rows;
}
