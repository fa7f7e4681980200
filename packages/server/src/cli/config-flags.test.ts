import { expect, it } from 'vitest';
import { configFrom } from './config-flags.ts';

it('sets single values, deep ones, and takes them out', async () => {
  const current = { maxQueue: 5, batching: { maxRows: 8, preferredRows: [4] } };
  expect(await configFrom({ set: ['batching.maxRows=64', 'isolation=process', 'maxQueue=null', 'cache={"maxMiB":16}'] }, current)).toEqual({
    batching: { maxRows: 64, preferredRows: [4] },
    isolation: 'process',
    cache: { maxMiB: 16 },
  });
  expect(current.maxQueue).toBe(5);
});

it('reads guards and what the traffic is split by', async () => {
  expect(await configFrom({ guard: ['errors=5%,latency=2x', 'drift=0.2'], splitBy: 'header:X-User' }, { canaryGuard: { minRequests: 50 } })).toEqual({
    canaryGuard: { minRequests: 50, errorRate: 0.05, latencyP99: 2, driftDistance: 0.2 },
    routing: { by: 'header', header: 'X-User' },
  });
  expect(await configFrom({ splitBy: 'weight' }, {})).toEqual({ routing: { by: 'weight' } });
});

it.each([
  [{ set: ['nope'] }, 'takes key=value'],
  [{ set: ['nope=1'] }, 'not valid'],
  [{ set: ['__proto__.polluted=1'] }, 'not valid'],
  [{ set: ['instances=0'] }, 'instances'],
  [{ guard: ['speed=2'] }, '--guard knows errors'],
  [{ guard: ['errors='] }, 'is not a number'],
  [{ splitBy: 'X-User' }, 'header:NAME'],
  [{ config: '/does/not/exist.json' }, 'holds no configuration'],
])('refuses %j', async (flags, text) => {
  await expect(configFrom(flags, {})).rejects.toThrow(text);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});
