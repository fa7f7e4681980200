import { expect, it } from 'vitest';
import { RunSizer } from './run-sizer.ts';

const settle = (sizer: RunSizer, micros: (rows: number) => number): number => {
  for (let i = 0; i < 20; i++) sizer.note(sizer.next(), micros(sizer.next()) / 1000);
  return sizer.next();
};

it('a run that costs the same for any size grows', () => {
  expect(settle(new RunSizer(undefined), () => 300)).toBe(65_536);
});

it('a run whose rows cost the same stays small', () => {
  expect(settle(new RunSizer(undefined), (rows) => rows)).toBe(1024);
});

it('a slow model is not tried with larger runs', () => {
  const sizer = new RunSizer(undefined);
  for (let i = 0; i < 2; i++) sizer.note(1024, 5000);
  expect(sizer.next()).toBe(1024);
});

it('a size that was asked for is kept', () => {
  expect(settle(new RunSizer(7), () => 1)).toBe(7);
});
