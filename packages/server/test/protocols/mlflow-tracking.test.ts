import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMlflowApp, type MlflowApp } from '../support/mlflow-app.ts';

let mlflow: MlflowApp;
beforeAll(async () => {
  mlflow = await createMlflowApp();
});
afterAll(() => mlflow.close());

// Answers are looked into freely; a wrong path fails the test.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = Record<string, any>;
async function call(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  payload: object | string = {},
  base = '/api/2.0/mlflow',
): Promise<{ status: number; json: Json }> {
  const query =
    method === 'GET' && typeof payload === 'object'
      ? `?${new URLSearchParams(Object.entries(payload).flatMap(([k, v]) => [v].flat().map((x) => [k, String(x)])))}`
      : '';
  const response = await mlflow.app.inject({
    method,
    url: `${base}/${path}${query}`,
    ...(method === 'GET' ? {} : { headers: { 'content-type': 'application/json' }, payload: typeof payload === 'string' ? payload : JSON.stringify(payload) }),
  });
  return { status: response.statusCode, json: response.json() as Json };
}
const post = async (path: string, payload: object = {}) => {
  const { status, json } = await call('POST', path, payload);
  expect(json.error_code, json.message).toBeUndefined();
  expect(status).toBe(200);
  return json;
};
const get = async (path: string, query: object) => (await call('GET', path, query)).json;
const refused = async (path: string, payload: object | string, method: 'GET' | 'POST' = 'POST') => {
  const { status, json } = await call(method, path, payload);
  return { status, ...json } as { status: number; error_code: string; message: string };
};
const newRun = async (extra: object = {}): Promise<string> => (await post('runs/create', { experiment_id: '0', start_time: 1000, ...extra })).run.info.run_id;

it('the Default experiment exists from the start', async () => {
  const { experiment } = await get('experiments/get', { experiment_id: '0' });
  expect(experiment).toMatchObject({ experiment_id: '0', name: 'Default', lifecycle_stage: 'active', artifact_location: 'mlflow-artifacts:/0' });
  expect((await get('experiments/get-by-name', { experiment_name: 'Default' })).experiment.experiment_id).toBe('0');
});

it('a version that clients understand is plain text, and unknown endpoints are JSON errors', async () => {
  const version = await mlflow.app.inject({ url: '/version' });
  expect(version.headers['content-type']).toContain('text/plain');
  expect(Number(version.body.split('.')[0])).toBeGreaterThanOrEqual(3);
  expect(await refused('nope', {})).toMatchObject({ status: 404, error_code: 'ENDPOINT_NOT_FOUND' });
  expect((await call('GET', 'server-info', {}, '/ajax-api/3.0/mlflow')).json.store_type).toBe('SqlStore');
});

it('every call for traces is answered by a JSON error', async () => {
  for (const version of ['2.0', '3.0'])
    for (const [method, path] of [
      ['POST', 'traces'],
      ['POST', 'traces/search'],
      ['POST', 'traces/batchGetInfos'],
      ['POST', 'traces/delete-traces'],
      ['GET', 'traces/get'],
      ['GET', 'traces/batchGet'],
      ['GET', 'traces/tr-1'],
      ['GET', 'traces/tr-1/info'],
      ['PATCH', 'traces/tr-1/tags'],
      ['DELETE', 'traces/tr-1/tags'],
      ['POST', 'traces/tr-1/assessments'],
    ] as const)
      for (const base of ['/api', '/ajax-api'])
        expect(await call(method, path, {}, `${base}/${version}/mlflow`), `${method} ${path}`).toMatchObject({
          status: 501,
          json: { error_code: 'NOT_IMPLEMENTED', message: 'Traces are not implemented by this server.' },
        });
  const spans = await mlflow.app.inject({
    method: 'POST',
    url: '/v1/traces',
    headers: { 'content-type': 'application/x-protobuf', 'x-mlflow-experiment-id': '0' },
    payload: Buffer.from([10, 0]),
  });
  expect([spans.statusCode, spans.json().error_code]).toEqual([501, 'NOT_IMPLEMENTED']);
});

