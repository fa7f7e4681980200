import type { Batching } from '@binnacle/contract';
import { expect, it } from 'vitest';
import { FakeModel, schedulingKit } from '../support/scheduling.ts';

/** Numerical Recipes' generator: the same cases every time. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Asked {
  values: number[];
  priority: number;
  outputs: string[];
  cancel: AbortController;
  outcome?: number[] | string;
}

/**
 * Random requests, cancellations, failures and passing time against what must hold whatever the order: everyone is answered exactly once, with
 * their own rows doubled or with the error that they asked for; no run is larger than allowed, of mixed outputs, or of someone who had gone
 * before it began; runs under way keep to the places; and in the end nothing is left.
 */
it.each(Array.from({ length: 150 }, (_, i) => i + 1))('holds under random load (seed %i)', async (seed) => {
  const random = generator(seed);
  const levels = random(2) * 3;
  const batching: Batching = {
    enabled: (['on', 'auto', 'off'] as const)[random(3)],
    maxRows: 1 + random(8),
    preferredRows: random(2) === 0 ? [] : [2, 4],
    maxQueueDelayMicros: random(2) * 4000,
    preserveOrdering: levels === 0 && random(2) === 0,
    priorityLevels: levels,
    defaultQueuePolicy: {
      timeoutAction: random(2) === 0 ? 'delay' : 'reject',
      defaultTimeoutMicros: random(3) * 8000,
      maxQueueSize: random(2) * 12,
    },
  };
  const model = new FakeModel({ slots: 1 + random(3), rowMicros: 1 + random(1000), batchable: random(5) > 0 });
  const kit = schedulingKit(batching, model);
  kit.limits.configure({ maxConcurrency: 1 + random(6) }, 30);
  const asked: Asked[] = [];
  const settledOrder: number[] = [];
  const gone = new Set<number>();
  let checked = 0;
  const check = (): void => {
    expect(model.open.length).toBeLessThanOrEqual(model.slots);
    for (; checked < model.runs.length; checked++) {
      const run = model.runs[checked] as (typeof model.runs)[number];
      const owners = asked.filter(({ values }) => values.some((value) => run.rows.includes(value)));
      // Whole requests, each with its rows in their order.
      expect(run.rows.toSorted((a, b) => a - b)).toEqual(owners.flatMap(({ values }) => values).sort((a, b) => a - b));
      if (owners.length > 1) expect(run.rows.length).toBeLessThanOrEqual(batching.maxRows as number);
      expect(new Set(owners.map(({ outputs }) => outputs.join())).size).toBe(1);
      for (const { values } of owners) expect(gone.has(values[0] as number)).toBe(false);
    }
  };
  let next = 1;
  for (let step = 0; step < 80; step++) {
    const action = random(10);
    if (action < 6) {
      const request: Asked = {
        values: Array.from({ length: 1 + random(3) }, () => next++),
        priority: random(levels + 2),
        outputs: random(4) === 0 ? ['z'] : ['y'],
        cancel: new AbortController(),
      };
      asked.push(request);
      const index = asked.length - 1;
      kit
        .ask(
          request.values,
          { priority: request.priority, signal: request.cancel.signal, ...(random(3) === 0 ? { timeoutMicros: 3000 } : {}) },
          request.outputs,
        )
        .then(
          (values) => {
            expect(request.outcome).toBeUndefined();
            request.outcome = values;
            settledOrder.push(index);
          },
          (error: { code?: string; message: string }) => {
            expect(request.outcome).toBeUndefined();
            request.outcome = error.code ?? error.message;
          },
        );
    } else if (action === 6 && asked.length > 0) {
      const request = asked[random(asked.length)] as Asked;
      const running = model.open.some(({ rows }) => rows.includes(request.values[0] as number));
      if (!running && request.outcome === undefined) gone.add(request.values[0] as number);
      request.cancel.abort();
    } else if (action === 7) model.open[random(Math.max(1, model.open.length))]?.done();
    else if (action === 8 && random(3) === 0) model.open[0]?.fail(new Error('failed'));
    if (random(2) === 0) await kit.ticker.turn();
    if (random(3) === 0) await kit.ticker.pass(random(5) + 0.5);
    check();
  }
  await kit.ticker.pass(100);
  const drained = kit.scheduler.drained();
  await kit.finish();
  await drained;
  check();
  expect([kit.scheduler.pending, kit.limits.pending, kit.executor.places.busy, kit.limits.places.busy]).toEqual([0, 0, 0, 0]);
  for (const { values, outcome } of asked) {
    if (Array.isArray(outcome)) expect(outcome).toEqual(values.map((value) => value * 2));
    else expect(['cancelled', 'queue_timeout', 'queue_full', 'failed']).toContain(outcome);
  }
  if (batching.preserveOrdering === true) expect(settledOrder).toEqual(settledOrder.toSorted((a, b) => a - b));
});
