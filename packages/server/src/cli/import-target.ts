import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Client } from '@binnacle/sdk';
import { looseNumber } from '../kernel/index.ts';
import type { ImportTarget } from '../transfer/index.ts';
import { STREAMED } from './streamed.ts';

type Search = { runs?: { info: { run_id: string }; data?: { tags?: { key: string; value: string }[] } }[]; next_page_token?: string };

/** A Binnacle that an import writes to, over its native API and, for files and tags, MLflow's. */
export function importTarget(client: Client): ImportTarget {
  const post = async <T>(path: string, body: unknown): Promise<T> => {
    const reply = await client.request(`/api/2.0/mlflow/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    return (await reply.json()) as T;
  };
  const artifactRoots = new Map<string, string>();
  const rootOf = async (runId: string): Promise<string> => {
    const known = artifactRoots.get(runId) ?? (await client.call('getRun', { params: { runId } })).artifactUri.replace(/^mlflow-artifacts:\/*/, '');
    artifactRoots.set(runId, known);
    return known;
  };
  return {
    async runsByTag(experiment, key) {
      const found = new Map<string, { runId: string; tags: Record<string, string> }>();
      const name = experiment.includes("'") ? `"${experiment}"` : `'${experiment}'`;
      const { experiments = [] } = await post<{ experiments?: { experiment_id: string }[] }>('experiments/search', {
        filter: `name = ${name}`,
        view_type: 'ALL',
        max_results: 10,
      });
      if (experiments.length === 0) return found;
      let token: string | undefined;
      do {
        const page: Search = await post('runs/search', {
          experiment_ids: experiments.map(({ experiment_id }) => experiment_id),
          filter: `tags.\`${key}\` != ''`,
          run_view_type: 'ALL',
          max_results: 1000,
          ...(token === undefined ? {} : { page_token: token }),
        });
        for (const { info, data } of page.runs ?? []) {
          const tags = Object.fromEntries((data?.tags ?? []).map((tag) => [tag.key, tag.value]));
          if (tags[key] !== undefined) found.set(tags[key], { runId: info.run_id, tags });
        }
        token = page.next_page_token;
      } while (token !== undefined && token !== '');
      return found;
    },
    async createRun({ experiment, name, startedAt, user, tags }) {
      const body = { experiment, name, user: user.slice(0, 250), tags, ...(startedAt === null ? {} : { startedAt }) };
      return (await client.call('createRun', { body })).id;
    },
    async log(runId, { metrics = [], ...others }) {
      await client.call('logBatch', {
        params: { runId },
        body: { metrics: metrics.map((point) => ({ ...point, value: looseNumber(point.value) })), ...others },
      });
    },
    async fork(runId, fork, tags) {
      await client.call('updateRun', { params: { runId }, body: { fork, tags } });
    },
    async finish(runId, { status, endedAt, note, tags }) {
      await client.call('updateRun', { params: { runId }, body: { status, endedAt, tags, ...(note === null ? {} : { note: note.slice(0, 100_000) }) } });
    },
    async putFile(runId, path, body) {
      const url = `/api/2.0/mlflow-artifacts/artifacts/${[await rootOf(runId), ...path.split('/')].map((part, i) => (i === 0 ? part : encodeURIComponent(part))).join('/')}`;
      const stream = 'file' in body ? createReadStream(body.file) : Readable.from(encoded(body.text));
      const length = 'file' in body ? { 'content-length': String((await stat(body.file)).size) } : {};
      await client.request(url, { method: 'PUT', body: Readable.toWeb(stream) as ReadableStream, headers: length, ...STREAMED } as RequestInit);
    },
    async modelTag(model, key) {
      try {
        return (await client.call('getModel', { params: { model } })).tags[key] ?? '';
      } catch (error) {
        if ((error as { status?: number }).status === 404) return undefined;
        throw error;
      }
    },
    async registerModel({ tags, ...model }) {
      await client.call('importModel', { body: { ...model, description: model.description.slice(0, 100_000), tags: pairs(tags) } });
    },
    registerVersion({ tags, ...version }) {
      const body = { ...version, description: version.description.slice(0, 100_000), runLink: null, loggedModelId: null, tags: pairs(tags) };
      return client.call('importVersion', { body });
    },
  };
}

const pairs = (record: Record<string, string>) => Object.entries(record).map(([key, value]) => ({ key, value }));

async function* encoded(text: AsyncIterable<string>): AsyncIterable<Uint8Array> {
  for await (const piece of text) yield Buffer.from(piece);
}