describe('experiments', () => {
  it('can be created, tagged, renamed, deleted and restored', async () => {
    const { experiment_id: id } = await post('experiments/create', { name: 'life', tags: [{ key: 'a', value: '1' }] });
    expect(await refused('experiments/create', { name: 'life' })).toMatchObject({ status: 400, error_code: 'RESOURCE_ALREADY_EXISTS' });
    await post('experiments/set-experiment-tag', { experiment_id: id, key: 'b', value: 'x' });
    await post('experiments/delete-experiment-tag', { experiment_id: id, key: 'a' });
    expect(await refused('experiments/delete-experiment-tag', { experiment_id: id, key: 'a' })).toMatchObject({
      status: 404,
      error_code: 'RESOURCE_DOES_NOT_EXIST',
    });
    await post('experiments/update', { experiment_id: id, new_name: 'life 2' });
    const run = await newRun({ experiment_id: id });
    await post('experiments/delete', { experiment_id: id });
    expect(await refused('experiments/create', { name: 'life 2' })).toMatchObject({ error_code: 'RESOURCE_ALREADY_EXISTS' });
    expect(await refused('runs/create', { experiment_id: id })).toMatchObject({
      status: 400,
      error_code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining("must be in the 'active' state"),
    });
    expect((await get('runs/get', { run_id: run })).run.info.lifecycle_stage).toBe('deleted');
    await post('experiments/restore', { experiment_id: id });
    const { experiment } = await get('experiments/get', { experiment_id: id });
    expect(experiment).toMatchObject({ name: 'life 2', lifecycle_stage: 'active', tags: [{ key: 'b', value: 'x' }] });
    expect((await get('runs/get', { run_id: run })).run.info.lifecycle_stage).toBe('active');
  });

  it('are searched by name and tag, a page at a time', async () => {
    for (const name of ['s-one', 's-two', 'S-three']) await post('experiments/create', { name, tags: [{ key: 'team', value: name }] });
    const names = async (body: object) => (await post('experiments/search', body)).experiments.map((e: Json) => e.name);
    expect(await names({ filter: "name LIKE 's-%'", order_by: ['name ASC'], max_results: 10 })).toEqual(['s-one', 's-two']);
    expect(await names({ filter: "name ILIKE 's-%'", order_by: ['name DESC'] })).toEqual(['s-two', 's-one', 'S-three']);
    expect(await names({ filter: "tags.team = 's-two'" })).toEqual(['s-two']);
    expect(await names({ filter: "name ILIKE 's-%' AND tags.nope IS NULL AND creation_time > 5" })).toHaveLength(3);
    const first = await post('experiments/search', { filter: "name ILIKE 's-%'", order_by: ['name'], max_results: 2 });
    const second = await get('experiments/search', { filter: "name ILIKE 's-%'", order_by: ['name'], max_results: 2, page_token: first.next_page_token });
    expect([...first.experiments, ...second.experiments].map((e: Json) => e.name)).toEqual(['S-three', 's-one', 's-two']);
    expect(second.next_page_token).toBeUndefined();
  });

  it('bad ones are refused in the words of the protocol', async () => {
    expect(await refused('experiments/create', {})).toMatchObject({
      status: 400,
      error_code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining("Missing value for required parameter 'name'"),
    });
    expect(await refused('experiments/create', { name: 31 })).toMatchObject({
      message: expect.stringContaining("Invalid value 31 for parameter 'name' supplied"),
    });
    expect(await refused('experiments/create', { name: 'x'.repeat(501) })).toMatchObject({
      message: expect.stringContaining("'name' exceeds the maximum length of 500 characters"),
    });
    expect(await refused('experiments/get', { experiment_id: '999' }, 'GET')).toMatchObject({ status: 404, error_code: 'RESOURCE_DOES_NOT_EXIST' });
    expect(await refused('experiments/get', { experiment_id: "0' OR 1=1" }, 'GET')).toMatchObject({ status: 400, error_code: 'INVALID_PARAMETER_VALUE' });
    expect(await refused('experiments/get-by-name', { experiment_name: 'none' }, 'GET')).toMatchObject({ status: 404, error_code: 'RESOURCE_DOES_NOT_EXIST' });
    expect(await refused('experiments/create', '{"name": ')).toMatchObject({ status: 400, error_code: 'BAD_REQUEST' });
    expect(await refused('experiments/search', { max_results: 50001 })).toMatchObject({
      message: expect.stringContaining("Invalid value 50001 for parameter 'max_results' supplied"),
    });
    expect(await refused('experiments/search', { page_token: 'garbage' })).toMatchObject({ status: 400, error_code: 'INVALID_PARAMETER_VALUE' });
  });
});

