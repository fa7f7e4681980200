import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../support/server.ts';

/** Saved views and groups of runs over the wire of a whole server. */
let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server?.stop());

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const reply = await fetch(`${server.url}/api/binnacle/v1${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
}

it('a view under any name is put, listed, made the default, renamed and deleted', async () => {
  const path = `/experiments/0/views/${encodeURIComponent('a/b ü % ?')}`;
  const state = { filter: 'metrics.auc > 0.5', cols: ['m:auc'], later: { version: 2 } };
  expect(await call('PUT', path, { state })).toMatchObject({ status: 200, body: { name: 'a/b ü % ?', page: 'runs', state, revision: 1 } });
  expect(await call('PATCH', path, { isDefault: true, name: 'best' })).toMatchObject({ status: 200, body: { name: 'best', isDefault: true, revision: 2 } });
  expect(await call('GET', '/experiments/0/views')).toMatchObject({ status: 200, body: { views: [{ name: 'best', state, isDefault: true }] } });
  expect(await call('DELETE', '/experiments/0/views/best')).toEqual({ status: 200, body: { deleted: true } });
  expect(await call('DELETE', '/experiments/0/views/best')).toEqual({ status: 200, body: { deleted: false } });
});

it('what is wrong with a view is said', async () => {
  await call('PUT', '/experiments/0/views/v', { state: {} });
  expect(await call('PUT', '/experiments/0/views/v', { state: {}, revision: 7 })).toMatchObject({
    status: 409,
    body: { code: 'view_changed', details: { revision: 1 }, detail: expect.stringContaining('Open it again') },
  });
  for (const body of [{ state: [] }, { state: 'text' }, {}, { state: {}, page: 'other' }, { state: {}, more: 1 }])
    expect(await call('PUT', '/experiments/0/views/v', body)).toMatchObject({ status: 400 });
  expect(await call('PUT', '/experiments/0/views/big', { state: { x: 'x'.repeat(50_001) } })).toMatchObject({ status: 400, body: { code: 'view_too_large' } });
  expect(await call('PATCH', '/experiments/0/views/none', { name: 'x' })).toMatchObject({ status: 404, body: { code: 'view_not_found' } });
  expect(await call('GET', '/experiments/77/views')).toMatchObject({ status: 404, body: { code: 'experiment_not_found' } });
});

it('runs are grouped, a group is opened by its values, and odd numbers travel as text', async () => {
  const log = async (lr: string, value: number | string) => {
    const { body } = await call('POST', '/runs', { experiment: 'groups', params: { lr } });
    await call('POST', `/runs/${String(body['id'])}/log`, { metrics: [{ key: 'auc', value }] });
    return String(body['experimentId']);
  };
  await log('0.1', 1.7e308);
  await log('0.1', -1.7e308);
  await log('0.2', 'NaN');
  const experimentIds = [await log('0.2', 3)];
  const by = [{ kind: 'param', key: 'lr' }];
  const order = { by: 'value', key: '0', ascending: true };
  const { status, body } = await call('POST', '/runs/groups', { experimentIds, by, metrics: ['auc'], order });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    total: 2,
    runs: 4,
    groups: [
      { values: ['0.1'], runs: 2, metrics: { auc: { count: 2, min: -1.7e308, max: 1.7e308 } } },
      { values: ['0.2'], runs: 2, metrics: { auc: { count: 1, mean: 3, deviation: null, min: 3, max: 3 } } },
    ],
  });
  expect(await call('POST', '/runs/search', { experimentIds, within: [{ column: by[0], value: '0.2' }] })).toMatchObject({
    body: { runs: [{ params: { lr: '0.2' } }, { params: { lr: '0.2' } }] },
  });
  for (const wrong of [{ by: [] }, { by: [{ kind: 'metric', key: 'auc' }] }, { by: [{ kind: 'attribute', key: 'colour' }] }, { by, filter: 'nonsense' }])
    expect(await call('POST', '/runs/groups', { experimentIds, ...wrong })).toMatchObject({ status: 400 });
});
