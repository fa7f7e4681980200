import { expect, it } from 'vitest';
import { distanceOf, farthest, RecentOutputs } from './recent-outputs.ts';

/** xorshift32, uniform in [0, 1). */
const random = (seed: number) => () => {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) / 4294967296;
};
const draw = (count: number, next: () => number, value: (u: number) => number | string) => Array.from({ length: count }, () => value(next()));

it('samples of one distribution stay within the noise about 99 times of 100', () => {
  const next = random(7);
  let beyond = 0;
  for (let i = 0; i < 500; i++) {
    const { distance, noise } = distanceOf(
      draw(800, next, (u) => u),
      draw(200, next, (u) => u),
    );
    if (distance > noise) beyond++;
  }
  expect(beyond).toBeLessThan(25);
});

it('numbers that have moved, and labels of other shares, are beyond it', () => {
  const next = random(3);
  const moved = distanceOf(
    draw(1000, next, (u) => u),
    draw(300, next, (u) => u + 0.4),
  );
  expect(moved.distance).toBeGreaterThan(moved.noise);
  const labels = distanceOf(
    draw(1000, next, (u) => (u < 0.5 ? 'a' : 'b')),
    draw(300, next, (u) => (u < 0.8 ? 'a' : 'b')),
  );
  expect(labels.distance).toBeGreaterThan(labels.noise);
  expect(distanceOf([1, 1, 1], [1, 1]).distance).toBe(0);
});

it('compares the newest values of each output since a time, and only where there is enough of both', () => {
  const [canary, champion] = [new RecentOutputs(), new RecentOutputs()];
  const next = random(9);
  const add = (outputs: RecentOutputs, at: number, rows: number, shift: number) => {
    for (let i = 0; i < rows; i++)
      outputs.add(at, [
        { name: 'same', values: [next()] },
        { name: 'moved', values: [next() + shift] },
      ]);
  };
  add(champion, 1000, 500, 0);
  add(canary, 1000, 20, 5);
  expect(farthest(canary, champion, 0)).toBeUndefined();
  add(canary, 2000, 200, 1);
  expect(farthest(canary, champion, 0)).toMatchObject({ output: 'moved' });
  expect(farthest(canary, champion, 1500)).toBeUndefined();
  add(champion, 2000, 10_000, 0);
  expect(farthest(canary, champion, 1500)?.distance).toBeGreaterThan(0.5);
});
