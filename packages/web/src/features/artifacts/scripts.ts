/** The servers from which a page asks for scripts and styles, as far as its text shows: without a way to them it stays empty. Pure; tested in kinds.test.ts. */
export function scriptHosts(html: string): string[] {
  const hosts = new Set<string>();
  for (const [, address = ''] of html.matchAll(/<(?:script|link)\b[^>]{0,500}?\b(?:src|href)\s*=\s*["']?((?:https?:)?\/\/[^"'\s>]{1,500})/gi)) {
    const host = /^(?:https?:)?\/\/([^/?#]+)/i.exec(address)?.[1];
    if (host !== undefined) hosts.add(host.toLowerCase());
  }
  return [...hosts].sort();
}
