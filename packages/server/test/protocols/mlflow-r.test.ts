import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../support/server.ts';

/**
 * The calls of MLflow's R client as it puts them on the wire: every scalar of a body is a string as R writes it ("1e+05", "TRUE"), GET carries a run's id
 * under both of its names, searches go by POST, and PATCH and DELETE have bodies.
 */
let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(server.dataDir, { recursive: true, force: true });
});

// Answers are looked into freely; a wrong path fails the test.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = Record<string, any>;

async function rest(verb: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, fields: Json): Promise<Json> {
  const query = verb === 'GET' ? `?${new URLSearchParams(asText(fields) as Record<string, string>)}` : '';
  const response = await fetch(`${server.url}/api/2.0/mlflow/${path}${query}`, {
    method: verb,
    headers: { 'user-agent': 'mlflow-r-client/3.1.1', 'content-type': 'application/json', accept: 'application/json, text/xml, application/xml, */*' },
    ...(verb === 'GET' ? {} : { body: JSON.stringify(asText(fields)) }),
  });
  const body = (await response.json()) as Json;
  expect(response.status, `${path}: ${JSON.stringify(body)}`).toBe(200);
  return body;
}

/** As as.character() writes: fifteen digits, powers of ten from 1e+05 on in their own way, TRUE and FALSE. */
function asText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asText);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asText(item)]));
  if (typeof value === 'boolean') return String(value).toUpperCase();
  if (typeof value !== 'number') return value;
  if (Number.isNaN(value)) return 'NaN';
  const plain = String(value);
  const scientific = value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  return Number.isFinite(value) && scientific.length < plain.length ? scientific : plain;
}

it('experiments', async () => {
  const { experiment_id } = await rest('POST', 'experiments/create', { name: 'from R', tags: [{ key: 'team', value: 'tide' }] });
  await rest('POST', 'experiments/set-experiment-tag', { experiment_id, key: 'n', value: 5 });
  await rest('POST', 'experiments/update', { experiment_id, new_name: 'renamed in R' });
  expect((await rest('GET', 'experiments/get-by-name', { experiment_name: 'renamed in R' })).experiment.experiment_id).toBe(experiment_id);
  await rest('POST', 'experiments/delete', { experiment_id });
  await rest('POST', 'experiments/restore', { experiment_id });
  const found = await rest('POST', 'experiments/search', { view_type: 'ACTIVE_ONLY', order_by: ['name'], filter: "tags.team = 'tide'", max_results: 1000 });
  expect(found.experiments.map((e: Json) => [e.name, Object.fromEntries(e.tags.map((t: Json) => [t.key, t.value]))])).toEqual([
    ['renamed in R', { team: 'tide', n: '5' }],
  ]);
});

