import { isElsewhere, proxiedPath } from '../../artifacts/index.ts';
import { messageOf } from '../../kernel/index.ts';
import type { FileOwner, SourceFile } from '../../transfer/index.ts';
import { isMissing, isUnreachable, type MlflowApi } from './api.ts';

interface Entry {
  path: string;
  is_dir?: boolean;
  file_size?: number | string;
}
interface Listing {
  files?: Entry[];
  next_page_token?: string;
}

/** How the files of an owner are listed and read: names below its folder. */
interface Reader {
  list(folder: string, token: string | undefined): Promise<Listing>;
  open(path: string): Promise<AsyncIterable<Uint8Array>>;
}

/** Owners whose files could not be listed, and none that could, before a store is taken for one that the server cannot read. */
const FAILURES = 3;

/**
 * Reads artifacts through the server, wherever it keeps them. A store that it cannot read (no credentials, no driver) is asked a few times, not for every owner;
 * one that was ever read is asked for each. Throws when there is no server to ask.
 */
export function fileReader(api: MlflowApi): (owner: FileOwner) => Promise<{ files: SourceFile[] } | { unreadable: string; elsewhere: boolean }> {
  const stores = new Map<string, { read: boolean; failures: number; why: string }>();
  return async (owner) => {
    const name = /^[a-z][a-z0-9+.-]*:\/\/[^/]*/i.exec(owner.uri)?.[0] ?? owner.uri.split('/').slice(0, -3).join('/');
    const elsewhere = isElsewhere(owner.uri);
    const store = stores.get(name) ?? { read: false, failures: 0, why: '' };
    stores.set(name, store);
    if (!store.read && store.failures >= FAILURES) return { unreadable: store.why, elsewhere };
    try {
      const files = await filesOf(readerOf(api, owner));
      store.read = true;
      return { files };
    } catch (error) {
      if (isUnreachable(error)) throw error;
      const why = messageOf(error);
      // What is missing says nothing of others.
      if (!isMissing(error)) Object.assign(store, { failures: store.failures + 1, why });
      return { unreadable: why, elsewhere };
    }
  };
}

async function filesOf(reader: Reader): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    let token: string | undefined;
    do {
      const page: Listing = await reader.list(folder, token);
      for (const { path, is_dir, file_size } of page.files ?? []) {
        const name = folder === '' ? path : `${folder}/${path}`;
        if (is_dir === true) folders.push(name);
        else files.push({ path: name, size: file_size === undefined ? null : Number(file_size), open: () => reader.open(name) });
      }
      token = page.next_page_token || undefined;
    } while (token !== undefined);
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function readerOf(api: MlflowApi, { kind, id, uri }: FileOwner): Reader {
  const proxied = proxiedPath(uri);
  if (proxied !== undefined) {
    const place = (path: string) => (path === '' ? proxied : `${proxied}/${path}`);
    return {
      list: (folder) => api.get<Listing>('/api/2.0/mlflow-artifacts/artifacts', { path: place(folder) }),
      open: (path) => api.bytes(`/api/2.0/mlflow-artifacts/artifacts/${place(path).split('/').map(encodeURIComponent).join('/')}`),
    };
  }
  // Names come whole there, below the root.
  const below = (folder: string, page: Listing): Listing => ({
    ...page,
    files: (page.files ?? []).map((entry) => ({ ...entry, path: folder === '' ? entry.path : entry.path.slice(folder.length + 1) })),
  });
  if (kind === 'run')
    return {
      list: async (folder, token) =>
        below(folder, await api.get<Listing>('/api/2.0/mlflow/artifacts/list', { run_id: id, path: folder === '' ? undefined : folder, page_token: token })),
      open: (path) => api.bytes('/get-artifact', { run_id: id, path }),
    };
  return {
    list: async (folder, token) =>
      below(
        folder,
        await api.get<Listing>(`/api/2.0/mlflow/logged-models/${id}/artifacts/directories`, {
          artifact_directory_path: folder === '' ? undefined : folder,
          page_token: token,
        }),
      ),
    open: (path) => api.bytes(`/ajax-api/2.0/mlflow/logged-models/${id}/artifacts/files`, { artifact_file_path: path }),
  };
}