describe('runs', () => {
  it('hold what was logged', async () => {
    const created = (await post('runs/create', { experiment_id: '0', user_id: 'me', run_name: 'first', start_time: 5, tags: [{ key: 'k', value: 'v' }] })).run;
    expect(created.info).toMatchObject({
      status: 'RUNNING',
      run_name: 'first',
      start_time: 5,
      user_id: 'me',
      artifact_uri: `mlflow-artifacts:/0/${created.info.run_id}/artifacts`,
    });
    const run_id = created.info.run_id;
    await post('runs/log-parameter', { run_id, key: 'lr', value: '0.1' });
    await post('runs/log-metric', { run_id, key: 'loss', value: 1.5, timestamp: 10, step: 1 });
    await post('runs/log-metric', { run_uuid: run_id, key: 'loss', value: '0.5', timestamp: '11', step: '2' });
    await post('runs/set-tag', { run_id, key: 'größe/tag', value: '日本 🚢' });
    await post('runs/update', { run_id, status: 'FINISHED', end_time: 20, run_name: 'renamed' });
    const { run } = await get('runs/get', { run_id });
    expect(run.info).toMatchObject({ status: 'FINISHED', end_time: 20, run_name: 'renamed' });
    expect(run.data.params).toEqual([{ key: 'lr', value: '0.1' }]);
    expect(run.data.metrics).toEqual([{ key: 'loss', value: 0.5, timestamp: 11, step: 2 }]);
    expect(Object.fromEntries(run.data.tags.map((t: Json) => [t.key, t.value]))).toEqual({ k: 'v', 'größe/tag': '日本 🚢', 'mlflow.runName': 'renamed' });
    await post('runs/delete-tag', { run_id, key: 'k' });
    expect(await refused('runs/delete-tag', { run_id, key: 'k' })).toMatchObject({ status: 404 });
  });

  it('are deleted and restored, and refuse writes in between', async () => {
    const run_id = await newRun();
    await post('runs/delete', { run_id });
    for (const [path, body] of [
      ['log-metric', { key: 'a', value: 1, timestamp: 1 }],
      ['set-tag', { key: 'a', value: 'b' }],
      ['log-parameter', { key: 'a', value: 'b' }],
      ['update', { status: 'FINISHED' }],
      ['log-batch', {}],
    ] as const)
      expect(await refused(`runs/${path}`, { run_id, ...body })).toMatchObject({
        status: 400,
        message: expect.stringContaining("must be in the 'active' state. Current state is deleted"),
      });
    await post('runs/restore', { run_id });
    await post('runs/set-tag', { run_id, key: 'a', value: 'b' });
  });

  it('params never change, and the same again is fine', async () => {
    const run_id = await newRun();
    await post('runs/log-parameter', { run_id, key: 'p', value: '1' });
    await post('runs/log-parameter', { run_id, key: 'p', value: '1' });
    expect(await refused('runs/log-parameter', { run_id, key: 'p', value: '2' })).toMatchObject({
      status: 400,
      error_code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining("Changing param values is not allowed. Param with key='p' was already logged with value='1'"),
    });
    expect(
      await refused('runs/log-batch', {
        run_id,
        params: [
          { key: 'p', value: '3' },
          { key: 'q', value: '4' },
        ],
      }),
    ).toMatchObject({ status: 400 });
    expect((await get('runs/get', { run_id })).run.data.params).toEqual([{ key: 'p', value: '1' }]);
  });

  it('long values are cut where MLflow cuts them, and kept whole where a run or a model begins with them', async () => {
    const long = 'x'.repeat(8001);
    const ships = '🚢'.repeat(6001);
    const run_id = await newRun({ run_name: long, tags: [{ key: 'begun', value: long }] });
    const data = async () => {
      const { run } = await get('runs/get', { run_id });
      const lengths = (list: Json[] = []) => Object.fromEntries(list.map(({ key, value }) => [key, [...value].length]));
      return { name: [...run.info.run_name].length, params: lengths(run.data.params), tags: lengths(run.data.tags) };
    };
    expect(await data()).toEqual({ name: 8001, params: {}, tags: { begun: 8001, 'mlflow.runName': 8001 } });
    await post('runs/log-parameter', { run_id, key: 'p', value: 'x'.repeat(6001) });
    await post('runs/log-parameter', { run_id, key: 'ships', value: ships });
    // What differs behind the cut is the same value again.
    await post('runs/log-parameter', { run_id, key: 'p', value: `${'x'.repeat(6000)}y` });
    expect(await refused('runs/log-parameter', { run_id, key: 'p', value: 'x'.repeat(5999) })).toMatchObject({
      status: 400,
      error_code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining('Changing param values is not allowed'),
    });
    await post('runs/log-batch', { run_id, params: [{ key: 'batch', value: long }], tags: [{ key: 'batch', value: long }] });
    await post('runs/log-batch', { run_id, params: [{ key: 'batch', value: long }] });
    await post('runs/set-tag', { run_id, key: 't', value: long });
    const params = { p: 6000, ships: 6000, batch: 6000 };
    expect(await data()).toEqual({ name: 8001, params, tags: { begun: 8001, 'mlflow.runName': 8001, batch: 8000, t: 8000 } });
    await post('runs/set-tag', { run_id, key: 'mlflow.runName', value: long });
    expect(await data()).toMatchObject({ name: 8000, tags: { 'mlflow.runName': 8000 } });
    await post('runs/update', { run_id, run_name: long });
    expect(await data()).toMatchObject({ name: 8001, tags: { 'mlflow.runName': 8001 } });

    const texts = { params: [{ key: 'p', value: long }], tags: [{ key: 't', value: long }] };
    const { model_id } = (await post('logged-models', { experiment_id: '0', name: 'long', ...texts })).model.info;
    await post(`logged-models/${model_id}/params`, { params: [{ key: 'q', value: long }] });
    expect((await call('PATCH', `logged-models/${model_id}/tags`, { tags: [{ key: 'u', value: long }] })).status).toBe(200);
    const { model } = await get(`logged-models/${model_id}`, {});
    expect([...model.data.params, ...model.info.tags].map(({ value }: Json) => value.length)).toEqual([8001, 8001, 8001, 8001]);
  });

  it('bad input is refused in the words of the protocol, and nothing of it stays', async () => {
    const run_id = await newRun();
    const cases: [string, object | string, string][] = [
      ['runs/log-metric', { run_id, key: 'a', timestamp: 1 }, "Missing value for required parameter 'value'"],
      ['runs/log-metric', { run_id, value: 1, timestamp: 1 }, "Missing value for required parameter 'key'"],
      ['runs/log-metric', { run_id, key: 31, value: 1, timestamp: 1 }, "Invalid value 31 for parameter 'key' supplied"],
      ['runs/log-metric', { run_id, key: 'a', value: 'x', timestamp: 1 }, `Invalid value "x" for parameter 'value' supplied`],
      ['runs/log-metric', { run_id, key: 'a', value: 1, timestamp: -1 }, "Invalid value -1 for parameter 'timestamp' supplied"],
      ['runs/log-metric', { run_id, key: 'a', value: 1, timestamp: 1, step: 1.5 }, "Invalid value 1.5 for parameter 'step' supplied"],
      ['runs/log-metric', { run_id, key: '../x', value: 1, timestamp: 1 }, 'Names may be treated as files'],
      ['runs/log-metric', { run_id, key: 'a?b', value: 1, timestamp: 1 }, 'Names may only contain alphanumerics'],
      [
        'runs/log-batch',
        {
          run_id,
          metrics: [
            { key: 'a', value: 1, timestamp: 1 },
            { key: 'x'.repeat(251), value: 1, timestamp: 1 },
          ],
        },
        "'Metric name' exceeds the maximum length of 250 characters",
      ],
      ['runs/log-batch', { run_id, metrics: [{ key: 'a', timestamp: 1 }] }, "Missing value for required parameter 'metrics[0].value'"],
      ['runs/log-batch', { run_id, metrics: 'x' }, 'metrics'],
      [
        'runs/log-batch',
        { run_id, metrics: Array.from({ length: 1001 }, (_, i) => ({ key: 'a', value: 1, timestamp: i })) },
        'A batch logging request can contain at most 1000 metrics. Got 1001 metrics.',
      ],
      ['runs/log-batch', { run_id, params: Array.from({ length: 101 }, (_, i) => ({ key: `k${i}`, value: '1' })) }, 'at most 100 params'],
      [
        'runs/log-batch',
        {
          run_id,
          params: [
            { key: 'a', value: '1' },
            { key: 'a', value: '2' },
          ],
        },
        "Duplicate parameter keys have been submitted: ['a']",
      ],
      ['runs/log-parameter', { run_id, key: 'x'.repeat(251), value: '1' }, 'exceeds the maximum length of 250 characters'],
      ['runs/set-tag', { run_id, key: 'x'.repeat(251), value: '1' }, 'exceeds the maximum length of 250 characters'],
      ['runs/set-tag', { key: 't', value: 'x' }, "Missing value for required parameter 'run_id'"],
      ['runs/update', { run_id, status: 'DONE' }, `Invalid value "DONE" for parameter 'status' supplied`],
      ['runs/search', { experiment_ids: ['0'], filter: 'nonsense' }, "Invalid clause(s) in filter string: 'nonsense'"],
      ['runs/search', { experiment_ids: ['0'], order_by: ['nope'] }, 'Invalid attribute key'],
      ['runs/search', { experiment_ids: ['x'] }, 'Invalid experiment ID'],
      ['runs/search', { experiment_ids: ['0'], max_results: 0 }, "Invalid value 0 for parameter 'max_results' supplied"],
      ['runs/search', { experiment_ids: ['0'], page_token: Buffer.from('[1]').toString('base64url') }, 'Invalid page token'],
    ];
    for (const [path, body, message] of cases)
      expect(await refused(path, body), JSON.stringify(body).slice(0, 120)).toMatchObject({
        status: 400,
        error_code: 'INVALID_PARAMETER_VALUE',
        message: expect.stringContaining(message),
      });
    expect(await refused('runs/log-metric', { run_id: 'f'.repeat(32), key: 'a', value: 1, timestamp: 1 })).toMatchObject({
      status: 404,
      error_code: 'RESOURCE_DOES_NOT_EXIST',
      message: `Run with id=${'f'.repeat(32)} not found`,
    });
    const { run } = await get('runs/get', { run_id });
    expect(run.data.metrics).toEqual([]);
    expect(run.data.params).toEqual([]);
  });

  it('begin with tags of any name, as mlflow.start_run takes them', async () => {
    const run_id = await newRun({ tags: [{ key: 'what? (100%)', value: 'x' }] });
    const found = await post('runs/search', { experiment_ids: ['0'], filter: 'tags.`what? (100%)` = "x"' });
    expect(found.runs.map((run: Json) => run.info.run_id)).toEqual([run_id]);
    expect(await refused('runs/set-tag', { run_id, key: 'what?', value: 'x' })).toMatchObject({ status: 400, error_code: 'INVALID_PARAMETER_VALUE' });
    expect(await refused('runs/create', { tags: [{ key: 'k'.repeat(251), value: 'x' }] })).toMatchObject({ status: 400 });
  });

  it('numbers as strings, both field spellings and unknown fields are taken, as Java and R send them', async () => {
    const run_id = await newRun({ start_time: '1234', bogus: { x: 1 } });
    await post('runs/log-batch', { runId: run_id, metrics: [{ key: 'm', value: '1e-3', timestamp: '7', step: '3', extra: null }], params: [], tags: null });
    const { run } = await get('runs/get', { runId: run_id });
    expect(run.info.start_time).toBe(1234);
    expect(run.data.metrics[0]).toMatchObject({ value: 0.001, timestamp: 7, step: 3 });
    const doubly = await call('POST', 'runs/search', JSON.stringify(JSON.stringify({ experiment_ids: ['0'], max_results: '1' })));
    expect(doubly.json.runs).toHaveLength(1);
  });
});

