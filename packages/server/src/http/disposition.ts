/** The Content-Disposition of somebody's file: under its own name, whatever characters that has (RFC 6266). */
export function disposition(path: string, kind: 'attachment' | 'inline' = 'attachment'): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${kind}; filename="${name.replace(/[^ -~]|["\\%]/g, '_')}"; filename*=UTF-8''${encoded}`;
}
