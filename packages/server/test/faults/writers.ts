import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { Answer, Connection, Json, WriterMaker } from './crowd.ts';

const done = ({ status, json }: Answer): Json => {
  expect(status, JSON.stringify(json)).toBe(200);
  return json;
};
/** A retried creation may find what its first try made. */
const doneOrThere = ({ status, json, tries }: Answer): void => {
  if (tries > 1 && json.error_code === 'RESOURCE_ALREADY_EXISTS') return;
  expect(status, JSON.stringify(json)).toBe(200);
};
const range = (length: number) => Array.from({ length }, (_, i) => i);
const newRun = async (to: Connection, name: string): Promise<string> =>
  done(await to.send('mlflow/runs/create', { experiment_id: '0', run_name: name })).run.info.run_id;
async function historyOf(to: Connection, runId: string, key: string): Promise<{ step: number; value: number }[]> {
  const points: { step: number; value: number }[] = [];
  let token = '';
  do {
    const page = await to.get(`mlflow/metrics/get-history?run_id=${runId}&metric_key=${key}&max_results=25000${token === '' ? '' : `&page_token=${token}`}`);
    points.push(...(page.metrics as typeof points));
    token = page.next_page_token ?? '';
  } while (token !== '');
  return points;
}
const textsOf = (entries: { key: string; value: string }[] | undefined): Map<string, string> => new Map((entries ?? []).map(({ key, value }) => [key, value]));

/** Batches of points, a param and a tag: a batch is whole, or not there at all. */
export const batches =
  (points: number): WriterMaker =>
  (to, name) => {
    let runId = '';
    let sent = 0;
    const acknowledged = new Set<number>();
    return {
      async write(b) {
        runId ||= await newRun(to, name);
        sent = b + 1;
        const metrics = range(points).map((i) => ({ key: 'm', value: b, timestamp: b * points + i, step: b * points + i }));
        done(
          await to.send('mlflow/runs/log-batch', {
            run_id: runId,
            metrics,
            params: [{ key: `p${b}`, value: String(b) }],
            tags: [{ key: 'last', value: String(b) }],
          }),
        );
        acknowledged.add(b);
      },
      async verify() {
        if (runId === '') return 0;
        const { run } = await to.get(`mlflow/runs/get?run_id=${runId}`);
        const params = textsOf(run.data.params);
        const history = await historyOf(to, runId, 'm');
        const steps = new Set(history.map(({ step }) => step));
        expect(steps.size, `${name}: no point twice`).toBe(history.length);
        const last = Number(textsOf(run.data.tags).get('last') ?? -1);
        for (let b = 0; b < sent; b++) {
          const there = range(points).filter((i) => steps.has(b * points + i)).length;
          expect([0, points], `${name}: batch ${b}`).toContain(there);
          expect([params.get(`p${b}`), last >= b], `${name}: batch ${b}`).toEqual(there === points ? [String(b), true] : [undefined, false]);
          if (acknowledged.has(b)) expect(there, `${name}: acknowledged batch ${b}`).toBe(points);
        }
        return acknowledged.size;
      },
    };
  };

/** One point a request. */
export const points: WriterMaker = (to, name) => {
  let runId = '';
  let acknowledged = 0;
  let sent = 0;
  return {
    async write(n) {
      runId ||= await newRun(to, name);
      sent = n + 1;
      done(await to.send('mlflow/runs/log-metric', { run_id: runId, key: 'm', value: n, timestamp: n, step: n }));
      acknowledged = n + 1;
    },
    async verify() {
      if (runId === '') return 0;
      const values = (await historyOf(to, runId, 'm')).map(({ value }) => value);
      expect([acknowledged, sent], name).toContain(values.length);
      expect(values, name).toEqual(range(values.length));
      return acknowledged;
    },
  };
};

