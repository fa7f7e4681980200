import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { EntryKey, SeriesEntry } from '@binnacle/contract';
import type { Client } from '@binnacle/sdk';
import { conflict, newId } from '../../kernel/index.ts';
import type { ExportColumn, TablesOut } from '../../transfer/index.ts';
import { allPages } from '../all-pages.ts';
import { type ConnectFlags, connect } from '../connect.ts';
import { count, print, printJson, progressBar } from '../output.ts';

interface Pair {
  key: string;
  value: string;
}
interface Experiment {
  experiment_id: string;
  name: string;
  lifecycle_stage: string;
  creation_time: number;
}
interface Run {
  info: {
    run_id: string;
    experiment_id: string;
    run_name: string;
    user_id: string;
    status: string;
    start_time: number;
    end_time?: number | null;
    lifecycle_stage: string;
    artifact_uri: string;
  };
  data: { params?: Pair[]; tags?: Pair[] };
}

const columns = (text: string): ExportColumn[] =>
  text.split(' ').map((part) => {
    const [name = '', type = 'text'] = part.split(':');
    return { name, type: type as ExportColumn['type'] };
  });
const TABLES: Record<string, ExportColumn[]> = {
  experiments: columns('experiment_id name lifecycle_stage created_ms:integer'),
  runs: columns('run_id experiment_id name user status started_ms:integer ended_ms:integer lifecycle_stage artifact_uri fork_run_id fork_step:number'),
  params: columns('run_id key value'),
  tags: columns('run_id key value'),
  metrics: columns('run_id key step:number timestamp_ms:integer value:number'),
  entries: columns('run_id key kind step:number timestamp_ms:integer value size:integer'),
};

