import { afterEach, expect, it } from 'vitest';
import type { CanaryGuard } from '@binnacle/contract';
import { unavailable } from '../../src/kernel/index.ts';
import type { InferRequest } from '../../src/serving/index.ts';
import { without } from '../../src/serving/canary/watch.ts';
import { graph, sum, value } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit, until } from '../support/serving.ts';

let kit: ServingKit;
afterEach(() => kit.close());

const body = (x: number) => ({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [x, 1] }] });
const split = (canary: number) => [
  { version: 1, weight: 100 - canary, shadow: false },
  { version: 2, weight: canary, shadow: false },
];
/** Fails for what is not [1,2]: another input's name than version 1 has. */
const renamed = () =>
  graph({
    nodes: [{ opType: 'Identity', input: ['z'], output: ['y'] }],
    inputs: [value('z', 'FP32', ['N', 2])],
    outputs: [value('y', 'FP32', ['N', 2])],
  });

async function deploy(canary: Uint8Array, guard: CanaryGuard, share = 50): Promise<void> {
  kit = await servingKit({ reconcileMs: 1e6, canaryMs: 50 });
  await kit.registry.add('m', sum(2, 1));
  await kit.registry.add('m', canary);
  await kit.serving.deploy('e', { model: 'm', traffic: split(share), config: { canaryGuard: guard } });
}
const ask = async (count: number) => {
  for (let i = 0; i < count; i++) await kit.infer('e', body(i % 7));
};
const canaryOf = () => kit.serving.get('e').versions.find(({ version }) => version === 2)?.canary;

it('takes the traffic from a canary that fails, says why, and keeps the configuration', async () => {
  await deploy(renamed(), { errorRate: 0.05, minRequests: 20 });
  await ask(100);
  await until(() => kit.serving.get('e').versions.length === 1);
  const endpoint = kit.serving.get('e');
  expect(endpoint).toMatchObject({ revision: 2, traffic: [{ version: 1, weight: 100 }], config: { canaryGuard: { errorRate: 0.05 } } });
  const [last, first] = await kit.serving.changes('e', 10);
  expect(last).toMatchObject({
    kind: 'rolled_back',
    reason: expect.stringMatching(/^Version 2 was taken out of the traffic: 100 % of its \d+ requests failed/),
  });
  expect(first).toMatchObject({ kind: 'deployed', traffic: split(50) });
  // Nobody meets it any more.
  expect((await Promise.all(Array.from({ length: 20 }, () => kit.infer('e', body(1))))).every(({ status }) => status === 200)).toBe(true);
});

it('takes the traffic from a canary whose predictions have moved', async () => {
  await deploy(sum(2, 30), { driftDistance: 0.2, minRequests: 60 });
  await ask(300);
  await until(() => kit.serving.get('e').versions.length === 1);
  expect((await kit.serving.changes('e', 1))[0]?.reason).toContain("its output 'y' is distributed otherwise");
});

it('leaves a canary alone that does as well, and says how far the judgement is', async () => {
  await deploy(sum(2, 1), { errorRate: 0.05, latencyP99: 50, driftDistance: 0.3, minRequests: 60 });
  await until(() => canaryOf()?.state === 'waiting');
  await ask(300);
  await until(() => canaryOf()?.state === 'good');
  expect(kit.serving.get('e')).toMatchObject({ revision: 1, traffic: split(50) });
});

it('goes on judging the canary, not the version it is to replace, when the canary is given most of the traffic', async () => {
  await deploy(renamed(), { errorRate: 0.05, minRequests: 20 }, 5);
  // The second change comes before anything has been judged after the first.
  await kit.serving.deploy('e', { model: 'm', traffic: split(60) });
  await kit.serving.deploy('e', { model: 'm', traffic: split(80) });
  await ask(100);
  await until(() => kit.serving.get('e').versions.length === 1);
  expect(kit.serving.get('e').traffic).toMatchObject([{ version: 1, weight: 100 }]);
});

it('compares with the version that has the alias champion, whatever its weight', async () => {
  kit = await servingKit({ reconcileMs: 1e6, canaryMs: 50 });
  await kit.registry.add('m', sum(2, 1));
  await kit.registry.add('m', renamed());
  await kit.registry.move('m', 'champion', 1);
  await kit.serving.deploy('e', { model: 'm', traffic: split(80), config: { canaryGuard: { errorRate: 0.05, minRequests: 20 } } });
  await ask(100);
  await until(() => kit.serving.get('e').versions.length === 1);
  expect(kit.serving.get('e').traffic).toMatchObject([{ version: 1, weight: 100 }]);
});

it('takes the versions of aliases as they were when the traffic was made', () => {
  const traffic = [
    { alias: 'old', weight: 90, shadow: false },
    { alias: 'new', weight: 10, shadow: false },
  ];
  expect(without(traffic, [2], 1, { old: 1, new: 2 })).toEqual([{ alias: 'old', weight: 100, shadow: false }]);
  // Neither a change that changes nothing, nor one that loses weight.
  expect(without(traffic, [2], 1, { old: 1, new: 3 })).toBeUndefined();
  expect(without(traffic, [2], 1, { old: 3, new: 2 })).toBeUndefined();
});