describe('metrics', () => {
  it('NaN and infinities survive, as strings', async () => {
    const run_id = await newRun();
    for (const [i, value] of ['NaN', 'Infinity', '-Infinity', 1].entries()) await post('runs/log-metric', { run_id, key: 'odd', value, timestamp: i, step: i });
    await post('runs/log-metric', { run_id, key: 'nan', value: 'NaN', timestamp: 1 });
    await post('runs/log-metric', { run_id, key: 'inf', value: '-Infinity', timestamp: 1 });
    const history = await get('metrics/get-history', { run_id, metric_key: 'odd' });
    expect(history.metrics.map((m: Json) => m.value)).toEqual(['NaN', 'Infinity', '-Infinity', 1]);
    const latest = Object.fromEntries((await get('runs/get', { run_id })).run.data.metrics.map((m: Json) => [m.key, m.value]));
    expect(latest).toEqual({ odd: 1, nan: 'NaN', inf: '-Infinity' });
  });

  it('a point logged again is one point, and the latest is the greatest by step, then time, then value', async () => {
    const run_id = await newRun();
    const points = [
      { key: 'm', value: 5, timestamp: 100, step: 2 },
      { key: 'm', value: 1, timestamp: 300, step: 1 },
      { key: 'm', value: 6, timestamp: 100, step: 2 },
    ];
    for (let i = 0; i < 3; i++) await post('runs/log-batch', { run_id, metrics: points });
    for (const point of points) await post('runs/log-metric', { run_id, ...point });
    const { metrics } = await get('metrics/get-history', { run_id, metric_key: 'm' });
    expect(metrics.map((m: Json) => m.value)).toEqual([5, 6, 1]);
    expect((await get('runs/get', { run_id })).run.data.metrics[0]).toMatchObject({ value: 6, step: 2 });
  });

  it('a history is paged, whole without a size, and empty for an unknown key', async () => {
    const run_id = await newRun();
    for (let b = 0; b < 3; b++)
      await post('runs/log-batch', {
        run_id,
        metrics: Array.from({ length: 1000 }, (_, i) => ({ key: 'long', value: Math.sin(b * 1000 + i), timestamp: 1000 + b * 1000 + i, step: b * 1000 + i })),
      });
    expect((await get('metrics/get-history', { run_id, metric_key: 'long' })).metrics).toHaveLength(3000);
    const seen: number[] = [];
    let page_token: string | undefined;
    do {
      const page = await get('metrics/get-history', { run_id, metric_key: 'long', max_results: 700, ...(page_token === undefined ? {} : { page_token }) });
      seen.push(...page.metrics.map((m: Json) => m.step));
      page_token = page.next_page_token;
    } while (page_token !== undefined);
    expect(seen).toEqual(Array.from({ length: 3000 }, (_, i) => i));
    expect((await get('metrics/get-history', { run_id, metric_key: 'none' })).metrics).toEqual([]);
    const sampled = (await get('metrics/get-history-bulk-interval', { run_ids: [run_id], metric_key: 'long', max_results: 10 })).metrics;
    expect(sampled).toHaveLength(10);
    expect([sampled[0].step, sampled[9].step]).toEqual([0, 2999]);
    const some = (await get('metrics/get-history-bulk-interval', { run_ids: [run_id], metric_key: 'long', start_step: 5, end_step: 8 })).metrics;
    expect(some.map((m: Json) => m.step)).toEqual([5, 6, 7, 8]);
    const bulk = { run_id: [run_id, 'gone'], metric_key: 'long', max_results: 3 };
    expect((await call('GET', 'metrics/get-history-bulk', bulk, '/ajax-api/2.0/mlflow')).json.metrics).toHaveLength(3);
    expect((await call('GET', 'metrics/get-history-bulk', bulk)).status).toBe(404);
    for (const path of ['metrics/get-history', 'metrics/get-history-bulk-interval'])
      expect(await get(path, { run_id: 'gone', run_ids: 'gone', metric_key: 'long' })).toEqual({ metrics: [] });
  });
});

