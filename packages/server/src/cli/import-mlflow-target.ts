import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { BinnacleApiError, type Client } from '@binnacle/sdk';
import { proxiedPath } from '../artifacts/index.ts';
import { looseNumber } from '../kernel/index.ts';
import type { MlflowTarget, SourceSeries } from '../transfer/index.ts';
import { STREAMED } from './streamed.ts';

const PROXY = '/api/2.0/mlflow-artifacts/artifacts';
const rootOf = (uri: string): string => proxiedPath(uri) ?? uri;
const columns = (series: SourceSeries[]) => series.map((one) => ({ ...one, values: one.values.map(looseNumber) }));

type TargetRuns = Parameters<MlflowTarget['importRuns']>[0];

/** One run that is refused must not keep its neighbours out: those of a request that is refused are sent by themselves. */
async function importRuns(client: Client, runs: TargetRuns): ReturnType<MlflowTarget['importRuns']> {
  try {
    return (await client.call('importRuns', { body: { runs: runs.map(({ series, ...run }) => ({ ...run, series: columns(series) })) } })).results;
  } catch (error) {
    if (!(error instanceof BinnacleApiError) || (error.status !== 400 && error.status !== 413)) throw error;
    const [only] = runs;
    if (runs.length === 1 && only !== undefined)
      return [{ runId: only.runId, outcome: 'failed', kept: [], artifactUri: null, points: 0, problem: error.detail }];
    const results: Awaited<ReturnType<typeof importRuns>> = [];
    for (const run of runs) results.push(...(await importRuns(client, [run])));
    return results;
  }
}

/** Tries of a request that a busy server turned away: hours of reading should not end by it. */
const TRIES = 6;

function patient(client: Client): Client {
  const again = async <T>(send: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        return await send();
      } catch (error) {
        if (tries === TRIES || !(error instanceof BinnacleApiError) || (error.status !== 429 && error.status !== 503)) throw error;
        await sleep(200 * 2 ** tries);
      }
    }
  };
  // Every call may be done again without harm; a file's bytes are read once, and are not sent again.
  return { ...client, call: ((...args: Parameters<Client['call']>) => again(() => client.call(...args))) as Client['call'] };
}

/** A Binnacle that takes what comes from an MLflow, over its API. */
export function mlflowTarget(plain: Client): MlflowTarget {
  const client = patient(plain);
  return {
    async known(kind, ids) {
      const found = new Map<string, string | null>();
      for (let at = 0; at < ids.length; at += 1000)
        for (const { id, digest } of (await client.call('listImported', { body: { kind, ids: ids.slice(at, at + 1000) } })).known) found.set(id, digest);
      return found;
    },
    async finish(kind, done) {
      if (done.length > 0) await client.call('finishImport', { body: { kind, done } });
    },
    importExperiment: (body) => client.call('importExperiment', { body }),
    importRuns: (runs) => importRuns(client, runs),
    importPoints: async (runId, series) => (await client.call('importPoints', { params: { runId }, body: { series: columns(series) } })).points,
    importLoggedModel: (body) => client.call('importLoggedModel', { body }),
    importModel: (body) => client.call('importModel', { body }),
    importVersion: (body) => client.call('importVersion', { body: { ...body, loggedModelId: null } }),
    importAliases: (model, aliases) => client.call('importAliases', { body: { model, aliases } }),
    async artifactUri(kind, id) {
      try {
        if (kind === 'run') return (await client.call('getRun', { params: { runId: id } })).artifactUri;
        const reply = await client.request(`/api/2.0/mlflow/logged-models/${encodeURIComponent(id)}`);
        return ((await reply.json()) as { model: { info: { artifact_uri: string } } }).model.info.artifact_uri;
      } catch (error) {
        if (error instanceof BinnacleApiError && error.status === 404) return undefined;
        throw error;
      }
    },
    async listFiles(uri) {
      const files = new Map<string, number>();
      const folders = [''];
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        const path = folder === '' ? rootOf(uri) : `${rootOf(uri)}/${folder}`;
        const reply = await client.request(`${PROXY}?path=${encodeURIComponent(path)}`);
        const { files: entries } = (await reply.json()) as { files: { path: string; is_dir: boolean; file_size?: number }[] };
        for (const entry of entries) {
          const name = folder === '' ? entry.path : `${folder}/${entry.path}`;
          if (entry.is_dir) folders.push(name);
          else files.set(name, entry.file_size ?? 0);
        }
      }
      return files;
    },
    async putFile(uri, path, body, size) {
      const hash = createHash('sha256');
      let bytes = 0;
      async function* counted(): AsyncIterable<Uint8Array> {
        for await (const chunk of body) {
          hash.update(chunk);
          bytes += chunk.length;
          yield chunk;
        }
        if (size !== null && bytes !== size) throw new Error(`it has ${bytes} bytes, and was listed with ${size}: it changed while it was read`);
      }
      const url = `${PROXY}/${[...rootOf(uri).split('/'), ...path.split('/')].map(encodeURIComponent).join('/')}`;
      const reply = await client.request(url, {
        method: 'PUT',
        body: Readable.toWeb(Readable.from(counted())) as ReadableStream,
        ...STREAMED,
        ...(size === null ? {} : { headers: { 'content-length': String(size) } }),
      } as RequestInit);
      const stored = /sha-256=:([^:]*):/.exec(reply.headers.get('repr-digest') ?? '')?.[1];
      if (stored !== undefined && stored !== hash.digest('base64')) {
        // It would be taken for the file by the next import, which compares lengths.
        await client.request(url, { method: 'DELETE' });
        throw new Error('what arrived is not what was sent, and was removed; import again');
      }
      return bytes;
    },
  };
}
