import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { unavailable } from '../../src/kernel/index.ts';
import { EndpointLimits } from '../../src/serving/scheduling/endpoint-limits.ts';
import { newTiming } from '../../src/serving/model-runtime.port.ts';
import { FakeModel, schedulingKit } from '../support/scheduling.ts';

describe('batches', () => {
  it('are the requests of one turn, each with its own rows back', async () => {
    const { ask, ticker, finish, ran } = schedulingKit();
    const answers = [ask(1), ask([2, 3]), ask(4)];
    await ticker.turn();
    expect(ran()).toEqual([[1, 2, 3, 4]]);
    await finish();
    expect(await Promise.all(answers)).toEqual([[2], [4, 6], [8]]);
  });

  it('keep to maxRows, and a request of more runs alone', async () => {
    const { ask, finish, ran } = schedulingKit({ enabled: 'on', maxRows: 3 });
    for (const values of [[1, 2], [3, 4], 5, [6, 7, 8, 9], 10]) void ask(values);
    await finish();
    expect(ran()).toEqual([[1, 2], [3, 4, 5], [6, 7, 8, 9], [10]]);
  });

  it('leave out what asks for other outputs, which goes next', async () => {
    const { ask, finish, ran } = schedulingKit();
    void ask(1);
    void ask(2, undefined, ['z']);
    void ask(3);
    await finish();
    expect(ran()).toEqual([[1, 3], [2]]);
  });

  it('wait for others as long as they may, from the first of them on', async () => {
    const { ask, ticker, ran } = schedulingKit({ enabled: 'on', maxQueueDelayMicros: 5000 });
    void ask(1);
    await ticker.pass(3);
    void ask(2);
    await ticker.pass(1.9);
    expect(ran()).toEqual([]);
    await ticker.pass(0.2);
    expect(ran()).toEqual([[1, 2]]);
  });

  it('leave before their delay is over once they are full', async () => {
    const { ask, ticker, ran } = schedulingKit({ enabled: 'on', maxRows: 2, maxQueueDelayMicros: 1_000_000 });
    void ask(1);
    void ask(2);
    await ticker.turn();
    expect(ran()).toEqual([[1, 2]]);
  });

  it('leave at the largest preferred size, and at a smaller one when the delay is over', async () => {
    const { ask, ticker, finish, ran } = schedulingKit({ enabled: 'on', preferredRows: [4, 2], maxQueueDelayMicros: 5000 });
    for (let i = 1; i <= 7; i++) void ask(i);
    await ticker.turn();
    expect(ran()).toEqual([[1, 2, 3, 4]]);
    await finish();
    expect(ran()).toHaveLength(1);
    await ticker.pass(5);
    await finish();
    expect(ran().slice(1)).toEqual([[5, 6], [7]]);
  });

  it('do not wait where merging gains nothing, or is switched off', async () => {
    for (const [batching, model] of [
      [{ maxQueueDelayMicros: 1_000_000 }, new FakeModel({ rowMicros: 990 })],
      [{ enabled: 'off', maxQueueDelayMicros: 1_000_000 }, new FakeModel()],
      [{ enabled: 'on', maxQueueDelayMicros: 1_000_000 }, new FakeModel({ batchable: false })],
    ] as const) {
      const { ask, finish, ran, scheduler } = schedulingKit(batching, model);
      void ask(1);
      void ask(2);
      await finish();
      expect(ran()).toEqual([[1], [2]]);
      expect(scheduler.merging.merging).toBe(false);
    }
  });

  it('are shared out among the free places of a model whose rows cost', async () => {
    const { ask, ticker, ran } = schedulingKit({ enabled: 'on' }, new FakeModel({ slots: 2, runMicros: 1000, rowMicros: 500 }));
    for (let i = 1; i <= 4; i++) void ask(i);
    await ticker.turn();
    expect(ran()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('run one by one when they fail together, so that nobody pays for a neighbour', async () => {
    const { ask, ticker, model, log } = schedulingKit();
    for (const value of [1, 2, 3]) void ask(value);
    await ticker.turn();
    model.open[0]?.fail(new Error('bad neighbour'));
    await ticker.turn();
    for (const value of [1, 2, 3]) {
      expect(model.open[0]?.rows).toEqual([value]);
      if (value === 2) model.open[0]?.fail(new Error('bad'));
      else model.open[0]?.done();
      await ticker.turn();
    }
    expect(log).toEqual(['2', '2:bad', '6']);
    expect(model.runs).toHaveLength(4);
  });

  it('of a server that is away are not tried again one by one', async () => {
    const { ask, ticker, model, log } = schedulingKit({ enabled: 'on' }, new FakeModel({ tier: 'remote' }));
    for (const value of [1, 2]) void ask(value);
    await ticker.turn();
    model.open[0]?.fail(unavailable('remote_away', 'away'));
    await ticker.turn();
    expect(log).toEqual(['1:remote_away', '2:remote_away']);
    expect(model.runs).toHaveLength(1);
  });

  it('leave out requests whose parameters matter to the runtime', async () => {
    for (const [usesParameters, expected] of [
      [true, [[1, 3], [2]]],
      [false, [[1, 2, 3]]],
    ] as const) {
      const { ask, finish, ran } = schedulingKit({ enabled: 'on' }, new FakeModel({ usesParameters }));
      void ask(1);
      void ask(2, { parameters: { beams: 4 } });
      void ask(3);
      await finish();
      expect(ran()).toEqual(expected);
    }
  });

  it('never hold a request of a sequence', async () => {
    const { ask, finish, ran } = schedulingKit();
    void ask(1, { sequence: { id: 1n, start: true, end: false } });
    void ask(2);
    void ask(3);
    await finish();
    expect(ran()).toEqual([[1], [2, 3]]);
  });

  it('tell each request its times, and count a run once', async () => {
    const { ask, ticker, finish } = schedulingKit({ enabled: 'on', maxQueueDelayMicros: 2000 });
    const timings = [newTiming(), newTiming()];
    void ask([1, 2], { timing: timings[0] });
    await ticker.pass(1);
    void ask(3, { timing: timings[1] });
    await ticker.pass(1);
    ticker.spend(7);
    await finish();
    expect(timings).toEqual([
      { queue: 2000, input: 0, infer: 7000, output: 0, batchRows: 3, executions: 1 },
      { queue: 1000, input: 0, infer: 7000, output: 0, batchRows: 3, executions: 0 },
    ]);
  });
});

describe('merging by measurement', () => {
  const load = async (kit: ReturnType<typeof schedulingKit>, turns: number, ms: number) => {
    for (let i = 0; i < turns; i++) {
      for (let k = 0; k < 4; k++) void kit.ask(k);
      await kit.finish();
      await kit.ticker.pass(ms);
    }
  };

  it('turns itself off where merged rows turn out as dear as single ones, and on again where they are not', async () => {
    const model = new FakeModel({ tier: 'inline', slots: Number.POSITIVE_INFINITY, runMicros: 100, rowMicros: 20 });
    const kit = schedulingKit({}, model);
    let perRow = 1;
    let perRun = 0;
    model.sync = (rows) => kit.ticker.spend(perRun + perRow * rows.length);
    expect(kit.scheduler.merging.merging).toBe(true);
    await load(kit, 300, 10);
    expect(kit.scheduler.merging).toEqual({ merging: false, why: 'While serving, a row in a merged run cost 100 % of a row alone.' });
    const before = model.runs.length;
    await load(kit, 10, 10);
    expect(model.runs.length - before).toBeGreaterThanOrEqual(38);
    [perRun, perRow] = [1, 0.1];
    await load(kit, 2000, 10);
    expect(kit.scheduler.merging.merging).toBe(true);
    expect(kit.scheduler.merging.why).toMatch(/cost (3\d|4\d) % of a row alone/);
  });

  it('is not begun for a model that nobody has run several rows of, unless it is switched on', async () => {
    for (const model of [new FakeModel({ tier: 'remote', rowMicros: 1000 }), new FakeModel({ tier: 'remote', runMicros: Number.NaN, rowMicros: Number.NaN })]) {
      const kit = schedulingKit({}, model);
      await load(kit, 60, 10);
      expect(Math.max(...kit.ran().map((rows) => rows.length))).toBe(1);
      kit.scheduler.configure({ enabled: 'on' });
      await load(kit, 1, 10);
      expect(kit.ran().at(-1)).toEqual([0, 1, 2, 3]);
    }
  });

  it('does not flutter about the threshold', async () => {
    const model = new FakeModel({ tier: 'inline', slots: Number.POSITIVE_INFINITY, runMicros: 100, rowMicros: 20 });
    const kit = schedulingKit({}, model);
    // Merged rows cost 88 % of single ones: not worth beginning for, nor worth ending.
    model.sync = (rows) => kit.ticker.spend(0.16 + 0.84 * rows.length);
    await load(kit, 1500, 10);
    expect(kit.scheduler.merging.merging).toBe(true);
  });
});

describe('order', () => {
  it('is by priority, then by arrival', async () => {
    const { ask, ticker, finish, ran } = schedulingKit({ enabled: 'off', priorityLevels: 3, defaultPriority: 2 });
    void ask(0);
    await ticker.turn();
    for (const [value, priority] of [
      [1, 3],
      [2, 0],
      [3, 1],
      [4, 2],
      [5, 99],
      [6, 1],
    ] as const)
      void ask(value, { priority });
    await finish();
    expect(ran().flat()).toEqual([0, 3, 6, 2, 4, 5, 1]);
  });

  it('of the replies is that of the requests where it is to be preserved', async () => {
    const { ask, ticker, model, log } = schedulingKit({ enabled: 'off', preserveOrdering: true }, new FakeModel({ slots: 3 }));
    for (const value of [1, 2, 3]) void ask(value);
    await ticker.turn();
    model.open[2]?.done();
    await ticker.turn();
    model.open[1]?.fail(new Error('bad'));
    await ticker.turn();
    expect(log).toEqual([]);
    model.open[0]?.done();
    await ticker.turn();
    expect(log).toEqual(['2', '2:bad', '6']);
  });

  it('gives each of several queues its turn at a shared model', async () => {
    const first = schedulingKit({ enabled: 'off' });
    const second = schedulingKit({ enabled: 'off' }, first.model, { executor: first.executor, ticker: first.ticker });
    for (const value of [1, 2, 3]) void first.ask(value);
    for (const value of [11, 12, 13]) void second.ask(value);
    await first.finish();
    expect(first.ran().flat()).toEqual([1, 2, 11, 3, 12, 13]);
  });
});

describe('time-outs', () => {
  it('refuse a request in the words of Triton as soon as its time is over', async () => {
    const { ask, ticker, finish, log, ran, scheduler } = schedulingKit({ enabled: 'off', defaultQueuePolicy: { defaultTimeoutMicros: 10_000 } });
    void ask(1);
    await ticker.turn();
    const late = ask(2);
    await ticker.pass(9.9);
    expect(scheduler.waiting).toBe(1);
    await ticker.pass(0.2);
    expect(scheduler.waiting).toBe(0);
    await expect(late).rejects.toMatchObject({ kind: 'unavailable', code: 'queue_timeout', message: 'Request timeout expired' });
    await finish();
    expect(ran()).toEqual([[1]]);
    expect(log).toEqual(['2:queue_timeout', '2']);
  });

  it('come from the request, unless the policy forbids it or has a shorter one', async () => {
    for (const [policy, expected] of [
      [{}, 5],
      [{ defaultTimeoutMicros: 3000 }, 3],
      [{ defaultTimeoutMicros: 8000 }, 5],
      [{ defaultTimeoutMicros: 8000, allowTimeoutOverride: false }, 8],
    ] as const) {
      const { ask, ticker, log } = schedulingKit({ enabled: 'off', defaultQueuePolicy: policy });
      void ask(1);
      await ticker.turn();
      void ask(2, { timeoutMicros: 5000 });
      await ticker.pass(expected - 0.1);
      expect(log).toEqual([]);
      await ticker.pass(0.2);
      expect(log).toEqual(['2:queue_timeout']);
    }
  });

  it('may put a request behind the others instead', async () => {
    const { ask, ticker, finish, ran } = schedulingKit({ enabled: 'off', defaultQueuePolicy: { timeoutAction: 'delay' } });
    void ask(1);
    await ticker.turn();
    void ask(2, { timeoutMicros: 1000 });
    await ticker.pass(2);
    void ask(3);
    void ask(4);
    await finish();
    expect(ran().flat()).toEqual([1, 3, 4, 2]);
  });

  it('end a delay, so that waiting for others makes nobody late', async () => {
    const { ask, ticker, log, finish } = schedulingKit({ enabled: 'on', maxQueueDelayMicros: 60_000_000 });
    void ask(1, { timeoutMicros: 50_000 });
    await ticker.pass(49);
    await finish();
    expect(log).toEqual(['2']);
  });
});

describe('limits', () => {
  it('of a level refuse what is beyond, in the words of Triton; other levels have their own', async () => {
    const { ask, ticker, finish, log } = schedulingKit({
      enabled: 'off',
      priorityLevels: 2,
      defaultPriority: 2,
      priorityQueuePolicies: { 2: { maxQueueSize: 2 } },
    });
    void ask(0);
    await ticker.turn();
    for (const value of [1, 2, 3]) void ask(value);
    void ask(4, { priority: 1 });
    await ticker.turn();
    expect(log).toEqual(['3:queue_full']);
    await expect(ask(5)).rejects.toMatchObject({ kind: 'exhausted', message: 'Exceeds maximum queue size', retryAfterSeconds: 1 });
    await finish();
    expect(log.slice(2)).toEqual(['0', '8', '2', '4']);
  });

  it('of an endpoint hold over all its versions: how many wait or run, and how many run', async () => {
    const limits = new EndpointLimits();
    limits.configure({ maxQueue: 4, maxConcurrency: 2 }, 1000);
    const model = new FakeModel({ slots: 10 });
    const first = schedulingKit({ enabled: 'off' }, model, { limits });
    const second = schedulingKit({ enabled: 'off' }, model, { limits, executor: first.executor, ticker: first.ticker });
    for (const [kit, value] of [
      [first, 1],
      [second, 2],
      [first, 3],
      [second, 4],
      [first, 5],
    ] as const)
      void kit.ask(value);
    await first.ticker.turn();
    expect(first.log).toEqual(['5:queue_full']);
    expect(model.open).toHaveLength(2);
    expect(limits.pending).toBe(4);
    model.open[0]?.done();
    await first.ticker.turn();
    expect(model.open).toHaveLength(2);
    await first.finish();
    expect(limits.pending).toBe(0);
    expect(model.runs).toHaveLength(4);
  });

  it('of concurrency hold for the requests of a merged run', async () => {
    const limits = new EndpointLimits();
    limits.configure({ maxConcurrency: 2 }, 1000);
    const { ask, finish, ran } = schedulingKit({ enabled: 'on' }, new FakeModel({ slots: 4 }), { limits });
    for (const value of [1, 2, 3]) void ask(value);
    await finish();
    expect(ran()).toEqual([[1, 2], [3]]);
  });

  it('of the rate let bursts through and then so many a second', () => {
    const limits = new EndpointLimits();
    limits.configure({ rateLimit: { requestsPerSecond: 10, burst: 3 } }, 1000);
    const passed = (at: number) => limits.overRate(at) === undefined;
    expect([0, 0, 0, 0].map(passed)).toEqual([true, true, true, false]);
    expect(limits.overRate(50)).toMatchObject({ kind: 'exhausted', code: 'rate_limited', retryAfterSeconds: expect.closeTo(0.05) });
    expect([100, 101, 150, 201].map(passed)).toEqual([true, false, false, true]);
    limits.configure({}, 1000);
    expect([201, 201].map(passed)).toEqual([true, true]);
  });
});

describe('a client that goes', () => {
  it('leaves the queue at once and frees its place', async () => {
    const { ask, ticker, finish, ran, log, scheduler, limits } = schedulingKit({ enabled: 'off', defaultQueuePolicy: { maxQueueSize: 1 } });
    void ask(1);
    await ticker.turn();
    const gone = new AbortController();
    void ask(2, { signal: gone.signal });
    await ticker.turn();
    expect(scheduler.waiting).toBe(1);
    gone.abort();
    expect(scheduler.waiting).toBe(0);
    expect(limits.pending).toBe(1);
    void ask(3);
    await finish();
    expect(ran()).toEqual([[1], [3]]);
    expect(log).toEqual(['2:cancelled', '2', '6']);
  });

  it('before its request has run costs no run', async () => {
    const { ask, finish, ran } = schedulingKit({ enabled: 'off' });
    const signal = AbortSignal.abort();
    void ask(0);
    void ask(1, { signal });
    await finish();
    expect(ran()).toEqual([[0]]);
  });

  it('hands its signal to the run; a merged run ends when all have gone', async () => {
    const { ask, ticker, model, log } = schedulingKit({ enabled: 'on' }, new FakeModel({ endsOnAbort: true }));
    const [a, b] = [new AbortController(), new AbortController()];
    void ask(1, { signal: a.signal });
    void ask(2, { signal: b.signal });
    await ticker.turn();
    const signal = model.open[0]?.call?.signal;
    a.abort();
    expect(signal?.aborted).toBe(false);
    b.abort();
    expect(signal?.aborted).toBe(true);
    model.open[0]?.fail(new Error('ended'));
    await ticker.turn();
    expect(log).toEqual(['1:cancelled', '2:cancelled']);
    expect(model.runs).toHaveLength(1);
  });

  it('ends a merged run of one stream, whose requests share a signal, and is listened to no longer than the run', async () => {
    const { ask, ticker, finish, model } = schedulingKit({ enabled: 'on' }, new FakeModel({ endsOnAbort: true }));
    const stream = new AbortController();
    const listeners = () => getEventListeners(stream.signal, 'abort').length;
    for (const value of [1, 2]) void ask(value, { signal: stream.signal });
    await finish();
    expect(model.runs.map(({ rows }) => rows)).toEqual([[1, 2]]);
    expect(listeners()).toBe(0);
    for (const value of [3, 4]) void ask(value, { signal: stream.signal });
    await ticker.turn();
    expect(listeners()).toBe(1);
    const [run] = model.open;
    stream.abort();
    expect(run?.call?.signal?.aborted).toBe(true);
    await finish();
  });
});

describe('a change of the configuration', () => {
  it.each([{ priorityLevels: 2 }, { priorityLevels: 3 }, {}])('finds those that have to run again, whatever its levels are (%j)', async (levels) => {
    const { ask, ticker, finish, model, log, scheduler } = schedulingKit({ enabled: 'on', priorityLevels: 2 });
    for (const value of [1, 2]) void ask(value, { priority: 2 });
    await ticker.turn();
    scheduler.configure({ enabled: 'on', ...levels });
    model.open[0]?.fail(new Error('together'));
    await finish();
    expect(log).toEqual(['2', '4']);
    expect(scheduler.pending).toBe(0);
  });

  it('holds at once, for those who wait too', async () => {
    const { ask, ticker, finish, ran, scheduler } = schedulingKit({ enabled: 'on', maxQueueDelayMicros: 60_000_000, priorityLevels: 2 });
    void ask(1, { priority: 2 });
    void ask(2, { priority: 1 });
    await ticker.turn();
    expect(ran()).toEqual([]);
    scheduler.configure({ enabled: 'off' });
    await finish();
    expect(ran()).toEqual([[2], [1]]);
  });
});

describe('draining', () => {
  it('runs everything that waits, without any further delay', async () => {
    const { ask, finish, log, scheduler } = schedulingKit({ enabled: 'on', maxQueueDelayMicros: 60_000_000 });
    for (const value of [1, 2]) void ask(value);
    let drained = false;
    const done = scheduler.drained().then(() => (drained = true));
    await finish();
    await done;
    expect(drained).toBe(true);
    expect(log).toEqual(['2', '4']);
  });
});