describe('datasets and models', () => {
  it('inputs and outputs are shown at the run and can be searched', async () => {
    const { experiment_id } = await post('experiments/create', { name: 'inputs' });
    const run_id = await newRun({ experiment_id });
    const dataset = {
      tags: [{ key: 'mlflow.data.context', value: 'training' }],
      dataset: { name: 'iris', digest: 'abc', source_type: 'local', source: '{}', schema: '{}', profile: '{"rows":3}' },
    };
    await post('runs/log-inputs', { run_id, datasets: [dataset, dataset], models: [{ model_id: 'm-1' }] });
    await post('runs/log-inputs', { run_id, datasets: [dataset] });
    await post('runs/outputs', { run_id, models: [{ model_id: 'm-2', step: 3 }] });
    const { run } = await get('runs/get', { run_id });
    expect(run.inputs).toEqual({ dataset_inputs: [dataset], model_inputs: [{ model_id: 'm-1' }] });
    expect(run.outputs.model_outputs).toEqual([{ model_id: 'm-2', step: 3 }]);
    for (const [filter, count] of [
      ["datasets.name = 'iris'", 1],
      ["dataset.digest LIKE 'a%'", 1],
      ["datasets.context IN ('training')", 1],
      ["datasets.name = 'other'", 0],
    ] as const)
      expect((await post('runs/search', { experiment_ids: [experiment_id], filter })).runs, filter).toHaveLength(count);
    expect((await post('experiments/search-datasets', { experiment_ids: [experiment_id] })).dataset_summaries).toEqual([
      { experiment_id, name: 'iris', digest: 'abc', context: 'training' },
    ]);
    expect(
      await refused('runs/log-inputs', { run_id, datasets: [{ dataset: { name: 'x', digest: 'y'.repeat(37), source_type: '', source: '' } }] }),
    ).toMatchObject({ message: expect.stringContaining("'digest' exceeds the maximum length of 36") });
  });

  it('logged models live their whole life', async () => {
    const { experiment_id } = await post('experiments/create', { name: 'models' });
    const run_id = await newRun({ experiment_id });
    const make = async (name: string) =>
      (
        await post('logged-models', {
          experiment_id,
          name,
          model_type: 'onnx',
          source_run_id: run_id,
          params: [{ key: 'lr', value: '0.1' }],
          tags: [{ key: 't', value: name }],
        })
      ).model.info.model_id;
    const a = await make('alpha');
    const b = await make('beta');
    expect((await call('PATCH', `logged-models/${a}`, { model_id: a, status: 'LOGGED_MODEL_READY' })).json.model.info).toMatchObject({
      status: 'LOGGED_MODEL_READY',
      name: 'alpha',
      artifact_uri: `mlflow-artifacts:/${experiment_id}/models/${a}/artifacts`,
    });
    await call('PATCH', `logged-models/${b}`, { status: 3 });
    await call('PATCH', `logged-models/${a}/tags`, { tags: [{ key: 'a/b', value: 'x' }] });
    expect((await call('DELETE', `logged-models/${a}/tags/${encodeURIComponent('a/b')}`)).status).toBe(200);
    await post(`logged-models/${a}/params`, { params: [{ key: 'depth', value: '3' }] });
    await post(`logged-models/${a}/params`, { params: [{ key: 'depth', value: '3' }] });
    for (const params of [
      [
        { key: 'other', value: '1' },
        { key: 'depth', value: '4' },
      ],
      [
        { key: 'twice', value: '1' },
        { key: 'twice', value: '2' },
      ],
    ])
      expect(await refused(`logged-models/${a}/params`, { params })).toMatchObject({
        status: 400,
        error_code: 'INVALID_PARAMETER_VALUE',
        message: expect.stringContaining(`Changing param values is not allowed. Param with key='${params[1]?.key}' was already logged with value='`),
      });
    for (const [model_id, value] of [
      [a, 0.9],
      [b, 0.5],
    ] as const) {
      await post('runs/log-metric', { run_id, key: 'auc', value, timestamp: 1, step: 0, model_id, dataset_name: 'val', dataset_digest: 'd1' });
      await post('runs/log-metric', { run_id, key: 'auc', value: value - 0.1, timestamp: 2, step: 1, model_id, dataset_name: 'val', dataset_digest: 'd1' });
    }
    const { model } = await get(`logged-models/${a}`, {});
    expect(model.data.params).toEqual([
      { key: 'depth', value: '3' },
      { key: 'lr', value: '0.1' },
    ]);
    expect(model.data.metrics.map((m: Json) => [m.key, m.value, m.step, m.dataset_name])).toEqual([
      ['auc', 0.9, 0, 'val'],
      ['auc', 0.8, 1, 'val'],
    ]);
    const names = async (body: object) =>
      (await post('logged-models/search', { experiment_ids: [experiment_id], ...body })).models.map((m: Json) => m.info.name);
    expect(await names({ order_by: [{ field_name: 'metrics.auc', ascending: true }] })).toEqual(['beta', 'alpha']);
    expect(await names({ filter: 'metrics.auc > 0.7' })).toEqual(['alpha']);
    expect(await names({ filter: "params.lr = '0.1' AND tags.t = 'beta'" })).toEqual(['beta']);
    expect(await names({ filter: "name IN ('alpha', 'gamma') AND status = 'READY'" })).toEqual(['alpha']);
    expect(await names({ filter: "params.lr IN ('0.1', '9')" })).toEqual(await names({ filter: "params.lr = '0.1'" }));
    expect(await names({ filter: "tags.t NOT IN ('beta')" })).toEqual(['alpha']);
    expect(await names({ filter: `source_run_id = '${run_id}' AND name LIKE 'a%'` })).toEqual(['alpha']);
    expect(await names({ datasets: [{ dataset_name: 'val', dataset_digest: 'd1' }] })).toHaveLength(2);
    expect(await names({ datasets: [{ dataset_name: 'other' }] })).toEqual([]);
    const page = await post('logged-models/search', { experiment_ids: [experiment_id], max_results: 1, order_by: [{ field_name: 'name' }] });
    expect(await names({ max_results: 1, order_by: [{ field_name: 'name' }], page_token: page.next_page_token })).toEqual(['beta']);
    await call('DELETE', `logged-models/${b}`);
    expect((await call('GET', `logged-models/${b}`)).status).toBe(404);
    expect((await get(`logged-models/${b}`, { allow_deleted: true })).model.info.name).toBe('beta');
    expect(await names({})).toEqual(['alpha']);
    expect(await refused('logged-models', { experiment_id, name: 'a/b' })).toMatchObject({
      status: 400,
      message: expect.stringContaining('Invalid model name'),
    });
  });

  it('a run lists its artifacts', async () => {
    const run_id = await newRun();
    await mlflow.app.inject({
      method: 'PUT',
      url: `/api/2.0/mlflow-artifacts/artifacts/0/${run_id}/artifacts/model/MLmodel`,
      payload: 'abc',
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(await get('artifacts/list', { run_id })).toMatchObject({
      root_uri: `mlflow-artifacts:/0/${run_id}/artifacts`,
      files: [{ path: 'model', is_dir: true }],
    });
    expect((await get('artifacts/list', { run_id, path: 'model' })).files).toEqual([{ path: 'model/MLmodel', is_dir: false, file_size: 3 }]);
    expect(await refused('artifacts/list', { run_id, path: '../..' }, 'GET')).toMatchObject({ status: 400, error_code: 'INVALID_PARAMETER_VALUE' });
  });
});
