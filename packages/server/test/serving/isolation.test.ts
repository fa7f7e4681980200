import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOnnxRuntime } from '../../src/adapters/onnx/index.ts';
import { endless, sum } from '../support/onnx-graphs.ts';
import { childrenOf } from '../support/processes.ts';
import { type ServingKit, servingKit, until } from '../support/serving.ts';

const turns = (count: number) => ({ inputs: [{ name: 'turns', datatype: 'INT64', shape: [], data: [count] }] });
const FOREVER = 2 ** 52;

let kit: ServingKit;
beforeAll(async () => {
  kit = await servingKit({ runtime: createOnnxRuntime({ restartMs: 50 }) });
  await kit.deploy('beside', sum(2));
});
afterAll(() => kit.close());

async function isolate(endpoint: string, config = {}): Promise<number> {
  const before = await childrenOf(process.pid);
  const { version } = await kit.registry.add(endpoint, endless());
  await kit.serving.deploy(endpoint, {
    model: endpoint,
    traffic: [{ version, weight: 100, shadow: false }],
    config: { isolation: 'process', ...config },
  });
  const detail = kit.serving.get(endpoint);
  expect(detail).toMatchObject({ state: 'ready', versions: [{ tier: 'process' }] });
  return (await childrenOf(process.pid)).find((pid) => !before.includes(pid)) as number;
}

describe('an isolated model behind an endpoint', () => {
  it('answers scalars, and 503 when a run takes too long, while others are served', async () => {
    await isolate('limited', { runTimeoutMs: 400 });
    const late = kit.infer('limited', turns(FOREVER));
    const beside = await kit.infer('beside', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
    expect(beside.json().outputs[0].data).toEqual([3]);
    const reply = await late;
    expect(reply.status).toBe(503);
    expect(reply.json().error).toContain('Request timeout expired');
    const next = await kit.infer('limited', turns(3));
    expect(next.json().outputs).toEqual([{ name: 'y', datatype: 'FP32', shape: [], data: [3] }]);
  });

  it('ends the run of a client that has gone', async () => {
    const pid = await isolate('left');
    const body = JSON.stringify(turns(FOREVER));
    const gone = request(`${kit.url}/v2/models/left/infer`, { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } });
    gone.on('error', () => {});
    gone.end(body);
    const answer = kit.infer('left', turns(2));
    // Both are there: one runs, one waits.
    await until(() => (kit.serving.get('left').versions[0]?.queue?.waiting ?? 0) > 0);
    gone.destroy();
    expect((await answer).json().outputs[0].data).toEqual([2]);
    expect(await childrenOf(process.pid)).not.toContain(pid);
  });

  it('stays ready while one of its instances answers, and says that the other does not', async () => {
    const before = await childrenOf(process.pid);
    const pid = await isolate('two', { instances: 2 });
    const own = async () => (await childrenOf(process.pid)).filter((each) => !before.includes(each));
    expect(await own()).toHaveLength(2);
    const now = () => kit.serving.get('two');
    process.kill(pid, 'SIGABRT');
    await until(() => now().message !== '', 5000);
    expect(now()).toMatchObject({
      state: 'ready',
      message: expect.stringMatching(/^1 of 2 instances cannot answer: .*SIGABRT.*being started again/),
      versions: [{ state: 'ready', error: now().message }],
    });
    expect((await kit.infer('two', turns(1))).status).toBe(200);
    // Whatever has come back by now.
    await until(async () => {
      for (const each of await own()) process.kill(each, 'SIGKILL');
      return now().state === 'degraded' && now().versions[0]?.state === 'failed';
    }, 10_000);
    await until(() => now().state === 'ready' && now().message === '', 20_000);
    expect(now().versions[0]).toMatchObject({ state: 'ready', error: null });
  });

  it('tells of a crash on the endpoint, and of its end', async () => {
    const pid = await isolate('crashed');
    process.kill(pid, 'SIGABRT');
    await until(() => kit.serving.get('crashed').state === 'degraded');
    expect(kit.serving.get('crashed').message).toMatch(/SIGABRT.*being started again/);
    await until(() => kit.serving.get('crashed').state === 'ready', 20_000);
    expect((await kit.infer('crashed', turns(1))).status).toBe(200);
  });
});
