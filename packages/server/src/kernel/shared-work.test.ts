import { expect, it } from 'vitest';
import { SharedWork } from './shared-work.ts';

/** Work that ends when it is told to, or by its signal. */
function worker() {
  const made: { signal: AbortSignal; finish: (value: string) => void }[] = [];
  const make = (signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => {
      made.push({ signal, finish: resolve });
      signal.addEventListener('abort', () => reject(new Error('ended')));
    });
  return { made, make };
}

it('is done once for all who wait, and goes on while one of them does', async () => {
  const work = new SharedWork<string>();
  const { made, make } = worker();
  const [first, second] = [new AbortController(), new AbortController()];
  const answers = [work.run('a', make, first.signal), work.run('a', make, second.signal), work.run('b', make)];
  expect(made).toHaveLength(2);
  first.abort();
  await expect(answers[0]).rejects.toMatchObject({ kind: 'unavailable', code: 'given_up' });
  expect(made[0]?.signal.aborted).toBe(false);
  made[0]?.finish('done');
  made[1]?.finish('other');
  expect(await Promise.all(answers.slice(1))).toEqual(['done', 'other']);
  // Nothing of it is kept.
  second.abort();
  const again = work.run('a', make);
  expect(made).toHaveLength(3);
  made[2]?.finish('again');
  expect(await again).toBe('again');
});

it('ends with the last who waits, and begins anew for who comes then', async () => {
  const work = new SharedWork<string>();
  const { made, make } = worker();
  const controller = new AbortController();
  const answer = work.run('a', make, controller.signal);
  controller.abort();
  await expect(answer).rejects.toMatchObject({ code: 'given_up' });
  expect(made[0]?.signal.aborted).toBe(true);
  await expect(work.run('a', make, controller.signal)).rejects.toMatchObject({ code: 'given_up' });
  const next = work.run('a', make);
  expect(made).toHaveLength(2);
  made[1]?.finish('done');
  expect(await next).toBe('done');
});

it('ends for those who cannot go, when it is closed', async () => {
  const work = new SharedWork<string>();
  const { make } = worker();
  const answer = work.run('a', make);
  answer.catch(() => {});
  await work.close();
  await expect(answer).rejects.toThrow('ended');
  await expect(work.run('b', make)).rejects.toMatchObject({ code: 'given_up' });
});
