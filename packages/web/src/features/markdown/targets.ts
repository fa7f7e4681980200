/** Where a link or an image of somebody's Markdown may lead. Pure; tested in markdown.test.ts. */
export type Target = { kind: 'web'; href: string } | { kind: 'file'; path: string } | { kind: 'none' };

/** `folder` is the one that the text is in, '' for the root: addresses without a scheme are files in it. */
export function targetOf(href: string, folder: string): Target {
  // Browsers skip control characters and spaces in front of a scheme.
  const clean = href.replace(/[\p{Cc}\p{Zs}]/gu, '');
  if (/^(https?:\/\/|mailto:)/i.test(clean)) return { kind: 'web', href: clean };
  if (/^[a-z][a-z0-9+.-]*:/i.test(clean) || clean.startsWith('//') || clean.startsWith('#') || clean === '') return { kind: 'none' };
  const path = joined(href.startsWith('/') ? '' : folder, decoded(href.replace(/[?#].*$/s, '')));
  return path === undefined || path === '' ? { kind: 'none' } : { kind: 'file', path };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function joined(folder: string, path: string): string | undefined {
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}