/** Writes experiments, runs, params, tags, metrics and entries of other series as Parquet and the registry as JSON; the folder gets its name when all is in it. */
export async function exportTo(options: ConnectFlags & { to: string; json?: true | undefined }): Promise<void> {
  const target = resolve(options.to);
  if (existsSync(target)) throw conflict('export_exists', `${target} exists already. Choose another name, or remove it first.`);
  const aside = `${target}.partial-${newId().slice(0, 8)}`;
  await mkdir(aside, { recursive: true });
  try {
    const { client, close } = await connect(options);
    let written: Record<string, number>;
    try {
      const { openParquetExport } = await import('../../compose/parquet-export.ts');
      const out = await openParquetExport(aside);
      try {
        for (const [name, of] of Object.entries(TABLES)) await out.create(name, of);
        written = await exportTracking(client, out);
      } catch (error) {
        await out.close();
        throw error;
      }
      await out.finish();
      const registry = await readRegistry(client);
      await writeFile(`${aside}/registry.json`, JSON.stringify(registry, null, 2), { flush: true });
      written = { ...written, models: registry.models.length, versions: registry.versions.length };
    } finally {
      await close();
    }
    if (existsSync(target)) throw conflict('export_exists', `${target} exists already. Choose another name, or remove it first.`);
    await rename(aside, target);
    if (options.json) printJson({ path: target, ...written });
    else print(target);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}

async function exportTracking(client: Client, out: TablesOut): Promise<Record<string, number>> {
  const written = { experiments: 0, runs: 0, params: 0, tags: 0, points: 0, entries: 0 };
  const experiments = await allPages<Experiment>(async (page_token, max_results) => {
    const page = await mlflow<{ experiments?: Experiment[]; next_page_token?: string }>(client, 'experiments/search', {
      view_type: 'ALL',
      max_results,
      page_token,
    });
    return { items: page.experiments ?? [], nextPageToken: page.next_page_token };
  }, 1000);
  out.append(
    'experiments',
    experiments.map((e) => [e.experiment_id, e.name, e.lifecycle_stage, Number(e.creation_time)]),
  );
  written.experiments = experiments.length;
  const bar = progressBar('export');
  for (const { experiment_id } of experiments) {
    let page_token: string | undefined;
    do {
      const page = await mlflow<{ runs?: Run[]; next_page_token?: string }>(client, 'runs/search', {
        experiment_ids: [experiment_id],
        run_view_type: 'ALL',
        max_results: 500,
        page_token,
      });
      for (const { info, data } of page.runs ?? []) {
        const id = info.run_id;
        const { fork, entryKeys } = await client.call('getRun', { params: { runId: id } });
        const forked = [fork?.runId ?? null, fork?.step ?? null];
        out.append('runs', [
          [
            id,
            info.experiment_id,
            info.run_name,
            info.user_id,
            info.status,
            info.start_time,
            info.end_time || null,
            info.lifecycle_stage,
            info.artifact_uri,
            ...forked,
          ],
        ]);
        for (const table of ['params', 'tags'] as const) {
          const rows = (data[table] ?? []).map(({ key, value }) => [id, key, value]);
          out.append(table, rows);
          written[table] += rows.length;
        }
        written.points += await exportMetrics(client, out, id);
        if (entryKeys.string + entryKeys.histogram + entryKeys.file > 0) written.entries += await exportEntries(client, out, id);
        written.runs++;
        bar.update(written.runs, null, 'runs');
      }
      page_token = page.next_page_token;
    } while (page_token !== undefined && page_token !== '');
  }
  bar.end(`${count(written.runs)} runs, ${count(written.points)} points`);
  return written;
}

/** A run's own points: those that a fork inherits are its parent's. */
async function exportMetrics(client: Client, out: TablesOut, runId: string): Promise<number> {
  const keys = await allPages<{ key: string; inherited: boolean }>(async (pageToken, limit) => {
    const page = await client.call('listMetricKeys', { params: { runId }, query: { limit, ...token(pageToken) } });
    return { items: page.metrics, nextPageToken: page.nextPageToken };
  }, 1000);
  let written = 0;
  for (const { key, inherited } of keys) {
    let pageToken: string | undefined;
    if (inherited) continue;
    do {
      const page = await client.call('getMetricHistory', { params: { runId }, query: { key, ...token(pageToken) } });
      out.append(
        'metrics',
        page.points.map(({ step, timestamp, value }) => [runId, key, step, timestamp, Number(value)]),
      );
      written += page.points.length;
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
  }
  return written;
}

/** A run's own entries of series of strings, histograms and files. */
async function exportEntries(client: Client, out: TablesOut, runId: string): Promise<number> {
  const keys = await allPages<EntryKey>(async (pageToken, limit) => {
    const page = await client.call('listEntryKeys', { params: { runId }, query: { limit, ...token(pageToken) } });
    return { items: page.keys, nextPageToken: page.nextPageToken };
  }, 1000);
  let written = 0;
  for (const { key, kind, inherited } of keys) {
    let pageToken: string | undefined;
    if (inherited) continue;
    do {
      const page = await client.call('getEntries', { params: { runId }, query: { key, kind, limit: 1000, ...token(pageToken) } });
      const own = page.entries.filter((entry) => !entry.inherited);
      out.append(
        'entries',
        own.map(({ step, timestamp, value }) => [runId, key, kind, step, timestamp, ...valueColumns(value)]),
      );
      written += own.length;
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
  }
  return written;
}

/** The value as text, and the bytes of the file that it names. */
function valueColumns(value: SeriesEntry['value']): [string, number | null] {
  if (typeof value === 'string') return [value, null];
  return 'path' in value ? [value.path, value.size] : [JSON.stringify(value), null];
}

const token = (pageToken: string | undefined) => (pageToken === undefined ? {} : { pageToken });

async function readRegistry(client: Client): Promise<{ models: unknown[]; versions: unknown[] }> {
  const all = (path: string, field: string) =>
    allPages<unknown>(async (token, limit) => {
      const query = new URLSearchParams({ max_results: String(limit), ...(token === undefined ? {} : { page_token: token }) });
      const page = (await (await client.request(`/api/2.0/mlflow/${path}?${query.toString()}`)).json()) as Record<string, unknown>;
      return { items: (page[field] as unknown[] | undefined) ?? [], nextPageToken: page['next_page_token'] as string | undefined };
    }, 1000);
  return { models: await all('registered-models/search', 'registered_models'), versions: await all('model-versions/search', 'model_versions') };
}

async function mlflow<T>(client: Client, path: string, body: unknown): Promise<T> {
  const reply = await client.request(`/api/2.0/mlflow/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  return (await reply.json()) as T;
}