/** Runs from beginning to end, each with two tags from the start. */
export const runs: WriterMaker = (to, name) => {
  const finished = new Set<string>();
  let tries = 0;
  return {
    async write(n) {
      const tags = [0, 1].map((i) => ({ key: `t${i}`, value: `${name} ${n}` }));
      const made = await to.send('mlflow/runs/create', { experiment_id: '0', run_name: name, start_time: n + 1, tags });
      tries += made.tries;
      const runId: string = done(made).run.info.run_id;
      done(await to.send('mlflow/runs/update', { run_id: runId, status: 'FINISHED', end_time: 2 * n + 2 }));
      finished.add(runId);
    },
    async verify() {
      const found: Json[] = [];
      let page_token: string | undefined;
      do {
        const filter = `run_name = '${name}'`;
        const page = await to.get('mlflow/runs/search', { experiment_ids: ['0'], filter, max_results: 1000, ...(page_token ? { page_token } : {}) });
        found.push(...(page.runs ?? []));
        page_token = page.next_page_token;
      } while (page_token);
      const byId = new Map(found.map((run) => [run.info.run_id as string, run]));
      expect(byId.size, name).toBe(found.length);
      // One that was made and not acknowledged was made again: each try makes one run at most, and a whole one.
      expect(found.length, name).toBeLessThanOrEqual(tries + 1);
      for (const { info, data } of found) {
        const n = info.start_time - 1;
        expect(textsOf(data.tags), name).toEqual(new Map([['mlflow.runName', name], ...[0, 1].map((i) => [`t${i}`, `${name} ${n}`] as const)]));
      }
      for (const runId of finished) {
        const info = byId.get(runId)?.info;
        expect(info, `${name}: ${runId}`).toMatchObject({ status: 'FINISHED', end_time: 2 * (info?.start_time ?? 0) });
      }
      return finished.size;
    },
  };
};

/** Registered models, each with versions that carry tags, and an alias that moves to the newest. */
export const registrations: WriterMaker = (to, name) => {
  const models: { name: string; versions: Set<string>; tries: number; alias: string }[] = [];
  return {
    async write(n) {
      if (n % 5 === 0) {
        const model = { name: `${name}-${n}`, versions: new Set<string>(), tries: 0, alias: '' };
        doneOrThere(await to.send('mlflow/registered-models/create', { name: model.name, tags: [{ key: 'by', value: name }] }));
        models.push(model);
      }
      const model = models.at(-1) as (typeof models)[number];
      const made = await to.send('mlflow/model-versions/create', {
        name: model.name,
        source: `s3://bucket/${name}/${n}`,
        tags: ['a', 'b'].map((key) => ({ key, value: `${name}/${n}` })),
      });
      model.tries += made.tries;
      const version: string = done(made).model_version.version;
      model.versions.add(version);
      done(await to.send('mlflow/registered-models/alias', { name: model.name, alias: 'newest', version }));
      model.alias = version;
    },
    async verify() {
      let found = 0;
      for (const model of models) {
        const { registered_model } = await to.get(`mlflow/registered-models/get?name=${model.name}`);
        expect(registered_model.tags, model.name).toEqual([{ key: 'by', value: name }]);
        const { model_versions = [] } = await to.get(`mlflow/model-versions/search?filter=${encodeURIComponent(`name = '${model.name}'`)}`);
        const numbers = (model_versions as Json[]).map(({ version }) => Number(version)).sort((a, b) => a - b);
        expect(numbers, model.name).toEqual(range(numbers.length).map((i) => i + 1));
        expect(numbers.length, model.name).toBeLessThanOrEqual(model.tries + 1);
        for (const version of model.versions) expect(numbers, model.name).toContain(Number(version));
        for (const { source, tags } of model_versions as Json[]) {
          const value = source.slice('s3://bucket/'.length);
          expect(textsOf(tags), model.name).toEqual(new Map(['a', 'b'].map((key) => [key, value])));
        }
        const alias = (registered_model.aliases as Json[] | undefined)?.find((one) => one.alias === 'newest');
        if (model.alias !== '') expect(Number(alias?.version), model.name).toBeGreaterThanOrEqual(Number(model.alias));
        found += model.versions.size;
      }
      return found;
    },
  };
};
/** Files, of which every third replaces an earlier one. */
export const uploads: WriterMaker = (to, name) => {
  let runId = '';
  /** By path: the contents that were acknowledged last, and what came after. */
  const files = new Map<string, { kept?: string; sent: string[] }>();
  const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const at = () => `mlflow-artifacts/artifacts/0/${runId}/artifacts`;
  return {
    async write(n) {
      runId ||= await newRun(to, name);
      const path = `d${n % 3}/f${n % 3 === 0 ? 0 : n}.bin`;
      const bytes = Uint8Array.from(randomBytes(60_000 + (n % 7) * 20_000));
      const file = files.get(path) ?? { sent: [] };
      files.set(path, file);
      file.sent.push(sha(bytes));
      done(await to.send(`${at()}/${path}`, bytes, 'PUT'));
      file.kept = sha(bytes);
      file.sent = [file.kept];
    },
    async verify() {
      if (runId === '') return 0;
      const listed = new Set<string>();
      for (const folder of ['', 'd0', 'd1', 'd2']) {
        const { files: entries = [] } = await to.get(
          `mlflow-artifacts/artifacts?path=${encodeURIComponent(`0/${runId}/artifacts${folder === '' ? '' : `/${folder}`}`)}`,
        );
        for (const { path, is_dir } of entries as Json[]) if (is_dir !== true) listed.add(folder === '' ? path : `${folder}/${path}`);
      }
      expect(
        [...listed].filter((path) => !files.has(path)),
        `${name}: nothing else is listed`,
      ).toEqual([]);
      let found = 0;
      for (const [path, { kept, sent }] of files) {
        if (kept !== undefined) expect(listed, `${name}: ${path}`).toContain(path);
        if (!listed.has(path)) continue;
        expect(sent, `${name}: ${path} is whole`).toContain(sha(await to.bytes(`${at()}/${path}`)));
        found += kept === undefined ? 0 : 1;
      }
      return found;
    },
  };
};

