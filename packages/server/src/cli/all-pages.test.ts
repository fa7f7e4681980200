import { expect, it } from 'vitest';
import { allPages } from './all-pages.ts';

const list = Array.from({ length: 25 }, (_, i) => i);
const pages = (asked: number[]) => async (token: string | undefined, limit: number) => {
  asked.push(limit);
  const from = Number(token ?? 0);
  const next = from + limit;
  return { items: list.slice(from, next), ...(next < list.length ? { nextPageToken: String(next) } : {}) };
};

it('pages are read to the end', async () => {
  const asked: number[] = [];
  expect(await allPages(pages(asked), 10)).toEqual(list);
  expect(asked).toEqual([10, 10, 10]);
});
it('no more is asked for than is wanted', async () => {
  const asked: number[] = [];
  expect(await allPages(pages(asked), 10, 12)).toEqual(list.slice(0, 12));
  expect(asked).toEqual([10, 2]);
});
it('a list of nothing is one question', async () => {
  expect(await allPages(async () => ({ items: [] }), 10)).toEqual([]);
});
