import type { OperationRequest, Operations } from '@binnacle/contract';
import { createClient } from '@binnacle/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePageToken } from '../../src/kernel/index.ts';
import { binnacle, type RunningServer, startServer } from '../support/server.ts';

let server: RunningServer;
let client: ReturnType<typeof createClient>;
beforeAll(async () => {
  server = await startServer();
  client = createClient({ baseUrl: server.url });
});
afterAll(async () => {
  expect(server.stderr()).not.toMatch(/"level":(50|60)/);
  await server.stop();
});

const newRun = async (body: OperationRequest<Operations['createRun']>['body'] = {}) => (await client.call('createRun', { body })).id;
const put = async (runId: string, path: string, body: string) => {
  const reply = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/${path}`, { method: 'PUT', body });
  expect(reply.ok).toBe(true);
};
const mlflow = async (path: string) => (await fetch(`${server.url}/api/2.0/mlflow/${path}`)).json() as Promise<Record<string, never>>;
const refused = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => ({ status: 0, code: 'none', message: '' }),
    (reason: { status: number; code: string; message: string }) => reason,
  );
  return `${error.status} ${error.code} ${error.message}`;
};

describe('entries of series', () => {
  it('are logged with metrics in one request and read back', async () => {
    const runId = await newRun();
    await put(runId, 'images/a.png', 'not really');
    const before = Date.now();
    const reply = await client.call('logBatch', {
      params: { runId },
      body: {
        metrics: [{ key: 'loss', value: 'NaN', step: 0.5 }],
        strings: [
          { key: 'log', value: 'hello', step: -1.5 },
          { key: 'log', value: 'again', step: 2, timestamp: 5 },
        ],
        histograms: [{ key: 'weights', edges: [0, 1, 2], counts: [3, 4], step: 1 }],
        files: [{ key: 'images', path: 'images//a.png' }],
      },
    });
    expect(reply).toEqual({ metrics: 1, params: 0, tags: 0, strings: 2, histograms: 1, files: 1 });
    const entries = (key: string) => client.call('getEntries', { params: { runId }, query: { key } });
    const { total, entries: lines } = await entries('log');
    expect([total, lines.map(({ step, value, inherited }) => [step, value, inherited])]).toEqual([
      2,
      [
        [-1.5, 'hello', false],
        [2, 'again', false],
      ],
    ]);
    expect(lines[0]?.timestamp).toBeGreaterThanOrEqual(before);
    expect((await entries('weights')).entries[0]?.value).toEqual({ edges: [0, 1, 2], counts: [3, 4] });
    expect((await entries('images')).entries[0]).toMatchObject({ step: 0, value: { path: 'images/a.png', runId, size: 10 } });
    const detail = await client.call('getRun', { params: { runId } });
    expect(detail).toMatchObject({
      entryKeys: { string: 1, histogram: 1, file: 1 },
      fork: null,
      forks: [],
      metrics: [{ key: 'loss', step: 0.5, inherited: false }],
    });
    const { keys } = await client.call('listEntryKeys', { params: { runId }, query: { kind: 'string' } });
    expect(keys).toEqual([{ key: 'log', kind: 'string', count: 2, firstStep: -1.5, lastStep: 2, lastTimestamp: 5, inherited: false }]);
    const sample = await client.call('getEntries', { params: { runId }, query: { key: 'log', sample: 'true', limit: 1, order: 'desc' } });
    expect(sample.entries.map(({ step }) => step)).toEqual([2]);
    expect((await client.call('getMetricHistory', { params: { runId }, query: { key: 'loss' } })).points).toMatchObject([{ step: 0.5, value: 'NaN' }]);
  });

  it('that are wrong are refused by name, and nothing of their request stays', async () => {
    const runId = await newRun();
    await put(runId, 'folder/a.txt', 'a');
    const log = (body: object) =>
      refused(client.call('logBatch', { params: { runId }, body: { metrics: [{ key: 'm', value: 1 }], strings: [{ key: 'log', value: 'x' }], ...body } }));
    for (const [body, message] of [
      [{ files: [{ key: 'f', path: 'none.png' }] }, `400 artifact_not_found The run ${runId} has no file "none.png". Upload it first`],
      [{ files: [{ key: 'f', path: 'folder' }] }, '400 artifact_not_found'],
      [{ files: [{ key: 'f', path: '../../binnacle.db' }] }, '400 artifact_path_invalid'],
      [{ files: [{ key: 'f', path: 'folder/a.txt', size: 5 }] }, '400 invalid_body'],
      [{ histograms: [{ key: 'h', edges: [1, 0], counts: [1] }] }, "400 invalid_histogram 'histograms[0]' is no histogram: its edges must ascend"],
      [{ histograms: [{ key: 'h', edges: [0, 1], counts: [-1] }] }, '400 invalid_body'],
      [{ histograms: [{ key: 'h', edges: [0, '1'], counts: [1] }] }, '400 invalid_body'],
      [{ strings: [{ key: 'log', value: 5 }] }, '400 invalid_body'],
      [{ strings: [{ key: 'log', value: 'x', step: 2 ** 60 }] }, "400 invalid_parameter Invalid value 1152921504606847000 for parameter 'strings[0].step'"],
      [{ strings: [{ key: 'log', value: 'x', step: '1' }] }, '400 invalid_body'],
      [{ strings: [{ key: 'a//b', value: 'x' }] }, '400 invalid_parameter Invalid value "a//b" for parameter \'strings[0].key\''],
      [{ strings: [{ key: 'log', value: 'x'.repeat(1024 * 1024 + 1) }] }, "400 value_too_long 'strings[0].value' has 1048577 bytes"],
      [{ strings: Array.from({ length: 10_001 }, () => ({ key: 'log', value: 'x' })) }, '400 invalid_body'],
      [{ metrics: [{ key: 'm', value: 1, step: 1e17 }] }, '400 invalid_parameter'],
    ] as [object, string][])
      expect(await log(body)).toContain(message);
    expect(await client.call('getRun', { params: { runId } })).toMatchObject({ metricKeys: 0, entryKeys: { string: 0, histogram: 0, file: 0 } });
    const ask = (query: object) => refused(client.call('getEntries', { params: { runId }, query: { key: 'log', ...query } }));
    expect(await ask({ pageToken: 'bnVsbA' })).toContain('400 invalid_page_token');
    for (const after of [
      [1, 2],
      [1, 1.5, 1],
      [1, 1, 1e300],
      [1e300, 1, 1],
      ['1', 1, 1],
      [null, 1, 1],
      [1, 1, 1, 1],
    ])
      expect(await ask({ pageToken: encodePageToken(after) })).toContain('400 invalid_page_token');
    expect(await ask({ limit: 1001 })).toContain('400 invalid_query');
    expect(await ask({ from: 'x' })).toContain('400 invalid_query');
    expect(await ask({ from: 1e300 })).toContain("400 invalid_parameter Invalid value 1e+300 for parameter 'from'");
    expect(await ask({ kind: 'sound' })).toContain('400 invalid_query');
    expect(await refused(client.call('getEntries', { params: { runId: 'f'.repeat(32) }, query: { key: 'log' } }))).toContain('404 run_not_found');
    const keys = (after: unknown) => refused(client.call('listEntryKeys', { params: { runId }, query: { pageToken: encodePageToken(after) } }));
    for (const after of [[1, 2], ['a', 'sound'], ['a', 'toString'], ['a\0', 'file'], ['\ud800', 'file'], ['a']])
      expect(await keys(after)).toContain('400 invalid_page_token');
    const metrics = client.call('listMetricKeys', { params: { runId }, query: { pageToken: encodePageToken(['a\0']) } });
    expect(await refused(metrics)).toContain('400 invalid_page_token');
  });
});

describe('forks', () => {
  it('begin with what the other run has, and MLflow sees the run alone', async () => {
    const parent = await newRun({ name: 'parent' });
    const metrics = [0, 0.5, 1, 1.5].map((step) => ({ key: 'loss', value: step, step, timestamp: 1 }));
    await client.call('logBatch', { params: { runId: parent }, body: { metrics, strings: [{ key: 'log', value: 'one', step: 1 }] } });
    const fork = await newRun({ name: 'fork', fork: { runId: parent, step: 1 } });
    await client.call('logBatch', { params: { runId: fork }, body: { metrics: [{ key: 'loss', value: 9, step: 2.5, timestamp: 2 }] } });
    const detail = await client.call('getRun', { params: { runId: fork } });
    expect(detail).toMatchObject({
      fork: { runId: parent, name: 'parent', step: 1 },
      metrics: [{ key: 'loss', count: 4, value: 9, min: 0, inherited: false }],
      entryKeys: { string: 1 },
    });
    const { stdout } = await binnacle(['runs', 'show', fork, '--url', server.url]);
    expect(stdout).toContain(`forked from parent ${parent} at step 1`);
    expect(stdout).toMatch(/Series\n {2}log +string {2}\(1, steps 1 to 1\)/);
    expect((await client.call('getRun', { params: { runId: parent } })).forks).toEqual([{ runId: fork, name: 'fork', step: 1 }]);
    const { series } = await client.call('getSeries', { body: { runIds: [fork, parent], keys: ['loss'] } });
    expect(series.map(({ forkStep, points }) => [forkStep, points.map(({ step }) => step)])).toEqual([
      [1, [0, 0.5, 1, 2.5]],
      [null, [0, 0.5, 1, 1.5]],
    ]);
    expect(await mlflow(`metrics/get-history?run_id=${fork}&metric_key=loss`)).toEqual({ metrics: [{ key: 'loss', value: 9, timestamp: 2, step: 2 }] });
    const whole = await mlflow(`metrics/get-history?run_id=${parent}&metric_key=loss`);
    expect((whole['metrics'] as unknown as { step: number }[]).map(({ step }) => step)).toEqual([0, 0, 1, 1]);
    const part = await mlflow(`metrics/get-history-bulk-interval?run_ids=${parent}&metric_key=loss&start_step=1&end_step=1&max_results=10`);
    expect((part['metrics'] as unknown as { value: number }[]).map(({ value }) => value)).toEqual([1, 1.5]);
    const { runs } = await client.call('searchRuns', { body: { experimentIds: ['0'], filter: 'metrics.loss = 9' } });
    expect(runs.map(({ id }) => id)).toEqual([fork]);
  });

  it('are refused where there is nothing to fork from, and set once', async () => {
    const [a, b] = [await newRun(), await newRun()];
    const update = (runId: string, fork: object) => refused(client.call('updateRun', { params: { runId }, body: { fork: fork as never } }));
    expect(await refused(newRun({ fork: { runId: 'f'.repeat(32), step: 1 } }))).toContain('404 run_not_found The run to fork from does not exist');
    expect(await update(a, { runId: b, step: 1.5 })).toContain('0 none');
    expect(await update(a, { runId: b, step: 1.5 })).toContain('0 none');
    expect(await update(a, { runId: b, step: 2 })).toContain('409 fork_exists');
    expect(await update(b, { runId: a, step: 2 })).toContain('400 fork_cycle');
    expect(await update(b, { runId: b, step: 2 })).toContain('400 fork_cycle');
    expect(await update(b, { runId: a })).toContain('400 invalid_body');
    expect(await update(b, { runId: a, step: 1e300 })).toContain("400 invalid_parameter Invalid value 1e+300 for parameter 'fork.step'");
  });

  it('and runs may be created again under an id that the client chose', async () => {
    const runId = '00112233445566778899aabbccddeeff';
    const body = { runId, experiment: 'chosen ids', name: 'first' };
    expect(await newRun(body)).toBe(runId);
    expect((await client.call('createRun', { body: { ...body, name: 'second' } })).name).toBe('first');
    expect(await refused(newRun({ ...body, experiment: 'another' }))).toContain('409 run_exists');
    for (const bad of ['00112233', `${runId}00`, 'A'.repeat(32)]) expect(await refused(newRun({ runId: bad }))).toContain('400 invalid_body');
  });
});
