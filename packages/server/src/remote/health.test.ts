import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Health } from './health.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => vi.useRealTimers());

/** A server whose answer to the question waits behind its requests for ever, or comes as it is told. */
function server() {
  const asked = { times: 0, answer: (): Promise<void> => Promise.reject(new Error('it did not answer in time')) };
  const health = new Health(() => {
    asked.times++;
    return asked.answer();
  });
  return { health, asked };
}

it('does not ask a server that is at work and answers, and asks it again once it does not', async () => {
  const { health, asked } = server();
  for (let i = 0; i < 5; i++) {
    const end = health.begin();
    health.begin();
    await vi.advanceTimersByTimeAsync(9000);
    if (i % 2 === 0) health.well();
    else health.answered();
    end();
  }
  expect(asked.times).toBe(0);
  expect(health.problem).toBeUndefined();
  // Something is still under way, and nothing comes back any more.
  await vi.advanceTimersByTimeAsync(20_000);
  expect(asked.times).toBeGreaterThan(0);
  expect(health.problem).toBe('it did not answer in time');
  health.close();
});

it('asks one that has nothing to do, whenever it answered last', async () => {
  const { health, asked } = server();
  health.begin()();
  health.well();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked.times).toBe(1);
  expect(health.problem).toBe('it did not answer in time');
  // Often while it is away, also when requests are tried meanwhile.
  health.begin();
  await vi.advanceTimersByTimeAsync(3000);
  expect(asked.times).toBe(4);
  asked.answer = () => Promise.resolve();
  await vi.advanceTimersByTimeAsync(1000);
  expect(health.problem).toBeUndefined();
  health.close();
});

it('believes an answer that came while the question was waiting', async () => {
  const { health, asked } = server();
  asked.answer = () => new Promise((_resolve, reject) => setTimeout(() => reject(new Error('it did not answer in time')), 3000));
  await vi.advanceTimersByTimeAsync(11_000);
  expect(asked.times).toBe(1);
  health.well();
  await vi.advanceTimersByTimeAsync(5000);
  expect(health.problem).toBeUndefined();
  health.close();
});
