import type { ServerResponse } from 'node:http';

/** A header of a request (lower case), or a cookie behind `cookie:`: what an endpoint's traffic may be split by. */
export const headerOf =
  (request: { readonly headers: NodeJS.Dict<string | string[]> }) =>
  (name: string): string | undefined => {
    const value = request.headers[name.startsWith('cookie:') ? 'cookie' : name];
    if (!name.startsWith('cookie:')) return Array.isArray(value) ? value[0] : value;
    const wanted = `${name.slice('cookie:'.length)}=`;
    for (const part of (value as string | undefined)?.split(';') ?? []) if (part.trimStart().startsWith(wanted)) return part.trim().slice(wanted.length);
    return undefined;
  };

/** Aborted when the connection closes before the reply is done. */
export function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
