/** One request: `POST experiments/create`, its fields (or a raw body), and what to remember of the reply: `$name` in later requests → where it stands (`run.info.run_id`). */
export type Step = [call: string, fields?: Fields | string, save?: Record<string, string>];
type Fields = Record<string, unknown>;
export interface Reply {
  step: string;
  status: number;
  body: unknown;
}

/** Sends the steps to a server one after the other and returns its replies without what cannot be the same on two servers. */
export async function replay(url: string, steps: Step[]): Promise<Reply[]> {
  const saved = new Map<string, string>();
  const replies: Reply[] = [];
  for (const [call, fields = {}, save = {}] of steps) {
    const [method = '', path = ''] = fill(call, saved).split(' ');
    const payload = typeof fields === 'string' ? fields : fill(JSON.stringify(fields), saved);
    const response = await fetch(address(url, path, method, payload), {
      method,
      ...(method === 'GET' ? {} : { body: payload, headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    const body: unknown = text.startsWith('{') ? JSON.parse(text) : `not JSON: ${response.headers.get('content-type')}`;
    for (const [name, at] of Object.entries(save))
      saved.set(name, at.split('.').reduce((value: unknown, key) => (value as Fields | undefined)?.[key], body) as string);
    replies.push({
      step: `${call} ${typeof fields === 'string' ? fields : JSON.stringify(fields)}`.replace(LONG, shorten).slice(0, 300),
      status: response.status,
      body: normal(body, saved),
    });
  }
  return replies;
}

/** The same character again and again: how often tells enough. */
const LONG = /(.)\1{30,}/gu;
const shorten = (long: string, char: string): string => `${char}*${[...long].length}`;

function address(url: string, path: string, method: string, payload: string): URL {
  const address = new URL(path.startsWith('/') ? path : `/api/2.0/mlflow/${path}`, url);
  if (method !== 'GET') return address;
  for (const [name, value] of Object.entries(JSON.parse(payload) as Fields)) for (const item of [value].flat()) address.searchParams.append(name, String(item));
  return address;
}

const fill = (text: string, saved: Map<string, string>): string => text.replace(/\$(\w+)/g, (whole, name: string) => saved.get(name) ?? whole);

/** What only Databricks and workspaces have; empty lists and texts, which protobuf leaves out or not; why our versions can or cannot be served. */
function isNoise(message: object, name: string, value: unknown): boolean {
  if (['error_class', 'sqlstate', 'workspace', 'status_message'].includes(name)) return true;
  if (['description', 'outputs', 'inputs'].includes(name))
    return value === '' || Object.values(value as object).every((list) => Array.isArray(list) && list.length === 0);
  // MLflow leaves aliases out of some of its answers.
  if ('current_stage' in message && (name === 'aliases' || name === 'model_id')) return true;
  return Array.isArray(value) && value.length === 0;
}

function normal(value: unknown, saved: Map<string, string>, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => normal(item, saved));
    return ['tags', 'params', 'metrics', 'aliases', 'model_outputs', 'latest_versions'].includes(key)
      ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      : items;
  }
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name, item]) => !isNoise(value, name, item))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, item]) => [name, normal(item, saved, name)]),
    );
  // A moment of this test, not one that a request gave.
  if (typeof value === 'number' && value > 1.7e12 && value < 1e13) return '<now>';
  if (typeof value !== 'string') return value;
  // MLflow forgets that an upload failed.
  if (value === 'LOGGED_MODEL_UPLOAD_FAILED') return 'LOGGED_MODEL_STATUS_UNSPECIFIED';
  // A list of what was logged, in the order of some dictionary.
  if (value.startsWith('[{"') && value.includes('utc_time_created')) return '<models>';
  if (key === 'next_page_token') return value === '' ? '' : '<token>';
  let text = value.replace(/x{1000,}/g, (long) => `x*${long.length}`);
  // Python's JSON escapes what is not ASCII.
  if (key === 'message') text = text.replace(/\\u([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  // Python writes sets in any order, and closes one quote too few around some.
  if (key === 'message') text = text.replace(/'?\{('[^{}]*')\}'?/g, (_, items: string) => `{${items.split(', ').sort().join(', ')}}`);
  for (const [name, id] of saved)
    if (typeof id === 'string' && id.length > 2)
      // A short one may also be part of a long one.
      text = id.length > 8 ? text.replaceAll(id, `$${name}`) : text === id ? `$${name}` : text.replaceAll(`/${id}/`, `/$${name}/`);
  return text;
}
