import { expect, it } from 'vitest';
import type { Json } from './crowd.ts';

const CLIENTS = 32;

/** What clients that write side by side may count on, each of which sends everything twice as after an answer that was lost. */
export function concurrencySuite(address: () => string): void {
  async function post(path: string, payload: object, method = 'POST'): Promise<Json> {
    const response = await fetch(`${address()}/api/2.0/mlflow/${path}`, {
      method,
      body: JSON.stringify(payload),
      headers: { 'content-type': 'application/json' },
    });
    const body = (await response.json()) as Json;
    expect(response.status, JSON.stringify(body)).toBe(200);
    return body;
  }
  const get = async (path: string, query: Record<string, string>): Promise<Json> =>
    (await (await fetch(`${address()}/api/2.0/mlflow/${path}?${new URLSearchParams(query)}`)).json()) as Json;
  const twice = (path: string, payload: object, method?: string) => Promise.all([post(path, payload, method), post(path, payload, method)]);
  const newRun = async (): Promise<string> => (await post('runs/create', { experiment_id: '0', start_time: 1 })).run.info.run_id;
  const clients = <T>(each: (client: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: CLIENTS }, (_, client) => each(client)));

  it('lose and double nothing on one run and on many', async () => {
    const shared = await newRun();
    const { model } = await post('logged-models', { experiment_id: '0', name: 'shared' });
    const model_id: string = model.info.model_id;
    const own = await clients(async (client) => {
      const run_id = await newRun();
      for (let round = 0; round < 4; round++) {
        const metrics = Array.from({ length: 25 }, (_, i) => ({ key: 'm', value: client, timestamp: 5, step: (round * 25 + i) * CLIENTS + client }));
        const batch = { metrics, params: [{ key: `p${client}`, value: `${client}` }], tags: [{ key: `t${client}`, value: `${round}` }] };
        await Promise.all([twice('runs/log-batch', { run_id: shared, ...batch }), twice('runs/log-batch', { run_id, ...batch })]);
        await twice('runs/log-metric', { run_id: shared, key: `own/${client}`, value: round, timestamp: round, step: round });
      }
      await twice('runs/log-parameter', { run_id: shared, key: 'same', value: 'for all' });
      const dataset = { name: 'shared', digest: '1', source_type: 'local', source: 'here' };
      await twice('runs/log-inputs', { run_id: shared, datasets: [{ dataset }, { dataset: { ...dataset, name: `d${client}` } }], models: [{ model_id }] });
      await twice('runs/outputs', { run_id: shared, models: [{ model_id, step: 1 }] });
      await twice(`logged-models/${model_id}/params`, { params: [{ key: `p${client}`, value: 'x' }] });
      await twice(`logged-models/${model_id}/tags`, { tags: [{ key: `t${client}`, value: 'x' }] }, 'PATCH');
      await twice('experiments/set-experiment-tag', { experiment_id: '0', key: `c${client}`, value: 'x' });
      await twice('runs/update', { run_id, status: 'FINISHED', end_time: 9 });
      return run_id;
    });

    const { run } = await get('runs/get', { run_id: shared });
    expect(run.data.params).toHaveLength(CLIENTS + 1);
    expect(run.data.tags.filter((tag: Json) => tag.key !== 'mlflow.runName').every((tag: Json) => tag.value === '3')).toBe(true);
    expect(run.data.metrics).toHaveLength(CLIENTS + 1);
    expect(run.inputs.dataset_inputs).toHaveLength(CLIENTS + 1);
    expect(run.inputs.model_inputs).toEqual([{ model_id }]);
    expect(run.outputs.model_outputs).toEqual([{ model_id, step: 1 }]);
    const steps = (await get('metrics/get-history', { run_id: shared, metric_key: 'm' })).metrics.map((point: Json) => point.step);
    expect(steps).toEqual(Array.from({ length: 100 * CLIENTS }, (_, i) => i));
    for (const [client, run_id] of own.entries()) {
      expect((await get('metrics/get-history', { run_id, metric_key: 'm' })).metrics).toHaveLength(100);
      expect((await get('metrics/get-history', { run_id: shared, metric_key: `own/${client}` })).metrics).toHaveLength(4);
      expect((await get('runs/get', { run_id })).run.info).toMatchObject({ status: 'FINISHED', end_time: 9 });
    }
    const kept = (await get(`logged-models/${model_id}`, {})).model;
    expect([kept.data.params.length, kept.info.tags.length]).toEqual([CLIENTS, CLIENTS]);
    expect((await get('experiments/get', { experiment_id: '0' })).experiment.tags).toHaveLength(CLIENTS);
  });

  it('get one experiment of a name, and every page of a search holds each run once while others are made', async () => {
    const answers = await clients(
      async () => (await fetch(`${address()}/api/2.0/mlflow/experiments/create`, { method: 'POST', body: '{"name":"wanted"}' })).status,
    );
    expect(answers.filter((status) => status === 200)).toHaveLength(1);
    expect(answers.filter((status) => status === 400)).toHaveLength(CLIENTS - 1);

    const { experiment_id } = await post('experiments/create', { name: 'paged' });
    const before = await clients(async (client) => (await post('runs/create', { experiment_id, start_time: 1000 + client })).run.info.run_id as string);
    const enough = new AbortController();
    const maker = (async () => {
      for (let i = 0; !enough.signal.aborted; i++) await post('runs/create', { experiment_id, start_time: 500 + ((i * 37) % 1100) });
    })();
    const seen: string[] = [];
    let page_token: string | undefined;
    do {
      const page = await post('runs/search', { experiment_ids: [experiment_id], max_results: 3, ...(page_token === undefined ? {} : { page_token }) });
      seen.push(...page.runs.map((run: Json) => run.info.run_id));
      page_token = page.next_page_token;
      if (seen.length > 200) enough.abort();
    } while (page_token);
    enough.abort();
    await maker;
    expect(new Set(seen).size).toBe(seen.length);
    expect(before.every((run_id) => seen.includes(run_id))).toBe(true);
  });

  it('turn pages of experiments, logged models and histories that neither repeat nor skip while others insert', async () => {
    const { experiment_id } = await post('experiments/create', { name: 'pages' });
    const run_id = await newRun();
    const insert = {
      'experiments/search': (i: number) => post('experiments/create', { name: `page ${String(i).padStart(3, '0')}` }),
      'logged-models/search': (i: number) => post('logged-models', { experiment_id, name: `page ${String(i).padStart(3, '0')}` }),
      'metrics/get-history': (i: number) => post('runs/log-metric', { run_id, key: 'paged', value: i, timestamp: i }),
    };
    const page = {
      'experiments/search': (more: object) => post('experiments/search', { filter: "name LIKE 'page %'", order_by: ['name'], max_results: 4, ...more }),
      'logged-models/search': (more: object) =>
        post('logged-models/search', { experiment_ids: [experiment_id], order_by: [{ field_name: 'name' }], max_results: 4, ...more }),
      'metrics/get-history': (more: object) => get('metrics/get-history', { run_id, metric_key: 'paged', max_results: '4', ...more }),
    };
    for (const path of Object.keys(insert) as (keyof typeof insert)[]) {
      for (let i = 0; i < 40; i += 2) await insert[path](i);
      const seen: string[] = [];
      let page_token: string | undefined;
      for (let turn = 0; turn === 0 || page_token; turn++) {
        const found = await page[path](page_token === undefined ? {} : { page_token });
        const items: Json[] = found.experiments ?? found.models ?? found.metrics;
        seen.push(...items.map((item) => item.name ?? item.info?.name ?? String(item.value)));
        page_token = found.next_page_token;
        // Before, on and after the edge between this page and the next.
        if (turn < 4) await Promise.all([turn * 2 + 1, turn * 8 + 7, 39 - turn * 2].map((i) => insert[path](i).catch(() => {})));
      }
      expect(new Set(seen).size, path).toBe(seen.length);
      for (let i = 0; i < 40; i += 2) expect(seen, path).toContain(path === 'metrics/get-history' ? String(i) : `page ${String(i).padStart(3, '0')}`);
      expect(seen, path).toEqual([...seen].sort((a, b) => a.length - b.length || (a < b ? -1 : 1)));
    }
  });

  it('number the versions of a model without a gap, and set its tags and aliases once', async () => {
    const made = await clients(
      async () => (await fetch(`${address()}/api/2.0/mlflow/registered-models/create`, { method: 'POST', body: '{"name":"many"}' })).status,
    );
    expect(made.filter((status) => status === 200)).toHaveLength(1);
    const versions = await clients(async (client) => {
      const { model_version } = await post('model-versions/create', { name: 'many', source: `s3://b/${client}`, tags: [{ key: 'by', value: `${client}` }] });
      await twice('registered-models/set-tag', { name: 'many', key: `t${client}`, value: 'x' });
      await twice('model-versions/set-tag', { name: 'many', version: model_version.version, key: 'own', value: `${client}` });
      await twice('registered-models/alias', { name: 'many', alias: `a${client}`, version: model_version.version });
      await twice('registered-models/alias', { name: 'many', alias: 'champion', version: model_version.version });
      return Number(model_version.version);
    });
    expect([...versions].sort((a, b) => a - b)).toEqual(Array.from({ length: CLIENTS }, (_, i) => i + 1));
    const { registered_model } = await get('registered-models/get', { name: 'many' });
    expect([registered_model.tags.length, registered_model.aliases.length]).toEqual([CLIENTS, CLIENTS + 1]);
    const { model_versions } = await get('model-versions/search', { filter: "name = 'many'" });
    for (const { version, source, tags } of model_versions as Json[]) {
      const client = `${versions.indexOf(Number(version))}`;
      expect({ source, tags: tags.map((tag: Json) => `${tag.key}=${tag.value}`).sort() }).toEqual({
        source: `s3://b/${client}`,
        tags: [`by=${client}`, `own=${client}`],
      });
    }
  });
}