it('a run from its start to its end', async () => {
  const { run } = await rest('POST', 'runs/create', { experiment_id: 0, user_id: 'unknown', start_time: 1700000000000, tags: [] });
  const id = { run_uuid: run.info.run_uuid, run_id: run.info.run_id };
  // A step of a hundred thousand is written "1e+05", a time of whole megaseconds "1.7e+12".
  for (const [step, value] of [0.5, Number.NaN, 1e-7].entries())
    await rest('POST', 'runs/log-metric', { ...id, key: 'loss', value, timestamp: 1700000000000, step: step * 100_000 });
  await rest('POST', 'runs/log-parameter', { ...id, key: 'lr', value: 0.1 });
  await rest('POST', 'runs/set-tag', { ...id, key: 'kept', value: true });
  await rest('POST', 'runs/set-tag', { ...id, key: 'gone', value: 'x' });
  await rest('POST', 'runs/delete-tag', { run_id: id.run_id, key: 'gone' });
  await rest('POST', 'runs/log-batch', {
    run_id: id.run_id,
    metrics: [{ key: 'auc', value: '-Infinity', step: 1e6, timestamp: 1.5e12 }],
    params: [{ key: 'depth', value: 3 }],
    tags: [{ key: 'k', value: 1 }],
  });
  const model = { artifact_path: 'model', flavors: { crate: { version: '0.1' } }, utc_time_created: '2026-01-01T00:00:00', run_id: id.run_id };
  await rest('POST', 'runs/log-model', { run_id: id.run_id, model_json: JSON.stringify(model) });
  const updated = await rest('POST', 'runs/update', { ...id, status: 'FINISHED', end_time: 1700000100000 });
  expect(updated.run_info).toMatchObject({ run_uuid: id.run_uuid, status: 'FINISHED', start_time: 1700000000000, end_time: 1700000100000 });

  const found = (await rest('GET', 'runs/get', id)).run;
  expect(Object.fromEntries(found.data.params.map((param: Json) => [param.key, param.value]))).toEqual({ depth: '3', lr: '0.1' });
  expect(Object.fromEntries(found.data.metrics.map((metric: Json) => [metric.key, metric]))).toEqual({
    auc: { key: 'auc', value: '-Infinity', step: 1_000_000, timestamp: 1_500_000_000_000 },
    loss: { key: 'loss', value: 1e-7, step: 200_000, timestamp: 1_700_000_000_000 },
  });
  const tags = Object.fromEntries(found.data.tags.map((tag: Json) => [tag.key, tag.value]));
  expect([tags.kept, tags.k, tags.gone]).toEqual(['TRUE', '1', undefined]);
  expect(JSON.parse(tags['mlflow.log-model.history'])).toEqual([model]);
  const history = await rest('GET', 'metrics/get-history', { ...id, metric_key: 'loss' });
  expect(history.metrics.map((point: Json) => [point.step, point.value])).toEqual([
    [0, 0.5],
    [100_000, 'NaN'],
    [200_000, 1e-7],
  ]);
  expect((await rest('GET', 'artifacts/list', { ...id, path: '' })).root_uri).toBe(found.info.artifact_uri);

  const search = { experiment_ids: [0], filter: 'metrics.loss < 1', run_view_type: 'ACTIVE_ONLY', order_by: ['metrics.loss DESC'] };
  expect((await rest('POST', 'runs/search', search)).runs).toHaveLength(1);
  await rest('POST', 'runs/delete', { run_id: id.run_id });
  expect((await rest('POST', 'runs/search', search)).runs).toEqual([]);
  await rest('POST', 'runs/restore', { run_id: id.run_id });
});

it('the registry', async () => {
  await rest('POST', 'registered-models/create', { name: 'R', tags: [{ key: 'a', value: 1 }], description: 'boats' });
  await rest('POST', 'model-versions/create', { name: 'R', source: 's3://bucket/1' });
  await rest('POST', 'model-versions/create', { name: 'R', source: 's3://bucket/2', description: 'second' });
  await rest('PATCH', 'model-versions/update', { name: 'R', version: 2, description: 'the second' });
  await rest('PATCH', 'registered-models/update', { name: 'R', description: 'ships' });
  const staged = await rest('POST', 'model-versions/transition-stage', { name: 'R', version: 2, stage: 'Production', archive_existing_versions: false });
  expect(staged.model_version).toMatchObject({ version: '2', current_stage: 'Production', description: 'the second' });
  expect((await rest('GET', 'registered-models/get-latest-versions', { name: 'R', stages: 'Production' })).model_versions).toHaveLength(1);
  await rest('POST', 'registered-models/alias', { name: 'R', alias: 'best', version: 1 });
  expect((await rest('GET', 'registered-models/alias', { name: 'R', alias: 'best' })).model_version.version).toBe('1');
  expect((await rest('GET', 'model-versions/get-download-uri', { name: 'R', version: 1 })).artifact_uri).toBe('s3://bucket/1');
  const page = await rest('POST', 'registered-models/search', { filter: "name = 'R'", max_results: 100, order_by: [] });
  expect(page.registered_models[0]).toMatchObject({ name: 'R', description: 'ships' });
  await rest('POST', 'registered-models/rename', { name: 'R', new_name: 'R2' });
  await rest('DELETE', 'model-versions/delete', { name: 'R2', version: 1 });
  expect((await rest('GET', 'registered-models/get', { name: 'R2' })).registered_model.latest_versions).toHaveLength(1);
  await rest('DELETE', 'registered-models/delete', { name: 'R2' });
});
