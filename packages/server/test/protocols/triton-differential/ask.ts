import { send } from '../../support/serving.ts';
import type { Request } from './requests.ts';

export interface Seen {
  status: number;
  /** JSON where it is; with binary tensors behind it, JSON and their bytes in hex. */
  body: unknown;
}

export async function ask(url: string, { call, body, headers = {} }: Request): Promise<Seen> {
  const [method = '', path = ''] = call.split(' ');
  const payload = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const reply = await send(`${url}${path}`, { method, headers, ...(payload === undefined ? {} : { body: payload }) });
  const header = reply.headers['inference-header-content-length'];
  const size = header === undefined ? reply.body.length : Number(header);
  const text = reply.body.subarray(0, size).toString();
  let json: unknown = text;
  try {
    json = JSON.parse(text);
  } catch {
    // Not JSON: shown as it is.
  }
  return { status: reply.status, body: header === undefined ? json : [json, reply.body.subarray(size).toString('hex')] };
}

export const shown = ({ call, body, headers }: Request): string =>
  [
    call,
    body instanceof Uint8Array ? Buffer.from(body).toString('latin1') : body === undefined ? '' : JSON.stringify(body),
    headers === undefined ? '' : JSON.stringify(headers),
  ]
    .join(' ')
    .trim();
