import type { Client } from '@binnacle/sdk';

/** MLflow's REST protocol, the few calls that its Python client makes for `train.py`. */
export interface Mlflow {
  get<T>(path: string, query: Record<string, string>): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  patch<T>(path: string, body: unknown): Promise<T>;
  /** Uploads one file below an `mlflow-artifacts:/` address, through the artifact proxy. */
  putArtifact(root: string, path: string, content: Uint8Array<ArrayBuffer>): Promise<void>;
}

export function mlflow(client: Client): Mlflow {
  const json = async <T>(method: string, path: string, body: unknown): Promise<T> => {
    const reply = await client.request(`/api/2.0/mlflow/${path}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    return (await reply.json()) as T;
  };
  return {
    get: async <T>(path: string, query: Record<string, string>) =>
      (await (await client.request(`/api/2.0/mlflow/${path}?${new URLSearchParams(query).toString()}`)).json()) as T,
    post: (path, body) => json('POST', path, body),
    patch: (path, body) => json('PATCH', path, body),
    async putArtifact(root, path, content) {
      const target = `${proxyPath(root)}/${path}`.split('/').map(encodeURIComponent).join('/');
      const reply = await client.request(`/api/2.0/mlflow-artifacts/artifacts/${target}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/octet-stream' },
        body: content,
      });
      await reply.arrayBuffer();
    },
  };
}

/** `mlflow-artifacts:/1/x/artifacts` or `mlflow-artifacts://host/1/x/artifacts` → `1/x/artifacts`. */
export function proxyPath(uri: string): string {
  const match = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.*?)\/*$/.exec(uri);
  if (match?.[1] === undefined) throw new Error(`${uri} is not an address of the artifact proxy.`);
  return match[1];
}

export const pairs = (record: Record<string, string>): { key: string; value: string }[] => Object.entries(record).map(([key, value]) => ({ key, value }));