it('rolls back once, and what is served, while an alias has moved on to a version that does not load', async () => {
  kit = await servingKit({ reconcileMs: 1e6, canaryMs: 50 });
  for (const bytes of [sum(2, 1), renamed(), Uint8Array.of(1)]) await kit.registry.add('m', bytes);
  await kit.registry.move('m', 'new', 2);
  const traffic = [
    { version: 1, weight: 50, shadow: false },
    { alias: 'new', weight: 50, shadow: false },
  ];
  await kit.serving.deploy('e', { model: 'm', traffic, config: { canaryGuard: { errorRate: 0.05, minRequests: 20 } } });
  await kit.registry.move('m', 'new', 3);
  await until(() => kit.serving.get('e').state === 'degraded');
  await ask(100);
  await until(() => kit.serving.get('e').versions.length === 1);
  const changes = await kit.serving.changes('e', 10);
  expect(changes.map(({ kind }) => kind)).toEqual(['rolled_back', 'deployed']);
  expect(changes[0]).toMatchObject({ traffic: [{ version: 1, weight: 100 }] });
});

it("judges by what is the version's doing: not slow clients, pinned requests, cached answers or who gave up", async () => {
  const guard = { latencyP99: 100, errorRate: 0.05, minRequests: 20 };
  await deploy(sum(2, 1), guard);
  await kit.serving.deploy('e', { model: 'm', traffic: split(50), config: { canaryGuard: guard, cache: { maxMiB: 1 } } });
  const row = (x: number) => [{ name: 'x', datatype: 'FP32' as const, shape: [1, 2], data: Float32Array.of(x, 1) }];
  const one = async (change: Partial<InferRequest>) => {
    const request = { endpoint: 'e', inputs: row(1), requestId: 'r', receivedAt: Date.now(), startedAt: performance.now(), ...change };
    await (await kit.serving.infer(request)).finish();
  };
  for (let i = 0; i < 50; i++) {
    await one({ version: 2 });
    await one({});
    await one({ version: 2, inputs: [] }).catch(() => {});
    for (const code of ['cancelled', 'queue_timeout', 'queue_full'])
      await one({
        inputs: () => {
          throw unavailable(code, 'Not the version.');
        },
      }).catch(() => {});
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  // The first answer may be no hit.
  expect(canaryOf()?.state).toBe('waiting');
  expect(JSON.stringify(canaryOf())).toMatch(/\b[01] of 20\b/);
  for (let i = 2; i < 120; i++) {
    const request = {
      endpoint: 'e',
      requestId: 'r',
      receivedAt: Date.now(),
      startedAt: performance.now(),
      // Only the canary's clients are slow.
      inputs: ({ version }: { version: number }) => {
        if (version === 2) request.startedAt -= 60_000;
        return row(i);
      },
    };
    await (await kit.serving.infer(request)).finish();
  }
  await until(() => canaryOf()?.state === 'good');
});

it('judges anew what is deployed again', async () => {
  await deploy(renamed(), { errorRate: 0.05, minRequests: 20 });
  await ask(100);
  await until(() => kit.serving.get('e').versions.length === 1);
  await kit.serving.deploy('e', { model: 'm', traffic: split(0) });
  await kit.serving.deploy('e', { model: 'm', traffic: split(10) });
  await until(() => canaryOf()?.state !== undefined);
  expect(kit.serving.get('e').versions).toHaveLength(2);
});

it('splits by a header: a user stays with a version', async () => {
  kit = await servingKit({ reconcileMs: 1e6 });
  await kit.registry.add('m', sum(2, 1));
  await kit.registry.add('m', sum(2, 10));
  await kit.serving.deploy('e', { model: 'm', traffic: split(50), config: { routing: { by: 'header', header: 'X-User' } } });
  const of = new Map<string, Set<number>>();
  for (let i = 0; i < 200; i++) {
    const user = `u${i % 20}`;
    const reply = await kit.serving.infer({
      endpoint: 'e',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 1) }],
      header: (name) => (name === 'x-user' ? user : undefined),
      requestId: 'r',
      receivedAt: Date.now(),
      startedAt: performance.now(),
    });
    of.set(user, (of.get(user) ?? new Set()).add(reply.version.version));
  }
  expect([...of.values()].every((versions) => versions.size === 1)).toBe(true);
  expect(new Set([...of.values()].flatMap((versions) => [...versions])).size).toBe(2);
});

it('goes back to what was served before, or to a revision, and refuses what it does not remember', async () => {
  kit = await servingKit({ reconcileMs: 1e6 });
  for (const scale of [1, 2, 3]) await kit.registry.add('m', sum(2, scale));
  for (const version of [1, 2, 3]) await kit.serving.deploy('e', { model: 'm', traffic: [{ version, weight: 100, shadow: false }] });
  await kit.serving.deploy('e', { model: 'm', traffic: [{ version: 3, weight: 100, shadow: false }], config: { maxQueue: 7 } });
  expect(await kit.serving.rollBack('e', { reason: 'slow' })).toMatchObject({ traffic: [{ version: 2 }], config: { maxQueue: 7 }, state: 'ready' });
  expect((await kit.serving.changes('e', 1))[0]).toMatchObject({ kind: 'rolled_back', reason: 'Back to revision 2: slow' });
  expect(await kit.serving.rollBack('e', { revision: 1 })).toMatchObject({ traffic: [{ version: 1 }] });
  await expect(kit.serving.rollBack('e', { revision: 77 })).rejects.toMatchObject({ code: 'endpoint_change_not_found' });
});
