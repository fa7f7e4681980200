import { setTimeout as sleep } from 'node:timers/promises';
import { BinnacleError, denied, invalid, messageOf, unavailable } from '../../kernel/index.ts';

/** Tries of a request that a busy server turned away, or that did not arrive. */
const TRIES = 4;
const WHICH_URL = "Name the URL under which MLflow's own UI opens.";
const AGAIN = new Set([408, 429, 500, 502, 503, 504]);

export interface MlflowApi {
  /** Without a name and a password. */
  place: string;
  /** A reply's JSON. Throws `not_found` for what is not there, a route too. */
  get<T>(path: string, query?: Record<string, string | number | undefined>): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  /** The bytes of a reply. */
  bytes(path: string, query?: Record<string, string>): Promise<AsyncIterable<Uint8Array>>;
}

/** A client of the server at `place`, with the credentials that MLflow's own client would use: in the URL, or MLFLOW_TRACKING_USERNAME, _PASSWORD and _TOKEN. */
export function mlflowApi(place: string, env: NodeJS.ProcessEnv): MlflowApi {
  const url = new URL(place);
  const user = decodeURIComponent(url.username) || env.MLFLOW_TRACKING_USERNAME;
  const password = decodeURIComponent(url.password) || env.MLFLOW_TRACKING_PASSWORD;
  const headers: Record<string, string> =
    user !== undefined && user !== ''
      ? { authorization: `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}` }
      : env.MLFLOW_TRACKING_TOKEN
        ? { authorization: `Bearer ${env.MLFLOW_TRACKING_TOKEN}` }
        : {};
  url.username = '';
  url.password = '';
  const base = url.href.replace(/\/+$/, '');

  async function send(path: string, init: RequestInit): Promise<Response> {
    for (let tries = 1; ; tries++) {
      let failure: BinnacleError;
      try {
        const reply = await fetch(`${base}${path}`, { ...init, headers: { ...headers, ...(init.headers as Record<string, string>) } });
        if (reply.ok) return reply;
        failure = failed(base, path, reply.status, await reply.text());
        if (!AGAIN.has(reply.status)) throw failure;
      } catch (cause) {
        if (cause instanceof BinnacleError) throw cause;
        const why = (cause as { cause?: unknown }).cause;
        failure = unavailable('mlflow_unreachable', `MLflow does not answer at ${base}: ${messageOf(why ?? cause)}. ${WHICH_URL}`, { cause });
      }
      if (tries === TRIES) throw failure;
      await sleep(250 * 2 ** tries);
    }
  }
  const json = async <T>(path: string, init: RequestInit): Promise<T> => {
    const text = await (await send(path, init)).text();
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw invalid(
        'not_an_mlflow_server',
        `What answers at ${base} is no MLflow server: ${path} gives ${JSON.stringify(text.slice(0, 80))}, which is not JSON. ${WHICH_URL}`,
        { cause },
      );
    }
  };
  const withQuery = (path: string, query: Record<string, string | number | undefined> = {}): string => {
    const search = new URLSearchParams(
      Object.entries(query).flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, String(value)]])),
    ).toString();
    return search === '' ? path : `${path}?${search}`;
  };
  return {
    place: base,
    get: (path, query) => json(withQuery(path, query), {}),
    post: (path, body) => json(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    async bytes(path, query) {
      const { body } = await send(withQuery(path, query), {});
      return (body ?? new Blob([]).stream()) as unknown as AsyncIterable<Uint8Array>;
    },
  };
}

function failed(base: string, path: string, status: number, text: string): BinnacleError {
  let message = text.trimStart().startsWith('<') ? '' : text.slice(0, 300);
  try {
    message = (JSON.parse(text) as { message?: string }).message ?? message;
  } catch {
    // Text, or a page for people.
  }
  const what = `MLflow at ${base} answers ${path.split('?')[0]} with ${status}${message === '' ? '.' : `: ${message}`}`;
  if (status === 401 || status === 403)
    return denied('mlflow_denied', `${what} Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or MLFLOW_TRACKING_TOKEN).`);
  // MLflow says what is not there; a page says that nothing of MLflow's is.
  if (status === 404) return new BinnacleError('not_found', 'mlflow_not_found', message === '' ? `${what} ${WHICH_URL}` : what);
  if (AGAIN.has(status)) return unavailable('mlflow_failed', what);
  return invalid('mlflow_refused', what);
}

/** No server answered: it says nothing of what was asked for. */
export const isUnreachable = (error: unknown): boolean => error instanceof BinnacleError && error.code === 'mlflow_unreachable';

export const isMissing = (error: unknown): boolean => error instanceof BinnacleError && error.kind === 'not_found';

/** The items of all pages. `ask` gets the token of the page; a page without one is the last. */
export async function* pages<P extends { next_page_token?: string }>(ask: (token: string | undefined) => Promise<P>): AsyncIterable<P> {
  for (let token: string | undefined; ; ) {
    const page: P = await ask(token);
    yield page;
    if (page.next_page_token === undefined || page.next_page_token === '' || page.next_page_token === token) return;
    token = page.next_page_token;
  }
}