/** Logged models with params and tags, more of which come later, and which are finished in the end. */
export const loggedModels: WriterMaker = (to, name) => {
  const ready = new Map<string, number>();
  const pending = new Map<string, number>();
  return {
    async write(n) {
      const texts = range(5).map((i) => ({ key: `k${i}`, value: `${n}` }));
      const made = done(await to.send('mlflow/logged-models', { experiment_id: '0', name, params: texts, tags: texts }));
      const id: string = made.model.info.model_id;
      pending.set(id, n);
      const later = range(5).map((i) => ({ key: `later${i}`, value: `${n}` }));
      done(await to.send(`mlflow/logged-models/${id}/params`, { params: later }));
      done(await to.send(`mlflow/logged-models/${id}`, { model_id: id, status: 'LOGGED_MODEL_READY' }, 'PATCH'));
      pending.delete(id);
      ready.set(id, n);
    },
    async verify() {
      for (const [id, n] of [...ready, ...pending]) {
        const { model } = await to.get(`mlflow/logged-models/${id}`);
        const params = textsOf(model.data.params);
        expect(ready.has(id) ? [10] : [5, 10], `${name}: ${id}`).toContain(params.size);
        expect(
          [...params.values()].every((value) => value === `${n}`),
          `${name}: ${id}`,
        ).toBe(true);
        expect(textsOf(model.info.tags).size, `${name}: ${id}`).toBe(5);
        if (ready.has(id)) expect(model.info.status, `${name}: ${id}`).toBe('LOGGED_MODEL_READY');
      }
      return ready.size;
    },
  };
};

/** Datasets of a run, ten a request, some of them in every request. */
export const inputs: WriterMaker = (to, name) => {
  let runId = '';
  let acknowledged = 0;
  return {
    async write(n) {
      runId ||= await newRun(to, name);
      const datasets = range(10).map((i) => ({
        dataset: { name: i < 3 ? `common ${i}` : `d${n}-${i}`, digest: '1', source_type: 'local', source: 'here' },
        tags: [{ key: 'mlflow.data.context', value: 'training' }],
      }));
      done(await to.send('mlflow/runs/log-inputs', { run_id: runId, datasets }));
      acknowledged = n + 1;
    },
    async verify() {
      if (runId === '') return 0;
      const { run } = await to.get(`mlflow/runs/get?run_id=${runId}`);
      const names: string[] = (run.inputs?.dataset_inputs ?? []).map((input: Json) => input.dataset.name);
      expect(new Set(names).size, name).toBe(names.length);
      const own = names.length === 0 ? 0 : (names.length - 3) / 7;
      expect([acknowledged, acknowledged + 1], name).toContain(own);
      return acknowledged;
    },
  };
};

/** Sixteen clients of every kind. */
export const sixteen: WriterMaker[] = [
  ...[0, 1, 2].map(() => batches(20)),
  batches(998),
  points,
  points,
  runs,
  runs,
  registrations,
  registrations,
  uploads,
  uploads,
  loggedModels,
  loggedModels,
  inputs,
  inputs,
];
