import { expect, it } from 'vitest';
import type { Json } from './crowd.ts';
import { seeded } from './seeded.ts';

interface Kind {
  /** Makes an item whose place in the order is drawn, and returns what names it. */
  make(name: string, place: number): Promise<string>;
  remove(item: string): Promise<unknown>;
  /** Changes what no order here sorts by. */
  touch(item: string): Promise<unknown>;
  /** Ways to list them all, by what they sort by: a page of five after a token. */
  lists: Record<string, (token: string | undefined) => Promise<{ items: string[]; next: string | undefined }>>;
}

const STABLE = 24;
const DOOMED = 8;
const MAX_NEW = 40;

/**
 * Pages hold every item that was there throughout exactly once, and no item twice, while others insert before, on and behind the page's edge, delete and change.
 * Orders by what a change moves (the last activity) are walked beside inserts and deletions only.
 */
export function pagesSuite(address: () => string): void {
  const call = async (method: string, path: string, body?: object): Promise<Json> => {
    const response = await fetch(`${address()}/api/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const json = (await response.json()) as Json;
    expect(response.status, `${path} ${JSON.stringify(json)}`).toBe(200);
    return json;
  };
  const mlflow = (path: string, body: object, method = 'POST') => call(method, `2.0/mlflow/${path}`, body);
  const native = (path: string, query: Record<string, string | undefined>) =>
    call('GET', `binnacle/v1/${path}?${new URLSearchParams(Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined))}`);
  const token = (page_token: string | undefined): Record<string, string> => (page_token === undefined ? {} : { page_token });

  async function runsOf(name: string): Promise<Kind> {
    const { experiment_id } = await mlflow('experiments/create', { name });
    const list =
      (...order_by: string[]) =>
      async (after: string | undefined) => {
        const page = await mlflow('runs/search', { experiment_ids: [experiment_id], max_results: 5, order_by, ...token(after) });
        return { items: (page.runs ?? []).map((run: Json) => run.info.run_id as string), next: page.next_page_token as string | undefined };
      };
    return {
      async make(run_name, place) {
        const { run } = await mlflow('runs/create', { experiment_id, run_name, start_time: 1 + (place % 5) });
        const run_id: string = run.info.run_id;
        // Some have no value, some no number.
        const metrics = place % 4 === 0 ? [] : [{ key: 'm', value: place % 7 === 0 ? 'NaN' : place % 3, timestamp: 1, step: 1 }];
        await mlflow('runs/log-batch', { run_id, metrics, params: place % 3 === 0 ? [] : [{ key: 'p', value: 'x'.repeat(300 * (place % 2)) + (place % 4) }] });
        if (place % 2 === 0) await mlflow('runs/update', { run_id, status: 'FINISHED', end_time: 10 + (place % 3) });
        return run_id;
      },
      remove: (run_id) => mlflow('runs/delete', { run_id }),
      touch: (run_id) =>
        mlflow('runs/log-batch', { run_id, metrics: [{ key: 'other', value: 1, timestamp: 1, step: 1 }], tags: [{ key: 'other', value: 'x' }] }),
      lists: {
        'the start': list(),
        'a metric': list('metrics.m DESC'),
        'a param, then the end': list('params.p', 'attributes.end_time DESC'),
        'the name': list('attributes.run_name'),
        'the native API': async (after) => {
          const page = await call('POST', 'binnacle/v1/runs/search', {
            experimentIds: [experiment_id],
            limit: 5,
            orderBy: ['metrics.m'],
            ...(after === undefined ? {} : { pageToken: after }),
          });
          return { items: page.runs.map((run: Json) => run.id), next: page.nextPageToken };
        },
      },
    };
  }

  function experimentsOf(name: string): Kind {
    const list = (order_by?: string[]) => async (after: string | undefined) => {
      const page = await mlflow('experiments/search', { filter: `name LIKE '${name}%'`, max_results: 5, ...(order_by ? { order_by } : {}), ...token(after) });
      return { items: (page.experiments ?? []).map((one: Json) => one.experiment_id as string), next: page.next_page_token as string | undefined };
    };
    return {
      make: async (own, place) => (await mlflow('experiments/create', { name: `${name} ${place % 7} ${own}` })).experiment_id,
      remove: (experiment_id) => mlflow('experiments/delete', { experiment_id }),
      touch: (experiment_id) => mlflow('experiments/set-experiment-tag', { experiment_id, key: 'other', value: 'x' }),
      lists: {
        'the name': list(['name']),
        'the creation': list(['creation_time DESC']),
        'the last activity': async (after) => {
          const page = await native('experiments', { q: name, limit: '5', pageToken: after });
          return { items: page.experiments.map((one: Json) => one.id), next: page.nextPageToken };
        },
      },
    };
  }

  function modelsOf(name: string): Kind {
    const list = (order_by?: string) => async (after: string | undefined) => {
      const query = new URLSearchParams({ filter: `name LIKE '${name}%'`, max_results: '5', ...(order_by ? { order_by } : {}), ...token(after) });
      const page = await call('GET', `2.0/mlflow/registered-models/search?${query}`);
      return { items: (page.registered_models ?? []).map((one: Json) => one.name as string), next: page.next_page_token as string | undefined };
    };
    return {
      make: async (own, place) => (await mlflow('registered-models/create', { name: `${name} ${place % 7} ${own}` })).registered_model.name,
      remove: (model) => mlflow('registered-models/delete', { name: model }, 'DELETE'),
      touch: (model) => mlflow('registered-models/set-tag', { name: model, key: 'other', value: 'x' }),
      lists: {
        'the name': list(),
        'the name, backwards': list('name DESC'),
        'the last activity': list('timestamp DESC'),
        'the native API': async (after) => {
          const page = await native('models', { q: name, limit: '5', pageToken: after });
          return { items: page.models.map((one: Json) => one.name), next: page.nextPageToken };
        },
      },
    };
  }

  async function versionsOf(name: string): Promise<Kind> {
    await mlflow('registered-models/create', { name });
    const list = (order_by?: string) => async (after: string | undefined) => {
      const query = new URLSearchParams({ filter: `name = '${name}'`, max_results: '5', ...(order_by ? { order_by } : {}), ...token(after) });
      const page = await call('GET', `2.0/mlflow/model-versions/search?${query}`);
      return { items: (page.model_versions ?? []).map((one: Json) => one.version as string), next: page.next_page_token as string | undefined };
    };
    return {
      make: async (_, place) => (await mlflow('model-versions/create', { name, source: `s3://b/${place % 3}` })).model_version.version,
      remove: (version) => mlflow('model-versions/delete', { name, version }, 'DELETE'),
      touch: (version) => mlflow('model-versions/set-tag', { name, version, key: 'other', value: 'x' }),
      lists: { 'the number': list('version_number DESC'), 'the creation': list('creation_timestamp ASC'), 'the last activity': list() },
    };
  }

  async function loggedModelsOf(name: string): Promise<Kind> {
    const { experiment_id } = await mlflow('experiments/create', { name });
    const { run } = await mlflow('runs/create', { experiment_id });
    const list =
      (...order_by: object[]) =>
      async (after: string | undefined) => {
        const page = await mlflow('logged-models/search', { experiment_ids: [experiment_id], max_results: 5, order_by, ...token(after) });
        return { items: (page.models ?? []).map((model: Json) => model.info.model_id as string), next: page.next_page_token as string | undefined };
      };
    return {
      async make(_, place) {
        const { model } = await mlflow('logged-models', { experiment_id, name: `n${place % 5}` });
        const model_id: string = model.info.model_id;
        if (place % 3 > 0) await mlflow('runs/log-metric', { run_id: run.info.run_id, key: 'm', value: place % 4, timestamp: 1, step: place, model_id });
        return model_id;
      },
      remove: (model_id) => mlflow(`logged-models/${model_id}`, {}, 'DELETE'),
      touch: (model_id) => mlflow(`logged-models/${model_id}/tags`, { tags: [{ key: 'other', value: 'x' }] }, 'PATCH'),
      lists: {
        'the creation': list(),
        'the name': list({ field_name: 'name' }),
        'a metric': list({ field_name: 'metrics.m', ascending: false }),
      },
    };
  }

  it.each<[string, (name: string) => Kind | Promise<Kind>]>([
    ['runs', runsOf],
    ['experiments', experimentsOf],
    ['registered models', modelsOf],
    ['model versions', versionsOf],
    ['logged models', loggedModelsOf],
  ])('pages of %s hold once what was there throughout, while others insert, delete and change', async (what, open) => {
    const { random, seed } = seeded();
    const kind = await open(`pages of ${what}`);
    const draw = () => Math.floor(random() * 1000);
    let made = 0;
    const make = () => kind.make(`i${String(++made).padStart(4, '0')}`, draw());
    const stable: string[] = [];
    for (let i = 0; i < STABLE; i++) stable.push(await make());
    for (const [order, list] of Object.entries(kind.lists)) {
      const doomed: string[] = [];
      for (let i = 0; i < DOOMED; i++) doomed.push(await make());
      const walk = { on: true };
      const disturb = async (moves: boolean) => {
        for (let i = 0; walk.on && i < MAX_NEW; i++) {
          if (i % 4 === 3 && doomed.length > 0) await kind.remove(doomed.pop() as string);
          else if (i % 2 === 1 && moves) await kind.touch(stable[Math.floor(random() * STABLE)] as string);
          else if (i % 2 === 0) await make();
        }
      };
      const others = [0, 1].map(() => disturb(order !== 'the last activity'));
      const seen: string[] = [];
      let next: string | undefined;
      do {
        const page = await list(next);
        seen.push(...page.items);
        next = page.next === '' ? undefined : page.next;
      } while (next !== undefined);
      walk.on = false;
      await Promise.all(others);
      expect(seen.length - new Set(seen).size, `${what} by ${order}, seed ${seed}: twice`).toBe(0);
      expect(
        stable.filter((item) => !seen.includes(item)),
        `${what} by ${order}, seed ${seed}: left out`,
      ).toEqual([]);
    }
  });
}
